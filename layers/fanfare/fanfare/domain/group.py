"""Groups, and the rules for their names."""

import re
from dataclasses import dataclass

MAX_NAME = 190
"""Longest name of a group, in characters."""

MAX_FIRST_MEMBERS = 500
"""Maximum number of members with which one request creates a group; others are added one by one."""

_ID = re.compile(r"[a-z0-9_.-]{1,30}")


@dataclass(frozen=True, slots=True)
class Group:
    """A group of users.

    `ref` is random and made with the group; everything that belongs to the group is keyed by it. `owner` is
    empty once that user is deleted: the group stays for its members, as in Kii.
    """

    app: str
    id: str
    ref: str
    name: str
    owner: str
    created_at: int


def names_group(text: str) -> bool:
    return _ID.fullmatch(text) is not None
