"""A flood of one app on the express queue, and the wait of another app's push, simulated.

The rule is that of SQS's fair queues: of the groups with messages waiting, those with fewer in flight come
first, and within a group the oldest. Without groups the oldest message of all comes first.
"""

import heapq
from collections import Counter, deque
from dataclasses import dataclass

BATCH = 10
"""Deliveries that an environment takes at once."""

BATCH_S = 0.5
"""Seconds for a batch, where nothing else is said: reads, two networks' answers, writes."""

FLOOD, OTHER = "flood", "other"


@dataclass(frozen=True, slots=True)
class Flood:
    """One app's deliveries come at `per_s` for `seconds`; `environments` take `batch_s` for a batch."""

    per_s: float
    seconds: float
    environments: int
    batch_s: float = BATCH_S

    @property
    def of_capacity(self) -> float:
        """The flood as a multiple of the environments' rate."""
        return self.per_s * self.batch_s / (BATCH * self.environments)


def waited_for(flood: Flood, *, fair: bool) -> int:
    """Count the deliveries of the flood that are begun after another app's push came and before it is."""
    waiting: dict[str, deque[float]] = {FLOOD: deque(), OTHER: deque()}
    arrivals = deque((i / flood.per_s, FLOOD) for i in range(int(flood.per_s * flood.seconds)))
    arrivals.append((flood.seconds, OTHER))
    in_flight: Counter[str] = Counter()
    free: list[tuple[float, int, tuple[str, ...]]] = [(0.0, n, ()) for n in range(flood.environments)]
    heapq.heapify(free)
    begun = 0
    while True:
        now, number, had = heapq.heappop(free)
        in_flight.subtract(had)
        while arrivals and arrivals[0][0] <= now:
            at, group = arrivals.popleft()
            waiting[group].append(at)
        taken = _taken(waiting, in_flight, fair=fair)
        if OTHER in taken:
            return begun + taken.index(OTHER)
        begun += sum(now >= flood.seconds for _ in taken)
        in_flight.update(taken)
        idle_until = arrivals[0][0] if arrivals and not taken else now + flood.batch_s
        heapq.heappush(free, (max(now, idle_until), number, tuple(taken)))


def _taken(waiting: dict[str, deque[float]], in_flight: Counter[str], *, fair: bool) -> list[str]:
    """The groups of the messages that one batch takes, in their order."""
    taken: list[str] = []
    while len(taken) < BATCH and any(waiting.values()):
        there = [group for group, messages in waiting.items() if messages]
        if fair:
            group = min(there, key=lambda one: (in_flight[one] + taken.count(one), waiting[one][0]))
        else:
            group = min(there, key=lambda one: waiting[one][0])
        waiting[group].popleft()
        taken.append(group)
    return taken
