"""Where a topic or bucket lives, and the target that a subscription points at."""

from dataclasses import dataclass
from enum import StrEnum

from fanfare.domain.ring import HEX_DIGITS


@dataclass(frozen=True, slots=True)
class Scope:
    """The app itself, one of its users, or one of its groups.

    A group's scope has the group's random reference too: a group made anew under an ID starts empty.
    """

    app: str
    user: str | None = None
    group: str | None = None
    group_ref: str | None = None

    @property
    def key(self) -> str:
        """The partition key of the scope's topics and buckets."""
        if self.user is not None:
            return f"{self.app}#user:{self.user}"
        if self.group is not None:
            return f"{self.app}#group:{self.group}:{self.group_ref}"
        return f"{self.app}#app"

    @property
    def type(self) -> str:
        """Kii's objectScope.type."""
        if self.user is not None:
            return "APP_AND_USER"
        return "APP_AND_GROUP" if self.group is not None else "APP"

    @property
    def is_app(self) -> bool:
        return self.user is None and self.group is None

    @property
    def shards(self) -> str:
        """The digits over which the subscriptions of this scope's targets are spread."""
        return HEX_DIGITS if self.is_app else HEX_DIGITS[0]


class TargetKind(StrEnum):
    TOPIC = "topic"
    BUCKET = "bucket"


@dataclass(frozen=True, slots=True)
class Target:
    """A topic or a bucket as one that can be subscribed to.

    `ref` is random and made with the target: all that hangs on the target is keyed by it, so a name made anew
    starts empty.
    """

    kind: TargetKind
    scope: Scope
    name: str
    ref: str

    @property
    def app(self) -> str:
        return self.scope.app
