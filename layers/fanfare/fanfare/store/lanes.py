"""Lanes: state that the fleet shares about a lane, which is its pause and its quota."""

from dataclasses import dataclass, replace

from pynamodb.attributes import BinarySetAttribute, NumberAttribute, UnicodeAttribute, UnicodeSetAttribute
from pynamodb.exceptions import UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from fanfare.store.row import Row, condition_failed, read

QUOTA_TRIES = 5
"""Maximum number of tries to take from a window's remaining quota, from which others take meanwhile."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing is sent on the lane before `until` (epoch ms); then one environment probes it."""

    until: int
    why: str
    failed_probes: int = 0


class LaneRow(Row):
    """Shared state of a lane or sublane.

    `app#lane` holds the pause, `app#lane#quota#window` the fleet's use of the network's quota. For a sublane,
    `app#sublane#answered#minute` and `app#sublane#doubted#minute` count users, and `app#sublane#handed#hour`
    names the first two users to whom something was delivered.
    """

    class Meta:
        table_name = None
        setting = "lanes_table"

    pk = UnicodeAttribute(hash_key=True)
    paused_until = NumberAttribute(null=True)
    why = UnicodeAttribute(null=True)
    failed_probes = NumberAttribute(null=True)
    users = BinarySetAttribute(null=True, legacy_encoding=False)
    users_16 = BinarySetAttribute(null=True, legacy_encoding=False)
    users_256 = BinarySetAttribute(null=True, legacy_encoding=False)
    users_4096 = BinarySetAttribute(null=True, legacy_encoding=False)
    """The levels of a sketch of users: domain/sketch.py."""
    handed = UnicodeSetAttribute(null=True)
    taken = NumberAttribute(null=True)
    by_users = NumberAttribute(null=True)
    """The part of `taken` that went to pushes caused by users."""
    expires = NumberAttribute(null=True)


def pause(app: str, lane: str, new: Pause, held: Pause | None = None) -> None:
    """Pause the lane, or extend its pause: only the holder of the probe (`held`) may set an earlier end."""
    sooner = LaneRow.paused_until < new.until
    mine = LaneRow.paused_until.does_not_exist() | sooner
    if held is not None:
        mine = mine | (LaneRow.paused_until == held.until)
    _set(app, lane, new, mine)


def pause_of(app: str, lane: str) -> Pause | None:
    """Return the pause, over or not; None if the lane is open."""
    row = read(LaneRow, f"{app}#{lane}")
    if row is None or row.paused_until is None:
        return None
    return Pause(int(row.paused_until), row.why or "", int(row.failed_probes or 0))


def take_probe(app: str, lane: str, over: Pause, until: int) -> Pause | None:
    """Reserve the probe of a lane after its pause, until `until`; None if another environment has it."""
    held = replace(over, until=until)
    return held if _set(app, lane, held, LaneRow.paused_until == over.until) else None


def give_back_probe(app: str, lane: str, held: Pause, now: int) -> None:
    """Give back a probe that was not sent: another environment may take it."""
    _set(app, lane, replace(held, until=now), LaneRow.paused_until == held.until)


def resume(app: str, lane: str, held: Pause) -> None:
    """Open the lane after a successful probe, unless another environment paused it meanwhile."""
    row = LaneRow(f"{app}#{lane}")
    gone: list[Action] = [LaneRow.paused_until.remove(), LaneRow.why.remove(), LaneRow.failed_probes.remove()]
    try:
        row.update(gone, condition=LaneRow.paused_until == held.until)
    except UpdateError as error:
        if not condition_failed(error):
            raise


def take_quota(
    app: str, lane: str, window: int, pushes: int, limit: int, expires: int, of_users: int | None = None
) -> int:
    """Take quota from the window: `pushes`, or as many as it has room for. `expires` is epoch seconds.

    The count never exceeds the quota granted, so small sends have room beyond the limit of large ones.
    `of_users` is set for pushes caused by users: the most that all of these may take of the window.
    """
    row = LaneRow(f"{app}#{lane}#quota#{window}")
    granted = min(pushes, limit) if of_users is None else min(pushes, limit, of_users)
    for _ in range(QUOTA_TRIES):
        room = LaneRow.taken.does_not_exist() | (LaneRow.taken <= limit - granted)
        actions: list[Action] = [LaneRow.taken.add(granted), LaneRow.expires.set(expires)]
        if of_users is not None:
            room &= LaneRow.by_users.does_not_exist() | (LaneRow.by_users <= of_users - granted)
            actions.append(LaneRow.by_users.add(granted))
        try:
            row.update(actions, condition=room)
        except UpdateError as error:
            if not condition_failed(error):
                raise
        else:
            return granted
        found = read(LaneRow, row.pk)
        if found is not None:
            granted = min(granted, limit - int(found.taken or 0))
            if of_users is not None:
                granted = min(granted, of_users - int(found.by_users or 0))
        if granted <= 0:
            break
    return 0


def _set(app: str, lane: str, new: Pause, condition: Condition) -> bool:
    """Write the pause; True if the condition held."""
    actions: list[Action] = [
        LaneRow.paused_until.set(new.until),
        LaneRow.why.set(new.why),
        LaneRow.failed_probes.set(new.failed_probes),
        LaneRow.expires.set(new.until // 1000 + 86_400),
    ]
    try:
        LaneRow(f"{app}#{lane}").update(actions, condition=condition)
    except UpdateError as error:
        if condition_failed(error):
            return False
        raise
    return True
