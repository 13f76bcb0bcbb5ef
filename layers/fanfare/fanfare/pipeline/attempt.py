"""One attempt, as values: whom it is for, and what the ledger writes of it."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import assert_never

from fanfare.domain.openness import OpenGroup, Standing, pack, unpack
from fanfare.domain.outcome import OutcomeKind
from fanfare.domain.policy import Exhausted, Settled, StillOpen, Verdict, postponed, verdict
from fanfare.domain.proof import Proof
from fanfare.domain.push import Delivery
from fanfare.pipeline.finding import Addressee
from fanfare.pipeline.sending import Sending, Sent, Waiting
from fanfare.store.ledger import Failure, Lease, State

MAX_FAILURES = 20
"""How many single failures a ledger row tells of."""


@dataclass(slots=True)
class Audience:
    """Who is sent to now, who stays open for later, and how many open devices are no longer there."""

    due: list[tuple[Addressee, Standing]] = field(default_factory=list)
    later: list[tuple[bytes, Standing]] = field(default_factory=list)
    gone: int = 0


def audience(lease: Lease, found: Sequence[Addressee], now: int) -> Audience:
    """Of the devices that are there now: those still open, if an attempt has ended before, and else all."""
    waits = lease.delivery.waits
    if lease.open is None:
        return Audience(due=[(one, Standing(waits=waits)) for one in found])
    standings = unpack(lease.open)
    if lease.delivery.attempt == 1:  # a new round: sent again from a dead letter
        standings = {digest: Standing() for digest in standings}
    result = Audience()
    for one in found:
        standing = standings.pop(one.digest, None)
        if standing is None:
            continue
        if standing.due <= now:
            result.due.append((one, replace(standing, waits=max(standing.waits, waits))))
        else:
            result.later.append((one.digest, standing))
    result.gone = len(standings)
    return result


@dataclass(frozen=True, slots=True)
class Result:
    """What the write that ends the attempt carries: counts of all attempts, and the devices still open."""

    state: State
    groups: list[OpenGroup]
    counts: Counter[str]
    failures: list[Failure]
    lanes: tuple[str, ...] = ()
    """The lanes that all open devices are on; empty where that is not known."""


def result(lease: Lease, gathered: Audience, sending: Sending, *, now: int, max_tries: int) -> Result:
    counts = Counter(lease.counts)
    failures = list(lease.failures)
    still_open = list(gathered.later)
    if gathered.gone:
        counts["gone"] += gathered.gone

    def take_down(addressee: Addressee, before: Standing, became: Verdict) -> None:
        match became:
            case Settled():
                counts[became.count] += 1
            case StillOpen():
                still_open.append((addressee.digest, became.standing))
            case Exhausted():
                still_open.append((addressee.digest, replace(before, tries=max_tries)))
            case _:
                assert_never(became)

    for held in sending.waiting:
        jitter = random.random()
        became = postponed(held.standing, held.delay_ms, now=now, jitter=jitter, reason=held.reason)
        take_down(held.addressee, held.standing, became)
    for one in sending.sent:
        if one.standing.unknown or lease.retakes:
            counts["possibly_doubled"] += 1
        became = verdict(
            one.outcome,
            one.standing,
            now=now,
            max_tries=max_tries,
            jitter=random.random(),
            lane_down=one.lane in sending.down,
        )
        take_down(one.addressee, one.standing, became)
        if one.outcome.kind is not OutcomeKind.DELIVERED and len(failures) < MAX_FAILURES:
            installation = one.addressee.device.installation_id
            failures.append(Failure(installation, one.outcome.kind, one.outcome.reason))
    groups = pack(still_open)
    lanes = _lanes(lease, gathered, (*sending.sent, *sending.waiting), {digest for digest, _ in still_open})
    return Result(_state(groups, max_tries), groups, counts, failures, lanes)


def given_up(lease: Lease, gathered: Audience, max_tries: int) -> Result:
    """An attempt that was killed too often: its devices may have got the push each time."""
    standings = [*((one.digest, standing) for one, standing in gathered.due), *gathered.later]
    groups = pack((digest, replace(standing, tries=max_tries)) for digest, standing in standings)
    state = _state(groups, max_tries)
    return Result(state, groups, Counter(lease.counts), list(lease.failures))


def next_attempt(
    delivery: Delivery, groups: Sequence[OpenGroup], max_tries: int, lanes: tuple[str, ...]
) -> Delivery:
    """The next attempt, when it is worth making."""
    standings = [group.standing for group in groups if group.standing.tries < max_tries]
    due = min(one.due for one in standings)
    return delivery.next_attempt(due, lanes, max(one.waits for one in standings))


def proofs(app: str, sent: Sequence[Sent]) -> list[Proof]:
    """The proofs among the outcomes, as they travel to purge."""
    return [
        Proof(
            app=app,
            installation=one.addressee.device.installation_id,
            user=one.addressee.user,
            at=one.at if one.outcome.proof_at_ms is None else min(one.at, one.outcome.proof_at_ms),
            sent_at=one.at,
            doubtful=one.outcome.doubtful,
            lane=one.lane,
            reason=one.outcome.reason,
        )
        for one in sent
        if one.outcome.kind is OutcomeKind.PURGE_TOKEN and one.lane is not None
    ]


def _lanes(
    lease: Lease, gathered: Audience, seen: Sequence[Sent | Waiting], still_open: set[bytes]
) -> tuple[str, ...]:
    """The lanes that the open devices are on; none where they are not known of all."""
    if gathered.later and not lease.delivery.lanes:
        return ()
    lanes = {one.lane for one in seen if one.lane is not None and one.addressee.digest in still_open}
    return tuple(sorted(lanes.union(lease.delivery.lanes if gathered.later else ())))


def _state(groups: Sequence[OpenGroup], max_tries: int) -> State:
    if not groups:
        return State.DONE
    return State.OPEN if any(group.standing.tries < max_tries for group in groups) else State.DEAD
