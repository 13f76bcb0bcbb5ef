"""The live credentials of an app on a network, and their text in an SSM parameter.

Up to two are live, on APNs two in each environment, the newest first, each with the moment from which it has
been. `only` names the environment of an APNs key that Apple limits to one:

    {"live": [{"since": 1795752000000, "only": "sandbox", "team_id": "…", "private_key": "MIIE…", …}, …]}

A private key is stored without PEM's first and last line and its line breaks, so that two service accounts
fit into the 4 KB of a parameter. A text without `live` is one credential, for example a service account's
file as Google issues it.
"""

import textwrap
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from fanfare.domain.device import Environment, Network
from fanfare.networks.credentials import (
    Credential,
    FcmCredential,
    apns_credential,
    decoded,
    fcm_credential,
    private_key,
)
from fanfare.networks.failures import CredentialMalformed

MOST_LIVE = 2


@dataclass(frozen=True, slots=True)
class Live:
    """A live credential. `since`: epoch ms, None if unknown. `only`: its environment if it has just one."""

    credential: Credential
    since: int | None = None
    only: Environment | None = None

    @property
    def environments(self) -> frozenset[Environment]:
        return frozenset(Environment if self.only is None else (self.only,))


class _Text(msgspec.Struct):
    live: list[dict[str, object]] | None = None


def from_text(network: Network, text: str) -> tuple[Live, ...]:
    """Parse the text of an SSM parameter; raises CredentialMalformed."""
    read: Callable[[str], Credential] = fcm_credential if network is Network.FCM else apns_credential
    entries = decoded(text, _Text).live
    if entries is None:
        return (Live(read(text)),)
    live = tuple(_entry(one, read) for one in entries)
    if not live or any(len(of_environment(live, place)) > MOST_LIVE for place in Environment):
        raise CredentialMalformed(f"{len(live)} credentials are live; store 1 or {MOST_LIVE} for one use")
    if network is Network.FCM and any(one.only for one in live):
        raise CredentialMalformed("only: FCM has no environments")
    for one in live[1:]:
        named = difference(live[0].credential, one.credential)
        if named is not None:
            raise CredentialMalformed(f"{named} differs between the two credentials that are live")
    return live


def of_environment(live: Sequence[Live], environment: Environment) -> list[Live]:
    """Return those for this environment, in order."""
    return [one for one in live if environment in one.environments]


def difference(one: Credential, other: Credential) -> str | None:
    """Return the name of a field that two live credentials must share and do not; None if they may both be
    live.

    Device tokens belong to a project, or to a team's apps; a credential of another one reaches none of them.
    """
    names = ("project_id",) if isinstance(one, FcmCredential) else ("team_id", "topics")
    return next((name for name in names if getattr(one, name) != getattr(other, name, None)), None)


def to_text(live: Sequence[Live]) -> str:
    entries = [
        {"since": one.since}
        | ({} if one.only is None else {"only": one.only})
        | msgspec.to_builtins(one.credential)
        | {"private_key": _one_line(one.credential.private_key)}
        for one in live
    ]
    return msgspec.json.encode({"live": entries}).decode()


def _entry(entry: dict[str, object], read: Callable[[str], Credential]) -> Live:
    since, only, line = entry.get("since"), entry.get("only"), entry.get("private_key")
    if only is not None and only not in Environment:
        raise CredentialMalformed(f"only: {' or '.join(Environment)}")
    body = "\n".join(textwrap.wrap(str(line), 64))
    pem = f"-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n"
    credential = read(msgspec.json.encode(entry | {"private_key": pem}).decode())
    place = None if only is None else Environment(str(only))
    return Live(credential, since if isinstance(since, int) else None, place)


def _one_line(pem: str) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    der = private_key(pem).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return b64encode(der).decode()
