"""One attempt, as values: its devices, and the state that it leaves in the ledger."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import assert_never

from fanfare.domain.addressee import Addressee
from fanfare.domain.outcome.consequence import OutcomeKind, PurgeTarget
from fanfare.domain.proof import Proof
from fanfare.domain.push import Delivery
from fanfare.domain.retry_state import OpenGroup, Standing, pack, unpack
from fanfare.domain.verdict import MAX_UNKNOWN, Exhausted, Settled, StillOpen, Verdict, postponed, verdict
from fanfare.pipeline.deliver.devices import Due, Sent, Share, Waiting
from fanfare.store.ledger import Failure, Lease, State

MAX_FAILURES = 20
"""Most single failures that a ledger row lists."""


@dataclass(slots=True)
class Audience:
    """The devices that are due now, those that stay open, and the number of open ones that are gone."""

    due: list[Due] = field(default_factory=list)
    later: list[tuple[bytes, Standing]] = field(default_factory=list)
    gone: int = 0


def audience(lease: Lease, found: Sequence[Addressee], *, now: int, max_tries: int, of: int = 0) -> Audience:
    """Return the devices that are still there and still open; all, if no attempt has ended before.

    Devices without tries or repeats left stay open, and end in the dead letter.
    """
    waits, first = lease.delivery.waits, lease.delivery.attempt == 1
    if lease.open is None:
        fresh = Standing(waits=waits)
        return Audience(due=[Due(one, fresh, of, first) for one in found])
    standings = unpack(lease.open)
    if first:  # a new round: sent again from a dead letter
        standings = {
            digest: Standing(silent=int(before.maybe_delivered)) for digest, before in standings.items()
        }
    result = Audience()
    for one in found:
        standing = standings.pop(one.digest, None)
        if standing is None:
            continue
        if standing.due <= now and standing.unknown + lease.killed_in_round > MAX_UNKNOWN:
            result.later.append((one.digest, replace(standing, tries=max_tries)))
        elif standing.due <= now and standing.tries < max_tries:
            result.due.append(Due(one, replace(standing, waits=max(standing.waits, waits)), of, first))
        else:
            result.later.append((one.digest, standing))
    result.gone = len(standings)
    return result


@dataclass(frozen=True, slots=True)
class Result:
    """The end of the attempt as it is written: counts of all attempts, and the open devices."""

    state: State
    groups: list[OpenGroup]
    counts: Counter[str]
    failures: list[Failure]
    lanes: tuple[str, ...] = ()
    """The lanes of all open devices; empty if one of them is unknown."""


@dataclass(slots=True)
class _Tally:
    """Running counts of all attempts so far, the listed failures, and the open devices."""

    counts: Counter[str]
    failures: list[Failure]
    still_open: list[tuple[bytes, Standing]]

    def take_down(self, due: Due, became: Verdict) -> None:
        match became:
            case Settled():
                self.counts[became.count] += 1
            case StillOpen():
                self.still_open.append((due.addressee.digest, became.standing))
            case Exhausted():
                self.still_open.append((due.addressee.digest, became.standing))
            case _:
                assert_never(became)

    def tell(self, sent: Sent) -> None:
        if len(self.failures) < MAX_FAILURES:
            installation = sent.due.addressee.device.installation_id
            self.failures.append(Failure(installation, sent.outcome.kind, sent.outcome.reason))


def result(lease: Lease, gathered: Audience, share: Share, *, now: int, max_tries: int) -> Result:
    tally = _Tally(Counter(lease.counts), list(lease.failures), list(gathered.later))
    # One for all: devices that failed together are tried again together, and are one group in the row.
    jitter = random.random()
    delivered = 0
    for held in share.waiting:
        became = postponed(held.due.standing, held.delay_ms, now=now, max_tries=max_tries, jitter=jitter)
        tally.take_down(held.due, became)
    for one in share.sent:
        processed = one.lane is not None and one.outcome.spends_attempt
        if processed and (one.due.standing.maybe_delivered or lease.retakes):
            tally.counts["possibly_doubled"] += 1
        if one.outcome.kind is OutcomeKind.DELIVERED:
            delivered += 1
            continue
        became = verdict(
            one.outcome,
            one.due.standing,
            now=now,
            max_tries=max_tries,
            jitter=jitter,
            lane_down=one.lane in share.down,
            breaker_open=one.breaker_open,
        )
        tally.take_down(one.due, became)
        tally.tell(one)
    tally.counts.update({"gone": gathered.gone, "delivered": delivered})
    groups = pack(tally.still_open)
    lanes = _lanes(lease, share, tally.still_open, max_tries)
    return Result(_state(groups, max_tries), groups, +tally.counts, tally.failures, lanes)


def given_up(lease: Lease, gathered: Audience, max_tries: int) -> Result:
    """Return the end of an attempt that was killed too often: each time its devices may have got the push."""
    due = [(one.addressee.digest, one.standing) for one in gathered.due]
    standings = [*due, *gathered.later]
    groups = pack((digest, replace(standing, tries=max_tries)) for digest, standing in standings)
    state = _state(groups, max_tries)
    counts = Counter(lease.counts) + Counter(gone=gathered.gone)
    return Result(state, groups, counts, list(lease.failures))


def next_attempt(
    delivery: Delivery, groups: Sequence[OpenGroup], max_tries: int, lanes: tuple[str, ...]
) -> Delivery:
    """Return the next attempt, due when the first open devices are."""
    standings = [group.standing for group in groups if group.standing.tries < max_tries]
    # If fewer tries are allowed than before, no device may have one left: the next attempt ends it.
    standings = standings or [group.standing for group in groups]
    due = min(one.due for one in standings)
    return delivery.next_attempt(due, lanes, max(one.waits for one in standings))


def proofs(sent: Sequence[Sent]) -> list[Proof]:
    """Return the proofs and doubtful answers about device tokens, as they travel to purge."""
    return [
        Proof(
            installation=one.due.addressee.device.installation_id,
            user=one.due.addressee.user,
            token=one.due.addressee.device.token_digest,
            at=one.at if one.outcome.proof_at_ms is None else min(one.at, one.outcome.proof_at_ms),
            sent_at=one.at,
            sublane=one.sublane,
            reason=one.outcome.reason,
            doubtful=one.outcome.kind is OutcomeKind.SUSPECT,
        )
        for one in sent
        if one.outcome.purge_target is PurgeTarget.DEVICE_TOKEN
    ]


def _lanes(
    lease: Lease, share: Share, still_open: Sequence[tuple[bytes, Standing]], max_tries: int
) -> tuple[str, ...]:
    """Return the lanes of the devices that are tried again; none if one of them is unknown."""
    again = {digest for digest, standing in still_open if standing.tries < max_tries}
    seen: list[Sent | Waiting] = [*share.sent, *share.waiting]
    lane_of = {one.due.addressee.digest: one.lane for one in seen if one.lane is not None}
    lanes = {lane_of[digest] for digest in again & lane_of.keys()}
    if again - lane_of.keys():  # some were not due
        if not lease.delivery.lanes:
            return ()
        lanes |= set(lease.delivery.lanes)
    return tuple(sorted(lanes))


def _state(groups: Sequence[OpenGroup], max_tries: int) -> State:
    if not groups:
        return State.DONE
    return State.OPEN if any(group.standing.tries < max_tries for group in groups) else State.DEAD
