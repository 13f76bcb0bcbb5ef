"""The breaker: it opens when so many users of a sublane get doubtful answers that a mistake of ours is
likely."""

WINDOW_MINUTES = 5
WINDOW_MS = 60_000 * WINDOW_MINUTES
MIN_USERS = 20
MAX_DOUBTED_SHARE = 0.2


def is_open(answered: int, doubted: int) -> bool:
    """True if the window's answers suggest a wrong key, topic, project or environment of ours.

    `answered` and `doubted` count users, not device tokens: one user can install any number of invented
    tokens.
    """
    return doubted >= MIN_USERS and doubted > MAX_DOUBTED_SHARE * answered
