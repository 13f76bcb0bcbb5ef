"""The breaker: what stops purging when proofs come too thick to be true."""

WINDOW_MINUTES = 5
WINDOW_MS = 60_000 * WINDOW_MINUTES
MIN_ANSWERS = 20
MAX_DOUBTFUL_SHARE = 0.2


def tripped(answers: int, doubtful: int) -> bool:
    """Whether a lane's last minutes look like a mistake of ours (a wrong key, topic or environment).

    `doubtful` counts the proofs that such a mistake can cause; a run of 410 or UNREGISTERED does not trip it.
    """
    return answers >= MIN_ANSWERS and doubtful > MAX_DOUBTFUL_SHARE * answers
