"""deliver: the deliveries of an invocation in waves; while one is sent, the next looks for its devices."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import batched

from fanfare.domain.push import Delivery
from fanfare.pipeline.delivery import Begun, Deliverer
from fanfare.pipeline.finding import Finding
from fanfare.runtime.together import one_ahead, together
from fanfare.store import ledger

WAVE = 10
"""Deliveries whose devices are looked for at the same time."""

AHEAD_MS = 3_000
"""A wave whose devices were read longer ago than this is read again before it is sent."""

BEGIN_FROM_S, SEND_FROM_S = 8.0, 4.0
"""With less time than this no wave is begun, and none that was begun is sent."""


class NoTime(Exception):
    """The function's time is nearly up: the message comes again."""


def deliver_all(
    deliverer: Deliverer, deliveries: Sequence[Delivery], seconds_left: Callable[[], float]
) -> list[Exception | None]:
    """An attempt of each; for each NoTime, LeaseHeld, LeaseLost or what AWS refused: its message comes again.

    Waiting for tables and networks is what an invocation is paid for, so it waits for many at once: a wave
    looks for its devices together, and those of one push are sent to as one. All leases end together, a lease
    after now.
    """
    lease_ms = 1000 * deliverer.settings.lease_seconds
    run = _Run(deliverer, deliveries, seconds_left, deliverer.clock() + lease_ms, [None] * len(deliveries))
    for begun in one_ahead(run.begin, list(batched(range(len(deliveries)), WAVE, strict=False))):
        run.send(begun)
    return run.failures


@dataclass(slots=True)
class _Run:
    deliverer: Deliverer
    deliveries: Sequence[Delivery]
    seconds_left: Callable[[], float]
    until: int
    failures: list[Exception | None] = field(default_factory=list)

    def begin(self, wave: Sequence[int]) -> list[Begun]:
        finding = Finding()

        def begin(index: int) -> Begun | None:
            if self._short_of(BEGIN_FROM_S):
                raise NoTime
            return self.deliverer.begin(index, self.deliveries[index], self.until, finding)

        return self._each(begin, {index: index for index in wave})

    def send(self, begun: list[Begun]) -> None:
        pushes: dict[tuple[str, str], list[Begun]] = {}
        for one in self._current(begun):
            push = one.lease.delivery.push
            pushes.setdefault((push.app, push.id), []).append(one)
        together(self._send, list(pushes.values()))

    def _current(self, begun: list[Begun]) -> list[Begun]:
        """Those that there is time for, with their devices as they are owned now, or were just now."""
        finding = Finding()

        def look_again(one: Begun) -> Begun | None:
            return self.deliverer.find(one.index, one.lease, finding)

        def give_back(one: Begun) -> None:
            ledger.release(one.lease)
            raise NoTime

        mine = {one.index: one for one in begun}
        if self._short_of(SEND_FROM_S):
            return self._each(give_back, mine)
        if any(self.deliverer.clock() - one.at > AHEAD_MS for one in begun):
            return self._each(look_again, mine)
        return begun

    def _send(self, begun: Sequence[Begun]) -> None:
        """What fails of one push leaves the others alone."""
        try:
            ended = self.deliverer.send(begun, len(self.deliveries), self.seconds_left)
        except Exception as error:  # noqa: BLE001 - it is this push's
            ended = [error] * len(begun)
        for one, failure in zip(begun, ended, strict=True):
            self.failures[one.index] = failure

    def _each[T](self, work: Callable[[T], Begun | None], things: dict[int, T]) -> list[Begun]:
        """What came of those that go on; what fails of one delivery leaves the others alone."""

        def attempt(index: int) -> Begun | None:
            try:
                return work(things[index])
            except Exception as error:  # noqa: BLE001 - it is this delivery's
                self.failures[index] = error
                return None

        return [one for one in together(attempt, list(things)) if one is not None]

    def _short_of(self, least_s: float) -> bool:
        """With a short lease, which has a short timeout, less time is enough."""
        return self.seconds_left() < least_s * min(1.0, self.deliverer.settings.lease_seconds / 32)
