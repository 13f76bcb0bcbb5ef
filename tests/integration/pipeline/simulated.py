"""Hours in a second: the delivery queues in this process, with their delays, on the world's clock."""

import heapq
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count

from fanfare.domain.addressee import Addressee
from fanfare.domain.device import Environment, Network
from fanfare.domain.outcome.consequence import Outcome
from fanfare.domain.push import Delivery, Push
from fanfare.networks.result import Result
from fanfare.pipeline.deliver.deliverer import Deliverer
from fanfare.pipeline.lanes.probe import PROBE
from fanfare.pipeline.senders.sender import LaneSender
from fanfare.runtime import codec
from fanfare.runtime.queues import Outgoing
from fanfare.store import ledger
from tests.integration.pipeline.conftest import APP, Clock, World, deliver_one

ATTEMPT_S = 57.0
ANSWER_S = 15.0
"""Time that a request waits for its answer."""

type Answers = Callable[[str, int], Result | None]
"""The answer to a device token or to a probe (PROBE.id) at a moment (epoch ms); None: none ever comes."""


@dataclass(slots=True)
class Attempted:
    """One push that a network got, answered or not."""

    token: str
    at: int
    message: str
    result: Result


@dataclass(slots=True)
class SimulatedLane:
    """Takes its time: a request that is not answered takes as long as one waits for it."""

    lane: str
    clock: Clock
    answers: Answers
    silence: Result
    sent: list[Attempted]
    probed_at: list[int] = field(default_factory=list)

    def sublane(self, addressee: Addressee, outcome: Outcome) -> str:
        return self.lane

    def prepare(self, deadline_s: float) -> None: ...

    def send(
        self, push: Push, addressees: Sequence[Addressee], deadline_s: float, *, apart: bool
    ) -> list[Result]:
        probe = push.id == PROBE.id
        tokens = [PROBE.id] if probe else [one.device.token for one in addressees]
        at = self.clock()
        results = [self.answers(token, at) or self.silence for token in tokens]
        if probe:
            self.probed_at.append(at)
        else:
            self.sent += [
                Attempted(token, at, push.id, result) for token, result in zip(tokens, results, strict=True)
            ]
        if self.silence in results:
            self.clock.go_on(min(ANSWER_S, deadline_s))
        return results


@dataclass(slots=True)
class Simulation:
    """`deliverers` are taken in turn, as environments of one fleet."""

    world: World
    silence: Result
    answers: dict[Network, Answers] = field(default_factory=dict)
    lanes: dict[str, SimulatedLane] = field(default_factory=dict)
    sent: list[Attempted] = field(default_factory=list)
    deliverers: list[Deliverer] = field(default_factory=list)
    letters: list[Delivery] = field(default_factory=list)
    reported: list[bytes] = field(default_factory=list)
    """Messages for purge."""
    metrics: Counter[str] = field(default_factory=Counter)
    _queue: list[tuple[int, int, Delivery]] = field(default_factory=list)
    _numbers: "count[int]" = field(default_factory=count)

    def of(self, app: str, network: Network, environment: Environment) -> LaneSender | None:
        name = f"{network}:{environment}"
        if name not in self.lanes:
            answers = self.answers[network]
            self.lanes[name] = SimulatedLane(name, self.world.clock, answers, self.silence, self.sent)
        return self.lanes[name]

    def send_all(self, url: str, messages: Sequence[Outgoing]) -> None:
        """Stands for queues.send_all."""
        resources: Mapping[str, str] = self.world.resources
        for one in messages:
            if url in (resources["ExpressQueue"], resources["BulkQueue"]):
                self.queue(codec.decode(Delivery, one.body), self.world.clock() + 1000 * one.delay_s)
            elif url == resources["DeliveryDeadLetters"]:
                self.letters.append(codec.decode(Delivery, one.body))
            else:
                self.reported.append(one.body)

    def count(self, name: str, value: int = 1) -> None:
        """Stands for metrics.count."""
        self.metrics[name] += value

    def queue(self, delivery: Delivery, at: int) -> None:
        heapq.heappush(self._queue, (at, next(self._numbers), delivery))

    def run(self, until: int | None = None) -> None:
        """Play the queue to its end, or to that moment (epoch ms)."""
        for taken in count():
            if not self._queue or (until is not None and self._queue[0][0] > until):
                return
            at, _, delivery = heapq.heappop(self._queue)
            self.world.clock.at = max(self.world.clock.at, at)
            ends = self.world.clock() + int(1000 * ATTEMPT_S)
            deliverer = self.deliverers[taken % len(self.deliverers)]
            deliver_one(deliverer, delivery, partial(self._left_s, ends))

    def _left_s(self, ends: int) -> float:
        return (ends - self.world.clock()) / 1000

    def sends(self, message: str) -> int:
        return sum(one.message == message for one in self.sent)

    def counts(self, message: str) -> Counter[str]:
        total: Counter[str] = Counter()
        for row in ledger.status(APP, message)[1]:
            total.update(row.counts or {})
        return total
