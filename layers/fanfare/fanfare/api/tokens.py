"""Access tokens: JWTs signed with HS256. Their headers hold the key's ID, so that keys can be changed.

A new key is added to the parameter first, becomes the current one once the running functions have read it,
and the former one is retired once nothing signs with it any more: after KNOWN_S and UNUSED_S.

hmac signs them instead of PyJWT, which imports cryptography for any algorithm: 40 ms in every cold start.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from functools import lru_cache
from hmac import compare_digest, digest

import msgspec

from fanfare.domain.errors import WrongToken
from fanfare.domain.rights.caller import Role
from fanfare.runtime import secrets

KNOWN_S = 600
"""Seconds after which an added key is known: each running function has read the parameter again (after
secrets.KEPT_S and a fifth), or has asked a second time if SSM failed once."""
UNUSED_S = 4_200
"""Seconds after which nothing signs with a former key: _SIGNS_S plus KNOWN_S."""

_ALGORITHM = "HS256"
_ANEW_S = 240
"""Age in seconds from which keys are read again for a signature with an unknown key: an environment that
rested lacks the newest."""
_SIGNS_S = 3_600
"""Greatest age in seconds of keys to sign with: an environment that rested would sign with a retired key."""
_LONGEST = 1_024
"""Maximum length in characters of a token; ours have about 300. JSON of this length is never nested too
deeply."""


class Claims(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The claims of a token. `sub` is the user ID, or the role of others; `exp` is epoch seconds."""

    app: str
    role: Role
    sub: str
    sid: str = ""
    exp: int | None = None


class _Header(msgspec.Struct, frozen=True):
    alg: str
    kid: str
    typ: str = ""


class _Keys(msgspec.Struct, frozen=True):
    current: str
    keys: Mapping[str, str]


def sign(claims: Claims, keys_parameter: str) -> str:
    keys = _keys(secrets.read(keys_parameter, _SIGNS_S))
    header = _Header(alg=_ALGORITHM, kid=keys.current, typ="JWT")
    signed = _encoded(msgspec.json.encode(header)) + b"." + _encoded(msgspec.json.encode(claims))
    return (signed + b"." + _signature(signed, keys, keys.current)).decode()


def verified(token: str, keys_parameter: str, now: int) -> Claims:
    """Return the claims of a token if it is ours and not expired; `now` is epoch ms. Raises WrongToken."""
    keys = _keys(secrets.read(keys_parameter))
    if len(token) > _LONGEST:
        raise _not_known()
    try:
        header, payload, signature = token.encode().split(b".")
        said = msgspec.json.decode(_decoded(header), type=_Header)
    except ValueError as error:  # errors of base64 and msgspec are of this kind, too
        raise _not_known() from error
    # The claims are read only after the signature has been verified.
    if said.kid not in keys.keys:
        keys = _keys(secrets.read(keys_parameter, _ANEW_S))
    if said.alg != _ALGORITHM or said.kid not in keys.keys:
        raise _not_known()
    if not compare_digest(_signature(header + b"." + payload, keys, said.kid), signature):
        raise _not_known()
    claims = msgspec.json.decode(_decoded(payload), type=Claims)
    if claims.exp is not None and claims.exp * 1000 <= now:
        raise WrongToken("the access token has expired; log in again, or exchange the refresh token")
    return claims


def mac(text: bytes, keys_parameter: str) -> bytes:
    """Return a MAC of the text by the current key."""
    keys = _keys(secrets.read(keys_parameter, _SIGNS_S))
    return _mac(text, keys.keys[keys.current])


def is_mac(given: bytes, text: bytes, keys_parameter: str) -> bool:
    """True if `given` is the begin of a MAC of the text, by any of the keys."""
    return any(
        _begins(given, text, _keys(secrets.read(keys_parameter, kept_s))) for kept_s in (None, _ANEW_S)
    )


def _begins(given: bytes, text: bytes, keys: _Keys) -> bool:
    return any(compare_digest(_mac(text, key)[: len(given)], given) for key in keys.keys.values())


def _mac(text: bytes, key: str) -> bytes:
    return digest(_decoded(key.encode()), text, "sha256")


def _not_known() -> WrongToken:
    return WrongToken(
        "the access token was not issued by this server; send it as it was issued, or log in again"
    )


@lru_cache(maxsize=2)
def _keys(text: str) -> _Keys:
    return msgspec.json.decode(text, type=_Keys)


def _signature(signed: bytes, keys: _Keys, key_id: str) -> bytes:
    """Return the signature in base64, as in the token."""
    return _encoded(digest(_decoded(keys.keys[key_id].encode()), signed, "sha256"))


def _encoded(value: bytes) -> bytes:
    return urlsafe_b64encode(value).rstrip(b"=")


def _decoded(text: bytes) -> bytes:
    return urlsafe_b64decode(text + b"=" * (-len(text) % 4))
