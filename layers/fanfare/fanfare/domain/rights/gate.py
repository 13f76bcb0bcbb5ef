"""Whom of a target's subscribers a push may reach."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Gate:
    """Of a target's subscribers only these have the right to it: users by ID, and groups by reference."""

    users: tuple[str, ...]
    groups: tuple[str, ...]
