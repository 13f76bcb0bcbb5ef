"""Sessions, their access tokens, and the refresh tokens that are exchanged for new ones."""

import re
from dataclasses import dataclass, replace
from hashlib import sha256
from secrets import token_hex
from typing import Any

from fanfare.api import tokens
from fanfare.api.request import Request, Sweeping
from fanfare.api.tokens import Claims
from fanfare.domain.parameters import Parameter, Parameters
from fanfare.domain.rights.caller import Caller, Role
from fanfare.domain.sweeping import SessionsSweep
from fanfare.runtime import codec, queues
from fanfare.runtime.queues import Outgoing
from fanfare.store import open_sessions
from fanfare.store.open_sessions import Session

_ANY_MOMENT_MS = 1 << 53
_REFRESH_TOKEN = re.compile(r"([a-z0-9-]{1,64})\.([0-9a-f]{32})\.([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """`holder.session.secret`: the session's place, and a secret of which the server keeps a hash."""

    holder: str
    session: str
    secret: str

    def __str__(self) -> str:
        return f"{self.holder}.{self.session}.{self.secret}"

    @property
    def hash(self) -> str:
        # The secret is random and long, so a plain hash is enough.
        return sha256(self.secret.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session that is not opened yet, with its refresh token, if any."""

    session: Session
    refresh: RefreshToken | None


def begin(
    holder: Caller,
    parameters: Parameters,
    asked: int | None,
    now: int,
    *,
    pseudo: bool = False,
    earlier: Session | None = None,
) -> NewSession:
    """Return a session with the end that the app's parameters permit; `asked` is the requested end, in epoch
    ms.

    A pseudo user has nothing but the token, which therefore never expires and is not refreshed. A session
    exchanged for an `earlier` one keeps its bound, so that an administrator has to log in again.
    """
    session = Session(
        app=holder.app,
        holder=holder.user or holder.role,
        id=open_sessions.new_id(earlier.id if earlier else None),
        began=earlier.began if earlier else now,
    )
    if pseudo:
        return NewSession(session, None)
    is_admin = holder.role is Role.ADMIN
    bounds = [parameters.session_end(asked, now, admin=is_admin), earlier.until if earlier else None]
    session = replace(session, expires=min((one for one in bounds if one is not None), default=None))
    if holder.role is Role.ANONYMOUS or not parameters.value(Parameter.REFRESH_TOKENS):
        return NewSession(session, None)
    refresh = RefreshToken(session.holder, session.id, token_hex(32))
    until = earlier.until if earlier else parameters.admin_end(now) if is_admin else None
    return NewSession(replace(session, refresh_hash=refresh.hash, until=until), refresh)


def bounded(session: Session, parameters: Parameters) -> Session:
    """Return the session with the end by the present parameters: an administrator's session may have become
    shorter since it began. It never becomes longer."""
    if session.holder != Role.ADMIN:
        return session
    bounds = [session.until, parameters.admin_end(session.began)]
    return replace(session, until=min((one for one in bounds if one is not None), default=None))


def end(request: Request[Sweeping], app: str, holder: str, keep: str | None = None) -> None:
    """End the holder's sessions, except those of `keep`'s login.

    Sessions beyond the first stretch end a little later, with all that they are exchanged for meanwhile.
    """
    gone = SessionsSweep(app, holder, request.now, keep)
    ended = open_sessions.end(app, holder, open_sessions.begun_by(_ANY_MOMENT_MS, keep))
    if ended.after:
        rest = Outgoing(codec.encode(replace(gone, after=ended.after)))
        queues.send_all(request.settings.sweep_queue_url, [rest])


def refresh_token(text: str) -> RefreshToken | None:
    """Parse a refresh token; None if the text cannot be one."""
    found = _REFRESH_TOKEN.fullmatch(text)
    return RefreshToken(*found.groups()) if found else None


def token(session: Session, role: Role, request: Request[Any]) -> str:
    claims = Claims(app=session.app, role=role, sub=session.holder, sid=session.id, exp=session.expires)
    return tokens.sign(claims, request.settings.signing_keys_parameter)
