"""purge: deletes device tokens that a network proved dead, and no others; apart from the sending."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from fanfare.domain import breaker
from fanfare.domain.proof import Proof
from fanfare.runtime import batch, logs, metrics, wire
from fanfare.runtime.batch import BatchResponse, Record, Redelivery, Source
from fanfare.runtime.clock import Clock
from fanfare.store import installations, lanes, outage


@dataclass(frozen=True, slots=True)
class Settings(Redelivery):
    installations_table: str
    recipients_table: str
    lanes_table: str
    purge_source_url: str


def purge_all(records: Sequence[Record], settings: Settings, clock: Clock) -> BatchResponse:
    source = Source(urls=(settings.purge_source_url,), settings=settings, of_aws=outage.of_aws)
    return batch.each(records, lambda record: purge(record, clock), source)


def purge(record: Record, clock: Clock) -> None:
    """Compare and delete, for each proof in the message.

    While the lane's breaker is open its proofs are let go, not kept: when the window has passed they
    would delete what a mistake of ours condemned. For the same reason a doubtful proof that comes later than
    the window is let go. A token that is really dead is proved dead again.
    """
    proofs = wire.decode(list[Proof], record["body"])
    tripped = {
        (app, lane): _tripped(app, lane, clock) for app, lane in {(proof.app, proof.lane) for proof in proofs}
    }
    done: Counter[str] = Counter()
    for proof in proofs:
        done["stopped" if tripped[proof.app, proof.lane] else _judge(proof, clock())] += 1
    if done["stopped"]:
        metrics.count("PurgeStopped", done["stopped"])
    metrics.count("Purged", done["purged"])
    logs.logger().info("proofs", extra={"app": proofs[0].app if proofs else None, **done})


def _tripped(app: str, lane: str, clock: Clock) -> bool:
    """So is a lane that rests since next to every device was refused: no answers come in to count."""
    answers = lanes.recent_answers(app, lane, clock())
    if breaker.tripped(answers.all, answers.doubtful):
        return True
    pause = lanes.pause_of(app, lane)
    return pause is not None and pause.hopeless


def _judge(proof: Proof, now: int) -> str:
    """Delete the installation if the proof is still about it; say what became of the proof."""
    if proof.doubtful and now - proof.sent_at > breaker.WINDOW_MS:
        return "late"
    found = installations.find(proof.app, proof.installation)
    if found is None:
        return "gone"
    if not proof.is_about(found.user, found.registered_at):
        return "outdated"
    return "purged" if installations.remove(found) else "changed"
