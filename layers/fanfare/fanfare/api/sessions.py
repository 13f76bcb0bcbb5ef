"""Sessions, the access tokens that stand for them, and the refresh tokens that are exchanged for new ones."""

import re
from dataclasses import dataclass
from hashlib import sha256
from secrets import token_hex
from typing import Any

from fanfare.api import tokens
from fanfare.api.request import Request
from fanfare.api.tokens import Claims
from fanfare.domain.caller import Caller, Role
from fanfare.domain.parameters import Parameter, Parameters
from fanfare.store.open_sessions import Session

_REFRESH_TOKEN = re.compile(r"([a-z0-9-]{1,64})\.([0-9a-f]{32})\.([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """`holder.session.secret`: where to look, and what only its owner knows. Of the secret a hash is kept."""

    holder: str
    session: str
    secret: str

    def __str__(self) -> str:
        return f"{self.holder}.{self.session}.{self.secret}"

    @property
    def hash(self) -> str:
        # Random and long: a plain hash is enough.
        return sha256(self.secret.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Begun:
    """A session that is not opened yet, and the refresh token that goes with it, if any."""

    session: Session
    refresh: RefreshToken | None


def begin(
    holder: Caller, parameters: Parameters, asked: int | None, now: int, *, pseudo: bool = False
) -> Begun:
    """A session as the app's parameters allow; `asked` is the end that was asked for, in epoch ms.

    A pseudo user has nothing but the token, which therefore never ends by itself, and is not refreshed.
    """
    key = holder.user or holder.role
    session_id = token_hex(16)
    if pseudo:
        return Begun(Session(holder.app, key, session_id, None), None)
    end = parameters.session_end(asked, now)
    if holder.role is Role.ANONYMOUS or not parameters.value(Parameter.REFRESH_TOKENS):
        return Begun(Session(holder.app, key, session_id, end), None)
    refresh = RefreshToken(key, session_id, token_hex(32))
    return Begun(Session(holder.app, key, session_id, end, refresh.hash), refresh)


def refresh_token(text: str) -> RefreshToken | None:
    """None where it cannot be one."""
    found = _REFRESH_TOKEN.fullmatch(text)
    return RefreshToken(*found.groups()) if found else None


def token(session: Session, role: Role, request: Request[Any]) -> str:
    claims = Claims(app=session.app, role=role, sub=session.holder, sid=session.id, exp=session.expires)
    return tokens.sign(claims, request.settings.signing_keys_parameter)
