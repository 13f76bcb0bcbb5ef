"""The ledger: a row for each delivery with its lease, attempts and counts; and the cut of a send."""

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
"""Longer than the dead-letter queue keeps messages: a delivery that is sent again must find its row."""

_CUT = "cut"
GIVEN_UP = "given_up"
"""Sort key of the row with the reason why dispatch gave a send up."""


class State(StrEnum):
    OPEN = "open"
    DONE = "done"
    DEAD = "dead"
    HALVED = "halved"


@dataclass(frozen=True, slots=True)
class Failure:
    """One device's failure, for operators; the installation ID does not reveal the device token."""

    installation: str
    outcome: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Open:
    """The open devices in the row's packed form."""

    groups: Sequence[OpenGroup]
    format: Literal[1] = 1


@dataclass(frozen=True, slots=True)
class _Failures:
    """The failures as the row keeps them."""

    told: Sequence[Failure]
    format: Literal[1] = 1


@dataclass(frozen=True, slots=True)
class Named:
    """Names of a delivery or a coarse arc without its content: enough to find its row."""

    app: str
    push: str
    arc: Arc | None = None

    @property
    def key(self) -> tuple[str, str]:
        digit = self.arc.digits[0] if self.arc else HEX_DIGITS[0]
        return f"{self.app}#{self.push}#{digit}", self.arc.id if self.arc else TO_USER


@dataclass(frozen=True, slots=True)
class Lease:
    """An attempt that is leased until its lease ends; `open` is None before the first attempt has ended."""

    delivery: Delivery
    claim: str
    open: tuple[OpenGroup, ...] | None
    counts: Mapping[str, int]
    failures: tuple[Failure, ...]
    takes: int
    ends: int
    """Number of attempts taken, this one included (`takes`), and of those that ended or are accounted for."""
    killed: int
    """Number of killed attempts in all rounds, without those of this attempt."""
    killed_before: int
    """Number of attempts killed before this round began."""

    @property
    def retakes(self) -> int:
        """Number of earlier leases of this attempt that never ended; their sends are not known."""
        return self.takes - self.ends - 1

    @property
    def killed_in_round(self) -> int:
        """Number of killed attempts in this round, the retakes of this attempt included."""
        return self.killed - self.killed_before + self.retakes


@dataclass(frozen=True, slots=True)
class Held:
    """The attempt cannot be taken now: it is leased, or the attempt before it has not ended."""


@dataclass(frozen=True, slots=True)
class Ended:
    """This attempt has ended; its next step may still have to be queued."""

    state: State
    open: tuple[OpenGroup, ...]
    attempt: int
    round: int


class LeaseLost(Exception):
    """The attempt took longer than its lease, and another environment has taken it over."""


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
    """Number of the last attempt of this round that has ended."""
    takes = NumberAttribute(null=True)
    ends = NumberAttribute(null=True)
    """Number of attempts taken in all rounds, and of those accounted for; the difference was killed."""
    killed = NumberAttribute(null=True)
    """Number of killed attempts in all rounds; their sends are not known."""
    killed_before = NumberAttribute(null=True)
    """Number of attempts killed before the round that is open, or the next one, began."""
    reason = UnicodeAttribute(null=True)
    """Reason why the row's delivery or arc, or its whole send, was given up without an attempt."""
    stands_for = NumberAttribute(null=True)
    """Number of deliveries that a coarse arc would have become."""
    claim = UnicodeAttribute(null=True)
    lease_until = NumberAttribute(null=True)
    open = BinaryAttribute(null=True, legacy_encoding=False)
    counts = JSONAttribute(null=True)
    failures = UnicodeAttribute(null=True)
    expires = NumberAttribute()


def decide_cut(push: Push, cut: Cut) -> Cut:
    """Write the cut of the send unless one is decided; return the cut that stands."""
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
    """Lease an attempt of a delivery; return Held or Ended if that is not possible.

    An attempt that was given up can be taken like one that never began.
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
    except codec.DecodeError:  # a format that this release does not know: the attempt stays free
        _release(row, claim)
        raise


def end(
    lease: Lease,
    state: State,
    groups: Sequence[OpenGroup],
    counts: Mapping[str, int],
    failures: Sequence[Failure],
) -> None:
    """End the attempt: one write with its results, after which the next attempt may be queued.

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
    if state is State.DEAD:  # a new round may begin from here
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
    """Give the attempt back as if it had never been taken: nothing was sent, and it can be taken at once."""
    _release(_key(lease.delivery), lease.claim)


def forgive(lease: Lease) -> None:
    """Give the attempt back and restart the count of its kills: it is given up, and may come again."""
    _release(_key(lease.delivery), lease.claim, LedgerRow.killed_before.set(lease.killed + lease.retakes))


def _release(row: LedgerRow, claim: str, *more: Action) -> None:
    """Give the lease back. The claim goes too: a repetition of the request changes nothing."""
    actions: list[Action] = [LedgerRow.takes.add(-1), LedgerRow.lease_until.set(0), LedgerRow.claim.remove()]
    actions += more
    try:
        row.update(actions, condition=LedgerRow.claim == claim)
    except UpdateError as error:
        if not condition_failed(error):
            raise


def status(app: str, message_id: str) -> tuple[Cut | None, list[LedgerRow]]:
    """Return a send's cut and the rows of its deliveries: its status, exact at every moment."""
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
    """Number of devices of a delivery that are still open, or of a dead one that were given up."""
    return sum(len(group.digests) for group in open_of(row)) // DIGEST_BYTES


def _refusal(delivery: Delivery, claim: str) -> Lease | Held | Ended:
    """Tell why an attempt cannot be taken; or return its lease, if only the answer to our write was lost."""
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
    """Return the devices of a delivery that are open, or that it gave up, by their state."""
    return tuple(codec.unpack(_Open, row.open).groups) if row.open else ()


def _key(delivery: Delivery) -> LedgerRow:
    return LedgerRow(*Named(delivery.push.app, delivery.push.id, delivery.arc).key)
