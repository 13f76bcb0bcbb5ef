"""deliver: the deliveries of an invocation in waves, two at a time: one reads while the other is sent."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import batched

from fanfare.domain.push import Delivery
from fanfare.pipeline.deliver.deliverer import Begun, Deliverer
from fanfare.pipeline.deliver.find import Finding
from fanfare.runtime.concurrency import together

WAVE = 10
"""Number of deliveries that are read at the same time."""

AT_A_TIME = 2
"""Waves. Each is sent as soon as its devices are read, so that nothing is read far ahead."""

BEGIN_FROM_S = 8.0
"""With less time than this no wave is begun."""


class NoTime(Exception):
    """The function's time is nearly up: the message comes again."""


def deliver_all(
    deliverer: Deliverer,
    deliveries: Sequence[Delivery],
    seconds_left: Callable[[], float],
    until: int | None = None,
) -> list[Exception | None]:
    """Make an attempt of each; return the failures, after which the messages come again.

    Failures are NoTime, LeaseHeld, LeaseLost and errors of AWS.

    An invocation is paid while it waits for tables and networks, so it waits for many at once: a wave
    looks for its devices together, and those of one push are sent to as one. All leases end together: `until`
    (epoch ms), or a lease after now.
    """
    if until is None:
        until = deliverer.clock() + 1000 * deliverer.settings.lease_seconds
    run = _Run(deliverer, deliveries, seconds_left, until, [None] * len(deliveries))
    together(run.wave, list(batched(range(len(deliveries)), WAVE, strict=False)), AT_A_TIME)
    return run.failures


@dataclass(slots=True)
class _Run:
    deliverer: Deliverer
    deliveries: Sequence[Delivery]
    seconds_left: Callable[[], float]
    until: int
    """The end of all leases, epoch ms."""
    failures: list[Exception | None] = field(default_factory=list)

    def wave(self, indices: Sequence[int]) -> None:
        if self._short_of_time():
            for index in indices:
                self.failures[index] = NoTime(f"{self.seconds_left():.1f} s")
            return
        finding = Finding(self.seconds_left)
        pushes: dict[tuple[str, str], list[Begun]] = {}
        for begun in together(lambda index: self._begin(index, finding), indices):
            if begun is not None:
                push = begun.lease.delivery.push
                pushes.setdefault((push.app, push.id), []).append(begun)
        together(self._send, list(pushes.values()))

    def _begin(self, index: int, finding: Finding) -> Begun | None:
        """Begin one delivery. Its failure is noted in `failures` and does not touch the others."""
        try:
            return self.deliverer.begin(index, self.deliveries[index], self.until, finding)
        except Exception as error:  # noqa: BLE001 - it is this delivery's
            self.failures[index] = error
            return None

    def _send(self, begun: Sequence[Begun]) -> None:
        """Send one push. Its failures are noted in `failures` and do not touch the others."""
        try:
            ended = self.deliverer.send(begun, len(self.deliveries), self.seconds_left)
        except Exception as error:  # noqa: BLE001 - it is this push's
            ended = [error] * len(begun)
        for one, failure in zip(begun, ended, strict=True):
            self.failures[one.index] = failure

    def _short_of_time(self) -> bool:
        """True if too little time is left for a wave. A short lease has a short timeout, and needs less."""
        return self.seconds_left() < min(BEGIN_FROM_S, self.deliverer.settings.lease_seconds / 4)
