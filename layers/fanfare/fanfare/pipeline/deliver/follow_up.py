"""Messages that deliver queues: the next attempt, halves, dead letters, and proofs for purge."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import batched
from typing import assert_never

from fanfare.domain.proof import Proof, Report
from fanfare.domain.push import Delivery
from fanfare.domain.retry_state import OpenGroup
from fanfare.domain.verdict import given_up_in_doubt
from fanfare.pipeline import delivery_queues
from fanfare.pipeline.deliver import attempt
from fanfare.pipeline.deliver.deliver_settings import DeliverSettings
from fanfare.runtime import codec, metrics, queues
from fanfare.runtime.clock import Clock
from fanfare.runtime.queues import MAX_DELAY_S, Outgoing
from fanfare.store.ledger import State

PROOFS_IN_MESSAGE = 100


@dataclass(frozen=True, slots=True)
class Onward:
    settings: DeliverSettings
    clock: Clock

    def report(self, app: str, proofs: Sequence[Proof]) -> None:
        """Queue the proofs for purge, which deletes apart from the sending."""
        messages = [
            Outgoing(codec.encode(Report(app=app, proofs=some)))
            for some in batched(proofs, PROOFS_IN_MESSAGE, strict=False)
        ]
        queues.send_all(self.settings.purge_queue_url, messages)

    def follow(
        self, delivery: Delivery, state: State, groups: Sequence[OpenGroup], lanes: tuple[str, ...] = ()
    ) -> None:
        """Queue the follow-up of an ended attempt; a repeated call does no harm."""
        match state:
            case State.DONE:
                return
            case State.HALVED:
                self.queue(delivery.halves(), 0)
            case State.OPEN:
                following = attempt.next_attempt(delivery, groups, self.settings.max_tries, lanes)
                self.queue([following], following.not_before - self.clock())
            case State.DEAD:
                metrics.count("DeliveryDead")
                letter = Outgoing(codec.encode(delivery.next_round()))
                queues.send_all(self._dead_letters(groups), [letter])
            case _:
                assert_never(state)

    def _dead_letters(self, groups: Sequence[OpenGroup]) -> str:
        """Return the queue of the dead letter: doubtful answers alone have a queue of their own."""
        if all(given_up_in_doubt(group.standing) for group in groups):
            return self.settings.doubt_dead_letter_queue_url
        return self.settings.dead_letter_queue_url

    def queue(self, deliveries: Sequence[Delivery], wait_ms: int) -> None:
        delay_s = min(MAX_DELAY_S, max(0, -(-wait_ms // 1000)))
        delivery_queues.send_all(deliveries, self.settings, delay_s)
