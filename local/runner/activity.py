"""Counts the deliveries under way, from the taking of events to the end of all that follows."""

from collections.abc import Iterator
from contextlib import contextmanager


class Activity:
    def __init__(self) -> None:
        self.running = 0

    @contextmanager
    def going_on(self) -> Iterator[None]:
        self.running += 1
        try:
            yield
        finally:
            self.running -= 1
