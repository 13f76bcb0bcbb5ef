"""The logger of a function: JSON lines, never a secret and never a whole device token."""

from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger


@cache
def logger() -> "Logger":
    # Imported late, because dispatch and fanout log nothing but failures.
    from aws_lambda_powertools import Logger

    return Logger(utc=True)


def shortened(token: str) -> str:
    """Return a text for logs: enough to match two lines, not enough to send to the token."""
    return sha256(token.encode()).hexdigest()[:12]
