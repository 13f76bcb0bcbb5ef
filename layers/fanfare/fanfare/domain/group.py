"""Groups: what they are, and the rules for what they may be called."""

import re
from dataclasses import dataclass

MAX_NAME = 190
"""Characters of a group's name."""

MAX_FIRST_MEMBERS = 500
"""Members that a group can be made with in one request; more are added one by one."""

_ID = re.compile(r"[a-z0-9_.-]{1,30}")


@dataclass(frozen=True, slots=True)
class Group:
    """`ref` is random and made with the group: all that hangs on the group is keyed by it.

    `owner` is empty when that user was deleted: the group stays for its members, as in Kii.
    """

    app: str
    id: str
    ref: str
    name: str
    owner: str
    created_at: int


def names_group(text: str) -> bool:
    return _ID.fullmatch(text) is not None
