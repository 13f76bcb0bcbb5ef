"""The ledger's rows of work that was given up without an attempt: a delivery, a coarse arc, a whole send.

Each row holds the reason, and lets the same message go on from there when it comes again.
"""

from pynamodb.exceptions import DeleteError, UpdateError

from fanfare.domain.ring import HEX_DIGITS
from fanfare.store.ledger import GIVEN_UP, KEPT_S, LedgerRow, Named, State
from fanfare.store.row import condition_failed, read


def delivery(named: Named, *, round: int, attempt: int, reason: str, now: int) -> bool:
    """Record that an attempt is given up, unless it has ended in another way by now.

    The row is dead, and the same attempt can still be taken. Returns False if another environment holds its
    lease.
    """
    row = LedgerRow(*named.key)
    mine = (
        (LedgerRow.state == State.OPEN)
        & (LedgerRow.round == round)
        & LedgerRow.ended.is_in(attempt - 1, attempt)
        & (LedgerRow.lease_until < now)
    )
    try:
        row.update(
            [
                LedgerRow.state.set(State.DEAD),
                LedgerRow.reason.set(reason),
                LedgerRow.round.set(round),
                LedgerRow.ended.set(LedgerRow.ended | (attempt - 1)),
                LedgerRow.lease_until.set(0),
                LedgerRow.expires.set(_expires(now)),
            ],
            condition=LedgerRow.pk.does_not_exist() | mine,
        )
    except UpdateError as error:
        if not condition_failed(error):
            raise
        standing = read(LedgerRow, *named.key)
        return standing is None or standing.state != State.OPEN or (standing.lease_until or 0) < now
    return True


def coarse(named: Named, *, deliveries: int, reason: str, now: int) -> None:
    """Record a coarse arc that is not cut, with the number of deliveries that it stands for."""
    LedgerRow(
        *named.key, state=State.DEAD, stands_for=deliveries, reason=reason, expires=_expires(now)
    ).save()


def coarse_comes_again(named: Named) -> None:
    """Remove the record of a coarse arc that is cut after all: its deliveries get rows of their own."""
    try:
        LedgerRow(*named.key).delete(condition=LedgerRow.stands_for.exists())
    except DeleteError as error:
        if not condition_failed(error):
            raise


def send(app: str, message_id: str, *, reason: str, now: int) -> None:
    """Record that dispatch gave the whole send up."""
    _send(app, message_id, reason, now)


def send_comes_again(app: str, message_id: str, *, now: int) -> None:
    """Record that a send, given up by dispatch or by its stream, is dispatched after all: the row stays,
    without a reason."""
    _send(app, message_id, None, now)


def _send(app: str, message_id: str, reason: str | None, now: int) -> None:
    pk = f"{app}#{message_id}#{HEX_DIGITS[0]}"
    LedgerRow(pk, GIVEN_UP, reason=reason, expires=_expires(now)).save()


def _expires(now: int) -> int:
    return now // 1000 + KEPT_S
