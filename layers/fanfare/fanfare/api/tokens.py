"""Access tokens: JWTs signed HS256, with the ID of the key in the header so that keys can be changed.

A new key goes into the parameter first, and becomes the current one once every function has read it
(runtime.secrets.KEPT_S later).
"""

from base64 import urlsafe_b64decode
from collections.abc import Mapping
from functools import lru_cache

import msgspec

from fanfare.domain.caller import Role
from fanfare.domain.errors import WrongToken
from fanfare.runtime import secrets

_ALGORITHM = "HS256"


class Claims(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What a token says. `sub` is the user ID (or the role, where it is no user); `exp` in epoch seconds."""

    app: str
    role: Role
    sub: str
    sid: str = ""
    exp: int | None = None


class _Keys(msgspec.Struct, frozen=True):
    current: str
    keys: Mapping[str, str]


def sign(claims: Claims, keys_parameter: str) -> str:
    import jwt

    keys = _keys(secrets.read(keys_parameter))
    payload = msgspec.to_builtins(claims)
    return jwt.encode(payload, _key(keys, keys.current), _ALGORITHM, headers={"kid": keys.current})


def verified(token: str, keys_parameter: str, now: int) -> Claims:
    """What the token says, if it is ours and not expired; `now` in epoch ms. Raises WrongToken."""
    import jwt

    keys = _keys(secrets.read(keys_parameter))
    try:
        key_id = jwt.get_unverified_header(token).get("kid")
        if key_id not in keys.keys:
            raise WrongToken("the access token is not known")
        # Expiry is judged below, by the same clock as everything else.
        options = {"verify_exp": False, "verify_iat": False}
        payload = jwt.decode(token, _key(keys, key_id), [_ALGORITHM], options=options)  # type: ignore[arg-type]
    except jwt.PyJWTError as error:
        raise WrongToken("the access token is not known") from error
    claims = msgspec.convert(payload, Claims)
    if claims.exp is not None and claims.exp * 1000 <= now:
        raise WrongToken("the access token has expired")
    return claims


@lru_cache(maxsize=2)
def _keys(text: str) -> _Keys:
    return msgspec.json.decode(text, type=_Keys)


def _key(keys: _Keys, key_id: str) -> bytes:
    encoded = keys.keys[key_id]
    return urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
