"""The gate of a push: the subscribers that it may reach."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Gate:
    """Users (by ID) and groups (by reference) with the right to a push; other subscribers do not get it."""

    users: tuple[str, ...]
    groups: tuple[str, ...]
