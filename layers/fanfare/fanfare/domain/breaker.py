"""The breaker: so many users of a sublane get doubtful answers that a mistake of ours is likely."""

WINDOW_MINUTES = 5
WINDOW_MS = 60_000 * WINDOW_MINUTES
MIN_USERS = 20
MAX_DOUBTED_SHARE = 0.2


def is_open(answered: int, doubted: int) -> bool:
    """Whether the window's answers look like a mistake of ours: a wrong key, topic, project or environment.

    Both count users, not device tokens: one user can install as many invented tokens as they like.
    """
    return doubted >= MIN_USERS and doubted > MAX_DOUBTED_SHARE * answered
