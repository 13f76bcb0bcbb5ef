"""Sessions, and the access tokens that stand for them."""

from secrets import token_hex
from typing import Any

from fanfare.api import tokens
from fanfare.api.request import Request
from fanfare.api.tokens import Claims
from fanfare.domain.caller import Caller, Role
from fanfare.store.accounts import Session


def new(holder: Caller, expires: int | None) -> Session:
    """A session that is not opened yet; `expires` in epoch seconds, None for never."""
    return Session(holder.app, holder.user or holder.role, token_hex(16), expires)


def token(session: Session, role: Role, request: Request[Any]) -> str:
    claims = Claims(app=session.app, role=role, sub=session.holder, sid=session.id, exp=session.expires)
    return tokens.sign(claims, request.settings.signing_keys_parameter)
