"""The ledger: a row for each delivery, with its lease, attempts and counts; and the cut of a send."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from secrets import token_hex
from typing import Literal

from pynamodb.attributes import BinaryAttribute, JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import PutError, PynamoDBException, UpdateError
from pynamodb.expressions.update import Action

from fanfare.domain.push import TO_USER, Cut, Delivery, Push
from fanfare.domain.retry_state import DIGEST_BYTES, OpenGroup
from fanfare.domain.ring import HEX_DIGITS, Arc
from fanfare.runtime import codec
from fanfare.store import pages
from fanfare.store.row import Row, condition_failed, read

KEPT_S = 30 * 86_400
"""Longer than the dead-letter queue keeps: what is sent again must find its row."""

_CUT = "cut"
GIVEN_UP = "given_up"
"""The sort key of a send's row that says why dispatch gave it up."""


class State(StrEnum):
    OPEN = "open"
    DONE = "done"
    DEAD = "dead"
    HALVED = "halved"


@dataclass(frozen=True, slots=True)
class Failure:
    """One device's failure, for whoever looks into it: the installation ID is not the device token."""

    installation: str
    outcome: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Open:
    """The open devices as the row packs them."""

    groups: Sequence[OpenGroup]
    format: Literal[1] = 1


@dataclass(frozen=True, slots=True)
class _Failures:
    """The failures as the row keeps them."""

    told: Sequence[Failure]
    format: Literal[1] = 1


@dataclass(frozen=True, slots=True)
class Named:
    """The names of a delivery or of a coarse arc, without its content: enough to find its row."""

    app: str
    push: str
    arc: Arc | None = None

    @property
    def key(self) -> tuple[str, str]:
        digit = self.arc.digits[0] if self.arc else HEX_DIGITS[0]
        return f"{self.app}#{self.push}#{digit}", self.arc.id if self.arc else TO_USER


@dataclass(frozen=True, slots=True)
class Lease:
    """An attempt that is ours until `until` (epoch ms); `open` is None before the first attempt has ended."""

    delivery: Delivery
    claim: str
    open: tuple[OpenGroup, ...] | None
    counts: Mapping[str, int]
    failures: tuple[Failure, ...]
    takes: int
    ends: int
    """How many attempts were taken (this one too), and how many of them ended or are accounted for."""
    killed: int
    """How many attempts of all rounds were killed, those of this one not counted."""
    killed_before: int
    """How many of them were killed before this round began."""

    @property
    def retakes(self) -> int:
        """How often this attempt was held before and never ended: what it sent then is not known."""
        return self.takes - self.ends - 1

    @property
    def killed_in_round(self) -> int:
        """How many attempts of this round were killed, the retakes of this attempt included."""
        return self.killed - self.killed_before + self.retakes


@dataclass(frozen=True, slots=True)
class Held:
    """Another environment holds the lease of this attempt."""


@dataclass(frozen=True, slots=True)
class Ended:
    """This attempt has ended: what should follow may still have to be queued."""

    state: State
    open: tuple[OpenGroup, ...]
    attempt: int
    round: int


class LeaseLost(Exception):
    """The attempt took longer than its lease, and another has taken it over."""


class LedgerRow(Row):
    class Meta:
        table_name = None
        setting = "ledger_table"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    cut = UnicodeAttribute(null=True)
    state = UnicodeAttribute(null=True)
    round = NumberAttribute(null=True)
    ended = NumberAttribute(null=True)
    """The last attempt that has ended, in this round."""
    takes = NumberAttribute(null=True)
    ends = NumberAttribute(null=True)
    """How many attempts were taken in all rounds, and how many of them are accounted for: those in between
    were killed."""
    killed = NumberAttribute(null=True)
    """How many attempts were killed in all: what they sent is not known."""
    killed_before = NumberAttribute(null=True)
    """How many of them were killed before the round that is open, or is to come, began."""
    reason = UnicodeAttribute(null=True)
    """Why the row's delivery or arc, or its whole send, was given up without an attempt."""
    stands_for = NumberAttribute(null=True)
    """How many deliveries a coarse arc would have become."""
    claim = UnicodeAttribute(null=True)
    lease_until = NumberAttribute(null=True)
    open = BinaryAttribute(null=True, legacy_encoding=False)
    counts = JSONAttribute(null=True)
    failures = UnicodeAttribute(null=True)
    expires = NumberAttribute()


def decide_cut(push: Push, cut: Cut) -> Cut:
    """Write how the send is cut, unless that is decided: the answer is the decision that stands."""
    key = (f"{push.app}#{push.id}#{HEX_DIGITS[0]}", _CUT)
    row = LedgerRow(*key, cut=codec.encode(cut).decode(), expires=push.at // 1000 + KEPT_S)
    try:
        row.save(condition=LedgerRow.pk.does_not_exist())
    except PutError as error:
        if not condition_failed(error):
            raise
        standing = read(LedgerRow, *key)
        if standing is not None and standing.cut is not None:
            return codec.decode(Cut, standing.cut)
    return cut


def take(delivery: Delivery, now: int, lease_ms: int) -> Lease | Held | Ended:
    """Take an attempt of a delivery with a lease, or say why not.

    An attempt that was given up can be taken like one that nobody began.
    """
    row = _key(delivery)
    before = delivery.attempt - 1
    waiting = (LedgerRow.state == State.OPEN) | LedgerRow.reason.exists()
    mine = (
        waiting
        & (LedgerRow.round == delivery.round)
        & (LedgerRow.ended == before)
        & (LedgerRow.lease_until < now)
    )
    if before == 0:
        again = (LedgerRow.state == State.DEAD) & (LedgerRow.round == delivery.round - 1)
        mine = LedgerRow.pk.does_not_exist() | mine | again
    claim = token_hex(8)
    try:
        row.update(
            [
                LedgerRow.state.set(State.OPEN),
                LedgerRow.round.set(delivery.round),
                LedgerRow.ended.set(before),
                LedgerRow.claim.set(claim),
                LedgerRow.lease_until.set(now + lease_ms),
                LedgerRow.takes.add(1),
                LedgerRow.reason.remove(),
                LedgerRow.expires.set(now // 1000 + KEPT_S),
            ],
            condition=mine,
        )
    except UpdateError as error:
        if not condition_failed(error):
            with suppress(PynamoDBException):  # it may have been written all the same
                _release(row, claim)
            raise
        return _refusal(delivery, claim)
    try:
        return _lease(delivery, row)
    except codec.DecodeError:  # of a format that this release does not know: nobody works on it
        _release(row, claim)
        raise


def end(
    lease: Lease,
    state: State,
    groups: Sequence[OpenGroup],
    counts: Mapping[str, int],
    failures: Sequence[Failure],
) -> None:
    """End the attempt: one write with what came out; only after it the next attempt may be queued.

    Raises LeaseLost.
    """
    row = _key(lease.delivery)
    killed = lease.killed + lease.retakes
    actions: list[Action] = [
        LedgerRow.state.set(state),
        LedgerRow.ended.set(lease.delivery.attempt),
        LedgerRow.ends.set(lease.takes),
        LedgerRow.lease_until.set(0),
        LedgerRow.killed.set(killed),
        LedgerRow.counts.set(dict(counts)),
        LedgerRow.open.set(codec.pack(_Open(groups))) if groups else LedgerRow.open.remove(),
    ]
    if state is State.DEAD:  # from which a new round may begin
        actions.append(LedgerRow.killed_before.set(killed))
    if failures:
        actions.append(LedgerRow.failures.set(codec.encode(_Failures(failures)).decode()))
    try:
        row.update(actions, condition=LedgerRow.claim == lease.claim)
    except UpdateError as error:
        if condition_failed(error):
            raise LeaseLost(f"{lease.delivery.push.id} {lease.delivery.id}") from error
        raise


def release(lease: Lease) -> None:
    """Give the attempt back as if it had not been taken: nothing was sent, and it can be taken at once."""
    _release(_key(lease.delivery), lease.claim)


def forgive(lease: Lease) -> None:
    """Give the attempt back, and count its kills anew from here on: it is given up, and may come again."""
    _release(_key(lease.delivery), lease.claim, LedgerRow.killed_before.set(lease.killed + lease.retakes))


def _release(row: LedgerRow, claim: str, *more: Action) -> None:
    """The claim goes with it: a repetition of the request finds it gone."""
    actions: list[Action] = [LedgerRow.takes.add(-1), LedgerRow.lease_until.set(0), LedgerRow.claim.remove()]
    actions += more
    try:
        row.update(actions, condition=LedgerRow.claim == claim)
    except UpdateError as error:
        if not condition_failed(error):
            raise


def status(app: str, message_id: str) -> tuple[Cut | None, list[LedgerRow]]:
    """The cut of a send and the rows of its deliveries: the message's status, exact at every moment."""
    rows = [
        LedgerRow.from_raw_data(item)
        for digit in HEX_DIGITS
        for item in pages.query(LedgerRow.table_name(), f"{app}#{message_id}#{digit}")
    ]
    cuts = [codec.decode(Cut, row.cut) for row in rows if row.cut is not None]
    return (cuts[0] if cuts else None), [row for row in rows if row.cut is None]


def failures_of(row: LedgerRow) -> Sequence[Failure]:
    return codec.decode(_Failures, row.failures).told if row.failures else ()


def devices_left(row: LedgerRow) -> int:
    """How many devices of a delivery are still open; of a dead one, how many it gave up."""
    return sum(len(group.digests) for group in open_of(row)) // DIGEST_BYTES


def _refusal(delivery: Delivery, claim: str) -> Lease | Held | Ended:
    """Why an attempt cannot be taken; or that it is ours, taken by a write whose answer was lost."""
    key = _key(delivery)
    row = read(LedgerRow, key.pk, key.sk)
    if row is None or row.state is None:
        return Held()
    if row.claim == claim:
        return _lease(delivery, row)
    place = (int(row.round or 0), int(row.ended or 0))
    if row.state == State.OPEN and place < (delivery.round, delivery.attempt):
        return Held()
    return Ended(State(row.state), open_of(row), place[1], place[0])


def _lease(delivery: Delivery, row: LedgerRow) -> Lease:
    ends = int(row.ends or 0)
    return Lease(
        delivery=delivery,
        claim=row.claim or "",
        open=open_of(row) if ends else None,
        counts=dict(row.counts or {}),
        failures=tuple(failures_of(row)),
        takes=int(row.takes or 0),
        ends=ends,
        killed=int(row.killed or 0),
        killed_before=int(row.killed_before or 0),
    )


def open_of(row: LedgerRow) -> tuple[OpenGroup, ...]:
    """The devices of a delivery that are still open, or that it gave up, as they stand."""
    return tuple(codec.unpack(_Open, row.open).groups) if row.open else ()


def _key(delivery: Delivery) -> LedgerRow:
    return LedgerRow(*Named(delivery.push.app, delivery.push.id, delivery.arc).key)
