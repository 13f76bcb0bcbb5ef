"""Secrets in SSM: read decrypted, kept for minutes, and served at once while SSM is asked again beside it."""

import random
import time
from dataclasses import dataclass, field, replace
from threading import Lock, Thread

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from fanfare.runtime import clients, clock

KEPT_S = 300
"""Seconds after which a secret is read anew, give or take a fifth: environments that start together part."""
ASKED_S = 5
"""SSM is not asked for one name more often, whatever it said: it has 40 answers a second for the account."""
FIRST_READ_S = 10.0
"""How long the first reading goes on, where SSM has too many of them."""

_FAILED_S = 60
"""After a failure SSM is asked again so much later, give or take a half."""
_GONE = {"ParameterNotFound", "AccessDeniedException"}
_PASSING = {"ThrottlingException", "RequestLimitExceeded", "InternalServerError", "ServiceUnavailable"}


@dataclass(frozen=True, slots=True)
class _Kept:
    text: str | None = field(repr=False)
    """None where there is none, or none that may be read."""
    read_at: int
    asked_at: int
    """Later than `read_at` where SSM did not answer. Epoch ms, both."""
    due_at: int
    """When SSM is asked again beside whoever wants it."""


_kept: dict[str, _Kept] = {}
_asking: dict[str, Lock] = {}
"""By name: who waits for one secret keeps nobody from another."""
_refreshing: set[str] = set()
_starting = Lock()


class SecretMissing(Exception):
    """The parameter does not exist, or may not be read."""


def read(name: str, kept_s: int | None = None) -> str:
    """The parameter's text. What is kept is given at once; when it is minutes old, SSM is asked beside it.

    `kept_s`: for a caller who cannot use text older than so many seconds, and waits for one try to read it
    anew, as everybody does for a secret that was missing. The first reading waits up to FIRST_READ_S. One
    asks, however many want it.

    Raises SecretMissing, and what AWS refuses when nothing is kept.
    """
    kept = _kept.get(name)
    if kept is None:
        kept = _first(name)
    elif kept.text is None:
        kept = _anew(name, ASKED_S)
    elif kept_s is not None and _is_older(kept, kept_s):
        kept = _anew(name, kept_s)
    elif clock.now() >= kept.due_at:
        _refresh(name)
    if kept.text is None:
        raise SecretMissing(name)
    return kept.text


def pause_s(waited_s: float) -> float:
    """Before the next try of a first reading, which tries the more often the longer it waited."""
    return random.uniform(0.5, 1.0) * max(0.08, 1 - waited_s / 9)


def forget() -> None:
    """Drop what is kept: for tests."""
    _kept.clear()


def _is_older(kept: _Kept, kept_s: int) -> bool:
    now = clock.now()
    return now - kept.asked_at >= 1000 * ASKED_S and now - kept.read_at >= 1000 * kept_s


def _first(name: str) -> _Kept:
    with _asking.setdefault(name, Lock()):
        kept = _kept.get(name)
        began = time.monotonic()
        while kept is None:
            try:
                kept = _kept[name] = _asked(name)
            except (ClientError, BotoCoreError) as error:
                waited_s = time.monotonic() - began
                pause = pause_s(waited_s)
                if not _passes(error) or waited_s + pause > FIRST_READ_S:
                    raise
                time.sleep(pause)
        return kept


def _anew(name: str, kept_s: int) -> _Kept:
    kept = _kept[name]
    if _is_older(kept, kept_s):
        with _asking.setdefault(name, Lock()):
            kept = _kept[name]
            if _is_older(kept, kept_s):
                kept = _kept[name] = _asked_or(name, kept)
    return kept


def _refresh(name: str) -> None:
    """In a thread of its own, one at a time. Lambda may freeze it with its environment; it goes on then."""
    with _starting:
        if name in _refreshing:
            return
        _refreshing.add(name)

    def ask() -> None:
        try:
            with _asking.setdefault(name, Lock()):
                kept = _kept.get(name)
                new = kept and _asked_or(name, kept)
                if new is not None and _kept.get(name) is kept:  # nobody has forgotten it meanwhile
                    _kept[name] = new
        finally:
            _refreshing.discard(name)

    Thread(target=ask, name=f"refresh {name}", daemon=True).start()


def _asked_or(name: str, kept: _Kept) -> _Kept:
    """What SSM says, or the same as before where it does not answer."""
    try:
        return _asked(name)
    except (ClientError, BotoCoreError):
        now = clock.now()
        return replace(kept, asked_at=now, due_at=now + _about(_FAILED_S, 0.5))


def _asked(name: str) -> _Kept:
    """One try. Raises ClientError and BotoCoreError, but for a parameter that is not there."""
    text = None
    try:
        text = clients.ssm().get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
    except ClientError as error:
        if _code(error) not in _GONE:
            raise
    now = clock.now()
    return _Kept(text, now, now, now + _about(ASKED_S if text is None else KEPT_S, 0.2))


def _about(seconds: float, part: float) -> int:
    """So many seconds, give or take the part of it, in ms."""
    return round(1000 * seconds * random.uniform(1 - part, 1 + part))


def _passes(error: ClientError | BotoCoreError) -> bool:
    return isinstance(error, HTTPClientError) or (isinstance(error, ClientError) and _code(error) in _PASSING)


def _code(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])
