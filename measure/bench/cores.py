"""One core for the server and one for the sender, so that neither takes from the other."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cores:
    """None: wherever the system puts it."""

    server: int | None
    sender: int | None

    @staticmethod
    def of_this_machine() -> "Cores":
        """The first and the last that may be used; neither, where they are one."""
        usable = sorted(os.sched_getaffinity(0))
        return Cores(usable[0], usable[-1]) if len(usable) > 1 else Cores(None, None)

    @property
    def apart(self) -> bool:
        return self.server != self.sender


@contextmanager
def pinned(core: int | None) -> Iterator[None]:
    """Processes that are started in here stay on that core."""
    before = os.sched_getaffinity(0)
    if core is not None:
        os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
