"""What became of a send: the rows of its deliveries, added up."""

from collections import Counter

from fanfare.domain.push import Cut, Push
from fanfare.runtime import wire
from fanfare.store import ledger
from fanfare.store.ledger import Failure, LedgerRow, State

MAX_FAILURES = 100
"""How many single failures a status tells of."""


def told(push: Push, cut: Cut | None, rows: list[LedgerRow]) -> dict[str, object]:
    """`accepted` before it is known how many deliveries there are, `ended` once all are done or dead."""
    states = Counter(State(row.state) for row in rows if row.state is not None)
    deliveries: dict[str, int] = {"done": states[State.DONE], "dead": states[State.DEAD]}
    state = "accepted"
    if push.user is not None or cut is not None:
        # A halved delivery is two, and its own row stays.
        deliveries["total"] = (1 if cut is None else 1 << cut.bits) + states[State.HALVED]
        ended = deliveries["done"] + deliveries["dead"] == deliveries["total"]
        state = "ended" if ended else "sending"
    counts: Counter[str] = Counter()
    failures: list[Failure] = []
    for row in rows:
        counts.update(row.counts or {})
        if row.state and row.open:
            counts[row.state] += ledger.devices_left(row)
        failures += wire.decode(list[Failure], row.failures) if row.failures else []
    return {
        "pushMessageID": push.id,
        "sentAt": push.at,
        "state": state,
        "deliveries": deliveries,
        "devices": counts,
        "failures": [
            {"installationID": one.installation, "outcome": one.outcome, "reason": one.reason}
            for one in failures[:MAX_FAILURES]
        ],
    }
