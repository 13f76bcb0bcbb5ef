"""Secrets in SSM: read decrypted, kept for minutes, and read anew when they are refused."""

from functools import cache
from typing import TYPE_CHECKING

from fanfare.runtime import clients

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.parameters import SSMProvider

KEPT_S = 300


class SecretMissing(Exception):
    """The parameter does not exist, or may not be read."""


@cache
def _provider() -> "SSMProvider":
    from aws_lambda_powertools.utilities.parameters import SSMProvider

    return SSMProvider(boto3_client=clients.ssm())


def read(name: str, *, fresh: bool = False) -> str:
    """The parameter's text; `fresh` asks SSM even when a kept value is at hand. Raises SecretMissing."""
    from aws_lambda_powertools.utilities.parameters import GetParameterError

    try:
        return _provider().get(name, decrypt=True, max_age=KEPT_S, force_fetch=fresh)  # type: ignore[return-value]
    except GetParameterError as error:
        raise SecretMissing(f"{name}: {error}") from error


def forget() -> None:
    """Drop what is kept: for tests."""
    _provider.cache_clear()
