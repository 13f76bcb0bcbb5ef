"""The scope of a topic or bucket, and the target of a subscription."""

from dataclasses import dataclass
from enum import StrEnum

from fanfare.domain.ring import HEX_DIGITS


@dataclass(frozen=True, slots=True)
class Scope:
    """The app itself, one of its users, or one of its groups.

    The scope of a group includes the group's random reference: a group that is recreated under the same ID
    starts empty.
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
        """The digits over which subscriptions to this scope's targets are spread."""
        return HEX_DIGITS if self.is_app else HEX_DIGITS[0]


class TargetKind(StrEnum):
    TOPIC = "topic"
    BUCKET = "bucket"


@dataclass(frozen=True, slots=True)
class Target:
    """A topic or a bucket, as the target of subscriptions.

    `ref` is random and made with the target. All rows that belong to the target are keyed by it, so that a
    target recreated under the same name starts empty.
    """

    kind: TargetKind
    scope: Scope
    name: str
    ref: str

    @property
    def app(self) -> str:
        return self.scope.app
