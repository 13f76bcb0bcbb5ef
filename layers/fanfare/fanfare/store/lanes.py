"""Lanes: what the fleet has to know of a lane: paused until when and why, and the breaker's counts."""

from dataclasses import dataclass

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from fanfare.domain.breaker import WINDOW_MINUTES
from fanfare.store import pages
from fanfare.store.row import Row, read

_MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Answers:
    """What a lane answered in the breaker's window: all answers, and the doubtful proofs among them."""

    all: int
    doubtful: int


class LaneRow(Row):
    """`app#lane` holds the pause; `app#lane#minute` the answers of one minute."""

    class Meta:
        table_name = None
        setting = "lanes_table"

    pk = UnicodeAttribute(hash_key=True)
    paused_until = NumberAttribute(null=True)
    why = UnicodeAttribute(null=True)
    answers = NumberAttribute(null=True)
    doubtful = NumberAttribute(null=True)
    expires = NumberAttribute()


def pause(app: str, lane: str, until: int, why: str) -> None:
    """Nothing is sent on the lane before `until` (epoch ms)."""
    row = LaneRow(f"{app}#{lane}", paused_until=until, why=why, expires=until // 1000 + 86_400)
    row.save()


def paused_until(app: str, lane: str) -> int:
    """Epoch ms; 0 when the lane is open."""
    row = read(LaneRow, f"{app}#{lane}")
    return 0 if row is None else int(row.paused_until or 0)


def add_answers(app: str, lane: str, answers: Answers, now: int) -> None:
    minute = now // _MINUTE_MS
    LaneRow(f"{app}#{lane}#{minute}").update(
        [
            LaneRow.answers.add(answers.all),
            LaneRow.doubtful.add(answers.doubtful),
            LaneRow.expires.set(now // 1000 + 3600),
        ]
    )


def recent_answers(app: str, lane: str, now: int) -> Answers:
    """The answers of the breaker's window, by whole minutes, strongly consistent."""
    minute = now // _MINUTE_MS
    keys = [{"pk": {"S": f"{app}#{lane}#{minute - back}"}} for back in range(WINDOW_MINUTES + 1)]
    rows = [LaneRow.from_raw_data(item) for item in pages.batch_get(LaneRow.table_name(), keys)]
    return Answers(
        all=sum(int(row.answers or 0) for row in rows), doubtful=sum(int(row.doubtful or 0) for row in rows)
    )
