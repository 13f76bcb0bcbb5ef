"""The status of a send: a sum over the rows of its deliveries."""

from collections import Counter
from collections.abc import Sequence

from fanfare.domain.push import Cut, Push
from fanfare.domain.ring import Arc
from fanfare.store import ledger
from fanfare.store.ledger import GIVEN_UP, KEPT_S, Failure, LedgerRow, State

MAX_FAILURES = 100
"""Maximum number of failures of single devices in a status."""

STREAM_KEEPS_MS = 25 * 3_600_000
"""A stream keeps a record for a day; an hour later it cannot deliver it any more."""

QUEUE_KEEPS_MS = 11 * 86_400_000
"""A queue keeps a message for ten days; by then a delivery has a row, or SQS has lost it."""


def told(push: Push, cut: Cut | None, rows: Sequence[LedgerRow], now: int) -> dict[str, object]:
    """Return the status, with the state `accepted` before the number of deliveries is known, `ended` once all
    are done or dead, and `given_up` if nothing is under way any more."""
    deliveries, given_up = _deliveries(push, cut, rows)
    total = deliveries.get("total")
    if total is not None and deliveries["done"] + deliveries["dead"] == total:
        state = "ended"
    elif reason := _lost(push, cut, rows, now):
        state = "given_up"
        given_up[reason] += 1 if total is None else total - deliveries["done"] - deliveries["dead"]
    else:
        state = "accepted" if total is None else "sending"
    counts: Counter[str] = Counter()
    failures: list[Failure] = []
    for row in rows:
        counts.update(row.counts or {})
        if row.state and row.open:
            counts[row.state] += ledger.devices_left(row)
        failures += ledger.failures_of(row)
    return {
        "pushMessageID": push.id,
        "sentAt": push.at,
        "state": state,
        "deliveries": deliveries,
        "givenUp": given_up,
        "devices": counts,
        "failures": [
            {"installationID": one.installation, "outcome": one.outcome, "reason": one.reason}
            for one in failures[:MAX_FAILURES]
        ],
    }


def _deliveries(
    push: Push, cut: Cut | None, rows: Sequence[LedgerRow]
) -> tuple[dict[str, int], Counter[str]]:
    """Return the numbers of deliveries done, dead and in total, and of those given up without an attempt, by
    reason. A halved delivery counts as two, and its own row stays."""
    own = _of_deliveries(rows)
    states = Counter(State(row.state) for row in own)
    given_up = Counter(row.reason for row in own if row.reason is not None)
    if cut is not None:
        given_up += _not_cut(cut, rows)
    lost = given_up.total() - sum(row.reason is not None for row in own)
    deliveries = {"done": states[State.DONE], "dead": states[State.DEAD] + lost}
    if push.user is not None or cut is not None:
        deliveries["total"] = (1 if cut is None else 1 << cut.bits) + states[State.HALVED]
    return deliveries, given_up


def _of_deliveries(rows: Sequence[LedgerRow]) -> list[LedgerRow]:
    return [row for row in rows if row.state is not None and row.stands_for is None]


def _not_cut(cut: Cut, rows: Sequence[LedgerRow]) -> Counter[str]:
    """Return the number of deliveries that given-up coarse arcs still stand for, by reason.

    A coarse arc within another counts with that one; an arc with a row of its own was cut after all.
    """
    coarse = {Arc.of_id(row.sk): row.reason or "" for row in rows if row.stands_for is not None}
    outermost = {arc: reason for arc, reason in coarse.items() if _within(arc, coarse) is None}
    left = Counter({arc: 1 << (cut.bits - arc.bits) for arc in outermost})
    if not outermost:
        return Counter()
    for row in _of_deliveries(rows):
        arc = Arc.of_id(row.sk)
        holder = _within(arc, outermost) if arc.bits == cut.bits else None
        if holder is not None:
            left[holder] -= 1
    given_up: Counter[str] = Counter()
    for arc, count in left.items():
        given_up[outermost[arc]] += count
    return +given_up


def _within(arc: Arc, arcs: dict[Arc, str]) -> Arc | None:
    """Return the coarsest of the arcs that contain this one, itself excluded."""
    return next((one for bits in range(arc.bits) if (one := arc.around(bits)) in arcs), None)


def _lost(push: Push, cut: Cut | None, rows: Sequence[LedgerRow], now: int) -> str | None:
    """Return the reason why nothing is under way though deliveries are missing; None if something is."""
    begun = cut is not None or any(row.state is not None for row in rows)
    of_send = next((row for row in rows if row.sk == GIVEN_UP), None)
    if of_send is not None and of_send.reason is not None and not begun:
        return of_send.reason
    last_sign = max([push.at, *(1000 * (int(row.expires) - KEPT_S) for row in rows)])
    if not begun and now - last_sign > STREAM_KEEPS_MS:
        return "stream"
    return "queue" if now - last_sign > QUEUE_KEEPS_MS else None
