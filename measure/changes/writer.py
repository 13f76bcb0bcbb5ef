"""Writes a series of changes at a steady rate, straight into the emulated table.

The rows are the store's, the way is the bare protocol: fanfare.store.objects, which reads before it writes,
takes 3 ms of CPU for a change. With it, two cores that run AWS and the functions as well write 200 a second.
"""

import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPConnection
from itertools import count
from urllib.parse import urlsplit

from measure.changes.series import Change, Rows, change

THREADS = 16
_TELL_S = 2.0
_LEAD_S = 0.1
_HEADERS = {
    "Content-Type": "application/x-amz-json-1.0",
    "X-Amz-Target": "DynamoDB_20120810.PutItem",
    # MiniStack reads region and service off it and checks no signature.
    "Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/aws4_request, "
    "SignedHeaders=host, Signature=0",
}


class NotWritten(Exception):
    """The table refused a change."""


@dataclass(frozen=True, slots=True)
class WrittenSeries:
    """A series. `began`, `ended`: epoch ms, from the first change to the last answer."""

    series: str
    changes: tuple[Change, ...]
    began: float
    ended: float

    @property
    def per_s(self) -> float:
        return len(self.changes) / (self.ended - self.began) * 1000


@dataclass(slots=True)
class Writer:
    """`emulator`: MiniStack's URL, since the proxy would count and slow the requests."""

    emulator: str
    rows: Rows
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def write(self, series: str, changes: int, per_s: float, say: Callable[[str], None]) -> WrittenSeries:
        """Make the changes, each at its time or as soon after it as can be. Raises NotWritten."""
        numbers = iter(range(changes))
        answered = count(1)
        told = time.monotonic()
        failed = threading.Event()
        begin = time.monotonic() + _LEAD_S
        began = (time.time() + _LEAD_S) * 1000

        def next_number() -> int | None:
            with self._lock:
                return None if failed.is_set() else next(numbers, None)

        def tell() -> None:
            nonlocal told
            with self._lock:
                done = next(answered)
                now = time.monotonic()
                if now - told >= _TELL_S:
                    told = now
                    say(f"  {done:,} of {changes:,} written, {done / (now - begin):,.0f} a second")

        def work() -> None:
            connection = HTTPConnection(urlsplit(self.emulator).netloc, timeout=60)
            try:
                while (number := next_number()) is not None:
                    time.sleep(max(0.0, begin + number / per_s - time.monotonic()))
                    self._put(connection, change(series, number))
                    tell()
            except BaseException:
                failed.set()
                raise
            finally:
                connection.close()

        with ThreadPoolExecutor(THREADS) as threads:
            for worker in [threads.submit(work) for _ in range(THREADS)]:
                worker.result()
        ended = time.time() * 1000
        return WrittenSeries(series, tuple(change(series, number) for number in range(changes)), began, ended)

    def _put(self, connection: HTTPConnection, change: Change) -> None:
        request = self.rows.put(change, int(time.time() * 1000))
        connection.request("POST", "/", json.dumps(request), _HEADERS)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise NotWritten(f"{change}: {answer.status} {body.decode()}")
