"""purge: deletes device tokens that are dead, on proof, and no others; apart from the sending."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from fanfare.domain import doubt
from fanfare.domain.breaker import WINDOW_MS
from fanfare.domain.doubt import DAY_MS, Mark, Strike
from fanfare.domain.proof import Proof, Report
from fanfare.runtime import codec, logs, metrics, sqs_batch
from fanfare.runtime.clock import Clock
from fanfare.runtime.sqs_batch import BatchResponse, Record, Redelivery, Source
from fanfare.store import aws_failures, installations, sublanes
from fanfare.store.installations import Installation


@dataclass(frozen=True, slots=True)
class PurgeSettings(Redelivery):
    installations_table: str
    recipients_table: str
    lanes_table: str
    purge_source_url: str


def purge_all(records: Sequence[Record], settings: PurgeSettings, clock: Clock) -> BatchResponse:
    source = Source(urls=(settings.purge_source_url,), settings=settings, of_aws=aws_failures.is_aws_at_fault)
    return sqs_batch.each(records, lambda record: purge(record, clock), source)


def purge(record: Record, clock: Clock) -> None:
    """Compare and delete, for each proof in the message.

    A certain proof is acted on at once. A doubtful answer takes two strikes a day apart, evidence that the
    credential is right, and a breaker that is shut; one that comes later than the breaker's window is let go,
    since nothing can be weighed against it any more. A token that is really dead is refused again.
    """
    report = codec.decode(Report, record["body"])
    purged = _Purge(report.app, clock)
    done = purged.all_of(report.proofs)
    if purged.breakers_open:
        metrics.count("DevicesSuspect", len(purged.breakers_open))
    metrics.count("Purged", done["purged"])
    logs.logger().info(
        "proofs", extra={"app": report.app, **done, "breakers_open": sorted(purged.breakers_open)}
    )


@dataclass(slots=True)
class _Purge:
    """The proofs of one message. The rows of a sublane are read once for all of them."""

    app: str
    clock: Clock
    breakers_open: set[str] = field(default_factory=set)
    _served: dict[tuple[str, int], frozenset[str]] = field(default_factory=dict)

    def all_of(self, proofs: Sequence[Proof]) -> Counter[str]:
        """Act on each; return the number of each result.

        The installations may be read as they were a second ago, for half the price: each write is on
        condition of the generation that was read, which every install changes, and a deletion of the mark.
        """
        timely = [one for one in proofs if not one.doubtful or self.clock() - one.sent_at <= WINDOW_MS]
        done = Counter({"late": len(proofs) - len(timely)})
        found = installations.by_id(self.app, {one.installation for one in timely}, consistent=False)
        about: list[tuple[Proof, Installation]] = []
        for proof in timely:
            installation = found.get(proof.installation)
            if installation is None:
                done["gone"] += 1
            elif proof.is_about(installation.user, installation.token_digest, installation.registered_at):
                about.append((proof, installation))
            else:
                done["outdated"] += 1
        self._weigh([(proof, one) for proof, one in about if proof.doubtful])
        done.update(self._act(proof, installation) for proof, installation in about)
        return done

    def _weigh(self, doubted: Sequence[tuple[Proof, Installation]]) -> None:
        """Count the users for the breakers, and see which of these are open.

        Whoever owns a device for less than a day is not counted: anybody can install invented tokens.
        """
        users: dict[str, set[str]] = {}
        for proof, installation in doubted:
            of_sublane = users.setdefault(proof.sublane, set())
            if proof.at - installation.owned_since > DAY_MS:
                of_sublane.add(proof.user)
        for sublane, some in users.items():
            if some:
                sublanes.add_doubted(self.app, sublane, some, self.clock())
            if sublanes.answers(self.app, sublane, self.clock()).breaker_open:
                self.breakers_open.add(sublane)

    def _act(self, proof: Proof, installation: Installation) -> str:
        """Delete or mark the installation if the proof calls for it, and return the result."""
        if not proof.doubtful:
            return "purged" if installations.remove(installation) else "changed"
        match doubt.strike(installation.mark, proof.at, proof.sublane):
            case Strike.FIRST:
                mark = Mark(proof.at, proof.sublane)
                return "marked" if installations.mark(installation, mark) else "changed"
            case Strike.BETWEEN:
                return "marked_already"
            case Strike.SECOND if proof.sublane in self.breakers_open:
                return "breaker_open"
            case Strike.SECOND if not self._others_served(proof):
                return "no_evidence"
            case Strike.SECOND:
                return "purged" if installations.remove(installation) else "changed"

    def _others_served(self, proof: Proof) -> bool:
        hours = (proof.sublane, proof.at // doubt.HOUR_MS)
        if hours not in self._served:
            self._served[hours] = sublanes.served(self.app, proof.sublane, proof.at)
        return bool(self._served[hours] - {proof.user})
