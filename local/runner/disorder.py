"""Makes events arrive twice, late and out of order, as AWS may deliver them. Off until it is told."""

import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

_SHUFFLE_MS = 50.0


@dataclass(frozen=True, slots=True)
class DisorderRules:
    """`duplicate`: share of events delivered once more. `delay_ms`: the longest delay of a delivery.

    `shuffle` delays a little by itself, so that deliveries overtake one another.
    """

    duplicate: float = 0.0
    shuffle: bool = False
    delay_ms: float = 0.0
    seed: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.duplicate <= 1 or self.delay_ms < 0:
            raise ValueError("duplicate is a share between 0 and 1, delay_ms is not negative")


class Disorder:
    def __init__(self) -> None:
        self.obey(DisorderRules())

    def obey(self, rules: DisorderRules) -> None:
        self.rules = rules
        self._random = random.Random(rules.seed)

    def delay_seconds(self) -> float:
        least = _SHUFFLE_MS if self.rules.shuffle else 0.0
        return self._random.uniform(0, max(self.rules.delay_ms, least)) / 1000

    def once_more[Event](self, events: Sequence[Event]) -> list[Event]:
        """Those that shall arrive a second time."""
        return [event for event in events if self._random.random() < self.rules.duplicate]

    def shuffled[Event](
        self, events: Sequence[Event], key: Callable[[Event], object] | None = None
    ) -> list[Event]:
        """In another order; those of one key keep theirs."""
        if not self.rules.shuffle:
            return list(events)
        if key is None:
            return self._random.sample(events, len(events))
        waiting: dict[object, list[Event]] = defaultdict(list)
        for event in events:
            waiting[key(event)].append(event)
        turns = self._random.sample([key(event) for event in events], len(events))
        heads = {name: iter(queue) for name, queue in waiting.items()}
        return [next(heads[name]) for name in turns]
