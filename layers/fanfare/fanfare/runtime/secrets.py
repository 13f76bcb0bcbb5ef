"""Secrets in SSM: decrypted, kept for minutes, and used further while a background thread rereads them."""

import random
import time
from dataclasses import dataclass, field, replace
from threading import Lock, Thread

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from fanfare.runtime import clients, clock

KEPT_S = 300
"""Seconds after which a secret is read again, give or take a fifth, so that environments do not read at one
moment."""
ASKED_S = 5
"""Shortest time between two reads of one name: SSM gives 40 answers a second for the whole account."""
FIRST_READ_S = 10.0
"""Longest time of the first read if SSM is overloaded."""

_FAILED_S = 60
"""Seconds until the next read after a failure, give or take a half."""
_GONE = {"ParameterNotFound", "AccessDeniedException"}
_PASSING = {"ThrottlingException", "RequestLimitExceeded", "InternalServerError", "ServiceUnavailable"}


@dataclass(frozen=True, slots=True)
class _Kept:
    text: str | None = field(repr=False)
    """None if the parameter does not exist or may not be read."""
    read_at: int
    asked_at: int
    """Epoch ms, like `read_at`, which is earlier if SSM failed to answer since."""
    due_at: int
    """Moment from which a background thread rereads the secret, epoch ms."""


_kept: dict[str, _Kept] = {}
_asking: dict[str, Lock] = {}
"""Name -> lock, so that waiting for one secret delays no other."""
_refreshing: set[str] = set()
_starting = Lock()


class SecretMissing(Exception):
    """The parameter does not exist, or may not be read."""


def read(name: str, kept_s: int | None = None) -> str:
    """Return the parameter's text from memory, at once; text that is minutes old is read again in the
    background.

    `kept_s`: greatest age in seconds of a text that the caller can use; for an older one it waits for one
    read, like all callers for a missing secret. The first read waits up to FIRST_READ_S. One thread reads for
    all.

    Raises SecretMissing, and AWS's errors if nothing is in memory.
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
    """Return the pause before the next try of a first read; it gets shorter with the time waited."""
    return random.uniform(0.5, 1.0) * max(0.08, 1 - waited_s / 9)


def forget() -> None:
    """Drop the secrets in memory, for tests."""
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
    """Read in a thread of its own, one at a time. Lambda may freeze it; it continues after the thaw."""
    with _starting:
        if name in _refreshing:
            return
        _refreshing.add(name)

    def ask() -> None:
        try:
            with _asking.setdefault(name, Lock()):
                kept = _kept.get(name)
                new = kept and _asked_or(name, kept)
                if new is not None and _kept.get(name) is kept:  # nothing was forgotten meanwhile
                    _kept[name] = new
        finally:
            _refreshing.discard(name)

    Thread(target=ask, name=f"refresh {name}", daemon=True).start()


def _asked_or(name: str, kept: _Kept) -> _Kept:
    """Return SSM's answer, or the former one with a new time if SSM fails."""
    try:
        return _asked(name)
    except (ClientError, BotoCoreError):
        now = clock.now()
        return replace(kept, asked_at=now, due_at=now + _about(_FAILED_S, 0.5))


def _asked(name: str) -> _Kept:
    """Try once. Raises ClientError and BotoCoreError, except for a parameter that does not exist."""
    text = None
    try:
        text = clients.ssm().get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
    except ClientError as error:
        if _code(error) not in _GONE:
            raise
    now = clock.now()
    return _Kept(text, now, now, now + _about(ASKED_S if text is None else KEPT_S, 0.2))


def _about(seconds: float, part: float) -> int:
    """Return the seconds, give or take this part of them, in ms."""
    return round(1000 * seconds * random.uniform(1 - part, 1 + part))


def _passes(error: ClientError | BotoCoreError) -> bool:
    return isinstance(error, HTTPClientError) or (isinstance(error, ClientError) and _code(error) in _PASSING)


def _code(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])
