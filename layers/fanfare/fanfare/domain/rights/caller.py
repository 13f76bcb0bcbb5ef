"""The caller of a request: a user, the app's administrator, or an anonymous caller."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    USER = "user"
    ADMIN = "admin"
    ANONYMOUS = "anonymous"


@dataclass(frozen=True, slots=True)
class Caller:
    """The authenticated sender of a request; `user` is set for Role.USER only.

    `session` is the ID of the access token's session.
    """

    app: str
    role: Role
    user: str | None = None
    session: str | None = None

    @property
    def is_admin(self) -> bool:
        return self.role is Role.ADMIN
