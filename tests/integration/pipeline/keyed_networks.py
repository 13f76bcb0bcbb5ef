"""FCM and APNs in this process, as far as credentials go: each push with its key and its token."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from fanfare.domain.outcome.answer import Answer
from fanfare.networks import apns, fcm, oauth
from fanfare.networks.endpoint import Endpoint
from fanfare.networks.push_requests import Batch
from fanfare.networks.result import Answered, Result

OK = Answered(200, {}, b"")
INVALID_GRANT = b'{"error":"invalid_grant"}'


def fcm_refusal(status: int) -> Answered:
    return Answered(status, {}, json.dumps({"error": {"code": status, "status": "NO"}}).encode())


def apns_refusal(reason: str, status: int = 403) -> Answered:
    return Answered(status, {"apns-id": "x"}, json.dumps({"reason": reason}).encode())


@dataclass(slots=True)
class Carrier:
    """Stands for the connections of one pool."""

    networks: "KeyedNetworks"
    place: str
    """The first word of its host's name: `sandbox`, say."""
    keys: list[str] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    topics: list[tuple[str, int]] = field(default_factory=list)
    """The key of each batch for APNs, with its size."""
    closed: int = 0

    def send(self, batch: Batch, *, deadline_s: float) -> list[Result]:
        bearer = dict(batch.headers)["authorization"].partition(" ")[2]
        is_google = bearer.startswith("ya29.")
        key = bearer.split(".")[1] if is_google else jwt.get_unverified_header(bearer)["kid"]
        self.keys.append(key)
        self.batches.append(len(batch))
        if is_google:
            messages = [json.loads(body)["message"] for body in batch.bodies if isinstance(body, bytes)]
            tokens = [one.get("token") or one.get("fid") or one["topic"] for one in messages]
        else:
            self.topics.append((dict(batch.headers)["apns-topic"], len(batch)))
            tokens = [
                bytes(path).decode().rpartition("/")[2] for path in batch.paths if isinstance(path, bytes)
            ]
        return [self.networks.answer(self.place, key, bearer, token) for token in tokens]

    def renew(self) -> None:
        self.closed += 1

    close = renew


_PROBES = {"fanfare-probe", 64 * "0"}


@dataclass(slots=True)
class KeyedNetworks:
    """`refuses`: the answer to a push by the key of that ID; `lasts`: after that many pushes by it."""

    refuses: dict[str, Answered] = field(default_factory=dict)
    refuses_in: dict[tuple[str, str], Answered] = field(default_factory=dict)
    """The same by the first word of the host's name and the key."""
    refuses_device: dict[str, Answered] = field(default_factory=dict)
    """The same by the device token."""
    lasts: dict[str, int] = field(default_factory=dict)
    stale: set[str] = field(default_factory=set)
    """Access tokens that FCM does not take any more."""
    no_grant: dict[str, int] = field(default_factory=dict)
    """Answers of Google's token endpoint to service accounts, by their key's ID."""
    granted: list[str] = field(default_factory=list)
    taken: list[tuple[str, str]] = field(default_factory=list)
    """Key and device token of each push that went through; probes reach no device."""
    refused: list[tuple[str, str]] = field(default_factory=list)
    carriers: list[Carrier] = field(default_factory=list)

    def install(self, patch: pytest.MonkeyPatch) -> None:
        for module in (apns, fcm):
            patch.setattr(module, "Http2Sender", self._carrier)
        patch.setattr(oauth, "over_https", self._token)

    def answer(self, place: str, key: str, bearer: str, token: str) -> Result:
        refusal = self.refuses.get(key) or self.refuses_in.get((place, key)) or self.refuses_device.get(token)
        if bearer in self.stale:
            refusal = fcm_refusal(401)
        if refusal is not None and self.lasts.get(key, 0) <= 0:
            self.refused.append((key, token))
            return refusal
        if key in self.lasts:
            self.lasts[key] -= 1
        if token not in _PROBES:
            self.taken.append((key, token))
        return OK

    def keys_of(self, tokens: list[str]) -> list[str]:
        """The key that each of the tokens was reached by; fails where one was reached twice or not at all."""
        assert sorted(token for _, token in self.taken) == sorted(tokens)
        return sorted({key for key, _ in self.taken})

    def _carrier(self, endpoint: Endpoint, _: object) -> Carrier:
        carrier = Carrier(self, endpoint.host.partition(".")[0])
        self.carriers.append(carrier)
        return carrier

    def _token(self, url: str, form: Mapping[str, str], ca_file: str, limit_s: float) -> Answer:
        key = jwt.get_unverified_header(form["assertion"])["kid"]
        if key in self.no_grant:
            return Answer(self.no_grant[key], {}, INVALID_GRANT)
        self.granted.append(key)
        token = f"ya29.{key}.{len(self.granted)}"
        return Answer(200, {}, msgspec.json.encode({"access_token": token, "expires_in": 3599}))


def service_account(key_id: str) -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    document = {
        "type": "service_account",
        "project_id": "acme-push",
        "private_key_id": key_id,
        "private_key": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        "client_email": f"{key_id}@acme-push.iam.gserviceaccount.com",
        "token_uri": "https://oauth2.googleapis.com/token",
    }
    return json.dumps(document)


def signing_key(key_id: str, *topics: str) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return json.dumps(
        {
            "key_id": key_id,
            "team_id": "TEAM000001",
            "topics": topics or ["com.example.app"],
            "private_key": pem,
        }
    )
