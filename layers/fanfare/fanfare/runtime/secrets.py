"""Secrets in SSM: read decrypted, kept for minutes, and served for longer while SSM does not answer."""

from dataclasses import dataclass, field, replace
from threading import Lock

from botocore.exceptions import BotoCoreError, ClientError

from fanfare.runtime import clients, clock

KEPT_S = 300
ASKED_S = 5
"""SSM is not asked for one name more often, whatever it said: it has 40 answers a second for all."""

_GONE = {"ParameterNotFound", "AccessDeniedException"}


@dataclass(frozen=True, slots=True)
class _Kept:
    text: str | None = field(repr=False)
    """None where there is none, or none that may be read."""
    read_at: int
    asked_at: int
    """Later than `read_at` where SSM did not answer. Epoch ms, both."""


_kept: dict[str, _Kept] = {}
_asking = Lock()


class SecretMissing(Exception):
    """The parameter does not exist, or may not be read."""


def read(name: str, kept_s: int = KEPT_S) -> str:
    """The parameter's text, as it was at most `kept_s` ago if SSM answers. One asks, however many want it.

    Raises SecretMissing, and what AWS refuses when nothing is kept.
    """
    kept = _kept.get(name)
    if kept is None or _is_due(kept, kept_s):
        with _asking:
            kept = _kept.get(name)
            if kept is None or _is_due(kept, kept_s):
                kept = _kept[name] = _ask(name, kept)
    if kept.text is None:
        raise SecretMissing(name)
    return kept.text


def _is_due(kept: _Kept, kept_s: int) -> bool:
    now = clock.now()
    if now - kept.asked_at < 1000 * ASKED_S:
        return False
    return kept.text is None or now - kept.read_at >= 1000 * kept_s


def _ask(name: str, kept: _Kept | None) -> _Kept:
    try:
        text = clients.ssm().get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
    except (ClientError, BotoCoreError) as error:
        now = clock.now()
        if isinstance(error, ClientError) and error.response["Error"]["Code"] in _GONE:
            return _Kept(None, now, now)
        if kept is None:
            raise
        return replace(kept, asked_at=now)
    now = clock.now()
    return _Kept(text, now, now)


def forget() -> None:
    """Drop what is kept: for tests."""
    _kept.clear()
