"""The time of the emulated AWS for one small read, again and again.

It answers one request after another: a small read waits here for things that it would not wait for on AWS.
"""

import threading
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

PAUSE_S = 0.1


@dataclass(slots=True)
class Probe:
    """As a context it reads, in a thread of its own, until it ends. `client` is DynamoDB's."""

    client: Any
    table: str
    ms: list[float] = field(default_factory=list)
    _end: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def _read(self) -> None:
        while not self._end.wait(PAUSE_S):
            began = time.monotonic()
            self.client.get_item(TableName=self.table, Key={"pk": {"S": "nobody"}}, ConsistentRead=True)
            self.ms.append((time.monotonic() - began) * 1000)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._read, name="probe")
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        assert self._thread is not None
        self._thread.join()
