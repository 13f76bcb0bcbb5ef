"""The values on the sweep queue, told apart by `kind`: rows to delete, or to look at again."""

from dataclasses import dataclass, replace
from typing import Literal

from fanfare.domain.scope import Scope, Target, TargetKind

SWEEP_DELAY_S = 30
"""Longer than an API function may run, so that sweep also sees the last rows that one wrote to the target."""

INDEXES_LATE_S = 86_400
"""Longest delay of an index."""

LONGEST_INTERVAL_S = 28_800

CLOCKS_APART_MS = 5_000
"""Largest difference of two functions' clocks; added to an API function's time it stays below
SWEEP_DELAY_S."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """A target whose definition is about to be deleted: all rows keyed by its `ref` have to go afterwards.

    The message is queued before the definition is deleted. A crash in between loses nothing, and deletes
    nothing wrongly, since sweep first checks that the definition is gone.
    """

    kind: TargetKind
    scope: Scope
    name: str
    ref: str
    format: Literal[1] = 1

    @property
    def app(self) -> str:
        return self.scope.app

    @property
    def target(self) -> Target:
        return Target(self.kind, self.scope, self.name, self.ref)


def sweep_of(target: Target) -> Sweep:
    return Sweep(target.kind, target.scope, target.name, target.ref)


@dataclass(frozen=True, slots=True)
class GroupSweep:
    """A group that is about to be deleted: its members, and the topics and buckets in its scope, go
    afterwards."""

    app: str
    group: str
    ref: str
    kind: Literal["group"] = "group"
    format: Literal[1] = 1

    @property
    def scope(self) -> Scope:
        return Scope(self.app, group=self.group, group_ref=self.ref)


@dataclass(frozen=True, slots=True)
class UserSweep:
    """A user that is about to be deleted: all rows of the user go afterwards.

    The message is queued before the recipient row is marked. The mark decides: a marked user is deleted, even
    if the request fails.
    """

    app: str
    user: str
    kind: Literal["user"] = "user"
    format: Literal[1] = 1

    @property
    def scope(self) -> Scope:
        return Scope(self.app, user=self.user)


@dataclass(frozen=True, slots=True)
class LateRows:
    """A user that was deleted at `deleted_at`: older subscriptions have to go as soon as an index shows them.

    Times are epoch ms. `due` is the time of the next look, `looks` the number of looks so far.
    """

    app: str
    user: str
    deleted_at: int
    due: int
    looks: int = 0
    kind: Literal["late_rows"] = "late_rows"
    format: Literal[1] = 1

    @property
    def made_before(self) -> int:
        """Rows made later belong to a new life of the user, since the mark stays for at least SWEEP_DELAY_S.
        The margin covers requests that were under way when the mark was written."""
        return self.deleted_at + 500 * SWEEP_DELAY_S

    def next_look(self, now: int, first_s: int) -> "LateRows | None":
        """Return the next look, at intervals that double; None if an index can have nothing left to show."""
        end = self.deleted_at + 1000 * INDEXES_LATE_S
        if now >= end:
            return None
        interval_s = min(first_s << self.looks + 1, LONGEST_INTERVAL_S)
        return replace(self, due=min(now + 1000 * interval_s, end), looks=self.looks + 1)


@dataclass(frozen=True, slots=True)
class TargetRecheck:
    """A target whose access list lost an entry: subscribers without the right have to be unsubscribed.

    `look` is random; it identifies this look, even if its message comes again. `after` is the position that
    it has reached: shard and sort key.
    """

    target: Target
    look: str
    after: tuple[str, str] | None = None
    kind: Literal["target_recheck"] = "target_recheck"
    format: Literal[1] = 1

    @property
    def app(self) -> str:
        return self.target.app

    @property
    def subject(self) -> str:
        return f"target:{self.target.ref}"

    def anew(self) -> "TargetRecheck":
        return TargetRecheck(self.target, self.look)


@dataclass(frozen=True, slots=True)
class UserRecheck:
    """A user that left a group: subscriptions reserved for members have to end.

    `look` is random; it identifies this look, even if its message comes again. `after` is the position that
    it has reached, `ended` the number of subscriptions ended so far.
    """

    app: str
    user: str
    look: str
    after: str = ""
    ended: int = 0
    kind: Literal["user_recheck"] = "user_recheck"
    format: Literal[1] = 1

    @property
    def subject(self) -> str:
        return f"user:{self.user}"

    def anew(self) -> "UserRecheck":
        return UserRecheck(self.app, self.user, self.look)


@dataclass(frozen=True, slots=True)
class LooseBodies:
    """An object whose body in S3 is about to change: its bodies made up to `until` (epoch ms) may go.

    The body that the object has at `until` stays. By then no request of that time is under way any more.
    """

    app: str
    ref: str
    object_id: str
    until: int
    kind: Literal["loose_bodies"] = "loose_bodies"
    format: Literal[1] = 1


@dataclass(frozen=True, slots=True)
class SessionsSweep:
    """A holder with too many sessions to end in one request: those of logins up to `before` (epoch ms) end.

    `keep`: a session that stays, with all others of its login. `after` is the position reached so far.
    """

    app: str
    holder: str
    before: int
    keep: str | None = None
    after: str = ""
    kind: Literal["sessions"] = "sessions"
    format: Literal[1] = 1
