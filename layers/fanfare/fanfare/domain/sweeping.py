"""What sweep has to clear away or to look at again: the values on the sweep queue, told apart by `kind`."""

from dataclasses import dataclass, replace
from typing import Literal

from fanfare.domain.scope import Scope, Target, TargetKind

SWEEP_DELAY_S = 30
"""Longer than an API function may run: what one still wrote to the target is there when sweep looks."""

INDEXES_LATE_S = 86_400
"""No index is later than this."""

LONGEST_INTERVAL_S = 28_800

CLOCKS_APART_MS = 5_000
"""How far two functions' clocks may differ; with an API function's time it stays within SWEEP_DELAY_S."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """A target whose definition is about to be deleted: then, what hangs on its `ref` has to go.

    It is queued before the definition is deleted. A crash in between loses nothing; and as sweep first looks
    whether the definition is gone, it deletes nothing wrongly either.
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
    """A group that is about to be deleted: then, its members and the topics and buckets in its scope."""

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
    """A user who is about to be deleted: then, everything that is the user's.

    It is queued before the recipient row is marked, which is what decides: who is marked gets deleted,
    whatever becomes of the request.
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
    """A user who was deleted at `deleted_at`. Subscriptions made before have to go, when an index shows them.

    Times are epoch ms; `due` is when to look next, `looks` how often sweep has looked.
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
        """What was made later is of a new life: the mark stands for SWEEP_DELAY_S at least. What was begun
        when the mark was written can be a little younger than it."""
        return self.deleted_at + 500 * SWEEP_DELAY_S

    def next_look(self, now: int, first_s: int) -> "LateRows | None":
        """The next look, at intervals that double; None when an index can have nothing left to show."""
        end = self.deleted_at + 1000 * INDEXES_LATE_S
        if now >= end:
            return None
        interval_s = min(first_s << self.looks + 1, LONGEST_INTERVAL_S)
        return replace(self, due=min(now + 1000 * interval_s, end), looks=self.looks + 1)


@dataclass(frozen=True, slots=True)
class TargetRecheck:
    """A target whose access list lost an entry: subscribers without the right are to be unsubscribed.

    `look` is random and names it, however often it comes. `after` says how far it came: shard and sort key.
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
    """A user who left a group: subscriptions that only members can have are to end.

    `look` is random and names it, however often it comes. `after` says how far it came, `ended` how many
    subscriptions it has ended so far.
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
    """An object whose body in S3 is about to change: then, bodies of it from up to `until` (epoch ms) may go.

    All but the one that it has by then, which is when no request of that time is under way any more.
    """

    app: str
    ref: str
    object_id: str
    until: int
    kind: Literal["loose_bodies"] = "loose_bodies"
    format: Literal[1] = 1


@dataclass(frozen=True, slots=True)
class SessionsSweep:
    """A holder whose sessions end, of which there were too many for one request: the logins up to `before`.

    `keep`: a session that stays, with all that came of its login. `after` says how far it came.
    """

    app: str
    holder: str
    before: int
    keep: str | None = None
    after: str = ""
    kind: Literal["sessions"] = "sessions"
    format: Literal[1] = 1
