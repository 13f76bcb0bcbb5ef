"""The keys that the networks know, as public halves: they may be added, limited and revoked by call."""

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from local.fakes.lane import FakeEnvironment


class ApnsKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    key_id: str
    team_id: str
    public_key: str
    """PEM."""
    topics: tuple[str, ...]
    """The bundle IDs that it may send to."""
    environment: FakeEnvironment | None = None
    """The only one it is for; None: both."""
    family: str = ""
    """Keys of one family may follow one another on a connection; empty: its team's."""

    def __post_init__(self) -> None:
        key = _public(self.public_key)
        if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
            raise ValueError("public_key is no key of the curve P-256")

    @property
    def related(self) -> tuple[str, str]:
        return self.team_id, self.family


class ServiceAccountKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    key_id: str
    client_email: str
    project_id: str
    public_key: str
    """PEM."""
    may_send_to: tuple[str, ...] = ()
    """Projects besides its own."""

    def __post_init__(self) -> None:
        if not isinstance(_public(self.public_key), RSAPublicKey):
            raise ValueError("public_key is no RSA key")

    @property
    def projects(self) -> frozenset[str]:
        return frozenset((self.project_id, *self.may_send_to))


class Keyring:
    def __init__(self, token_uri: str, account: ServiceAccountKey, apns: ApnsKey) -> None:
        self.token_uri = token_uri
        self._first = account, apns
        self.changes = 0
        """The number of changes of the keys: an earlier verification may be void."""
        self.reset()

    def reset(self) -> None:
        """The stack's own keys, and no others."""
        account, apns = self._first
        self.accounts = {account.key_id: account}
        self.apns = {apns.key_id: apns}
        self.changes += 1

    @property
    def projects(self) -> set[str]:
        """All that FCM knows: of keys that were revoked, too, if the stack's own account has them."""
        own, _ = self._first
        return {project for account in (own, *self.accounts.values()) for project in account.projects}

    def register(self, key: ApnsKey | ServiceAccountKey) -> None:
        """One with the same ID is replaced."""
        if isinstance(key, ApnsKey):
            self.apns[key.key_id] = key
        else:
            self.accounts[key.key_id] = key
        self.changes += 1

    def revoke(self, key_id: str) -> bool:
        """False: there is none of that ID."""
        known = self.apns.pop(key_id, None) or self.accounts.pop(key_id, None)
        self.changes += 1
        return known is not None


def _public(pem: str) -> object:
    try:
        return load_pem_public_key(pem.encode())
    except ValueError as error:
        raise ValueError("public_key is no public key in PEM") from error
