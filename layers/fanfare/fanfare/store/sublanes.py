"""Sublanes, in rows of Lanes: users with answers, users with doubtful answers, users with a delivered
push."""

from collections.abc import Sequence, Set
from dataclasses import dataclass

from pynamodb.attributes import BinarySetAttribute, UnicodeSetAttribute
from pynamodb.exceptions import UpdateError
from pynamodb.expressions.condition import Condition, size
from pynamodb.expressions.update import Action

from fanfare.domain.breaker import WINDOW_MINUTES, is_open
from fanfare.domain.doubt import HOUR_MS, evidence_hours
from fanfare.domain.sketch import FULL, LEVELS, estimate, sketch
from fanfare.store import pages
from fanfare.store.lanes import LaneRow
from fanfare.store.row import condition_failed

_MINUTE_MS = 60_000
_LEVELS = (LaneRow.users, LaneRow.users_16, LaneRow.users_256, LaneRow.users_4096)


@dataclass(frozen=True, slots=True)
class Answers:
    """Numbers of users that a sublane answered in the breaker's window, and of those with doubtful
    answers."""

    answered: int
    doubted: int

    @property
    def breaker_open(self) -> bool:
        return is_open(self.answered, self.doubted)


def add_answered(app: str, sublane: str, users: Set[str], at: int, finest: int = 0) -> int:
    """Count users that were answered at `at` (epoch ms).

    `finest` is the finest level of the minute's sketch that may have room; return the one that had.
    """
    return _add(app, sublane, "answered", users, at, finest)


def add_doubted(app: str, sublane: str, users: Set[str], at: int) -> None:
    """Count users with a device that got a doubtful answer at `at` (epoch ms)."""
    _add(app, sublane, "doubted", users, at)


def answers(app: str, sublane: str, now: int) -> Answers:
    """Return the sublane's recent answers, by whole minutes, strongly consistent."""
    minute = now // _MINUTE_MS
    keys = {
        what: [_key(app, sublane, what, minute - back) for back in range(WINDOW_MINUTES + 1)]
        for what in ("answered", "doubted")
    }
    rows = {row.pk: row for row in _rows([key for some in keys.values() for key in some])}
    counts = {
        what: estimate([_of_row(rows[key]) for key in some if key in rows]) for what, some in keys.items()
    }
    return Answers(**counts)


def handed_over(app: str, sublane: str, users: Sequence[str], now: int) -> None:
    """Record the first two users of the hour to whom the sublane delivered something."""
    row = LaneRow(f"{app}#{sublane}#handed#{now // HOUR_MS}")
    few = _fewer_than(2, LaneRow.handed)
    try:
        row.update(
            [LaneRow.handed.add(set(users[:2])), LaneRow.expires.set(now // 1000 + 2 * 86_400)], condition=few
        )
    except UpdateError as error:
        if not condition_failed(error):
            raise


def served(app: str, sublane: str, at: int) -> frozenset[str]:
    """Return users to whom the sublane delivered something in the hours that are evidence for `at` (epoch
    ms)."""
    rows = _rows([f"{app}#{sublane}#handed#{hour}" for hour in evidence_hours(at)])
    return frozenset(user for row in rows for user in row.handed or ())


def _add(app: str, sublane: str, what: str, users: Set[str], at: int, finest: int = 0) -> int:
    """Add the users to the levels of the minute's sketch, from the finest that is not full."""
    row = LaneRow(_key(app, sublane, what, at // _MINUTE_MS))
    levels = sketch(users)
    while finest < LEVELS:
        actions: list[Action] = [LaneRow.expires.set(at // 1000 + 3600)]
        actions += [_LEVELS[n].add(set(levels[n])) for n in range(finest, LEVELS) if levels[n]]
        if len(actions) == 1:
            break
        room = _fewer_than(FULL, _LEVELS[finest])
        try:
            row.update(actions, condition=room)
            break
        except UpdateError as error:
            if not condition_failed(error):
                raise
            finest += 1
    return finest


def _of_row(row: LaneRow) -> list[frozenset[bytes]]:
    levels = (row.users, row.users_16, row.users_256, row.users_4096)
    return [frozenset(one or ()) for one in levels]


def _fewer_than(most: int, attribute: BinarySetAttribute | UnicodeSetAttribute) -> Condition:
    few: Condition = attribute.does_not_exist() | (size(attribute) < most)  # type: ignore[no-untyped-call]
    return few


def _key(app: str, sublane: str, what: str, minute: int) -> str:
    return f"{app}#{sublane}#{what}#{minute}"


def _rows(keys: Sequence[str]) -> list[LaneRow]:
    wanted = [{"pk": {"S": key}} for key in keys]
    return [LaneRow.from_raw_data(item) for item in pages.batch_get(LaneRow.table_name(), wanted)]
