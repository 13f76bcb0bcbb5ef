"""Secrets in SSM: read decrypted, kept for minutes, and served for longer while SSM does not answer."""

from botocore.exceptions import BotoCoreError, ClientError

from fanfare.runtime import clients, clock

KEPT_S = 300

_GONE = {"ParameterNotFound", "AccessDeniedException"}
_kept: dict[str, tuple[str, int]] = {}


class SecretMissing(Exception):
    """The parameter does not exist, or may not be read."""


def read(name: str) -> str:
    """The parameter's text. Raises SecretMissing, and what AWS refuses when nothing is kept."""
    kept = _kept.get(name)
    if kept is not None and clock.now() - kept[1] < 1000 * KEPT_S:
        return kept[0]
    try:
        text = clients.ssm().get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
    except ClientError as error:
        if error.response["Error"]["Code"] in _GONE:
            raise SecretMissing(name) from error
        if kept is None:
            raise
        return kept[0]
    except BotoCoreError:
        if kept is None:
            raise
        return kept[0]
    _kept[name] = (text, clock.now())
    return text


def forget() -> None:
    """Drop what is kept: for tests."""
    _kept.clear()
