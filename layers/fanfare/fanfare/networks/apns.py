"""APNs: one payload to many device tokens, in the production or the sandbox environment."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from urllib.parse import quote

from fanfare.domain.payload import ApnsPayload
from fanfare.networks.credentials import ApnsCredential
from fanfare.networks.endpoint import Endpoint
from fanfare.networks.http2.http2_sender import Http2Sender
from fanfare.networks.http2.policy import Policy
from fanfare.networks.provider_token import ProviderToken
from fanfare.networks.push_requests import Batch, Headers, RequestSender
from fanfare.networks.result import Result

POLICY = Policy(first_alone=True, most_connections=8, most_batches=10, authorization_s=1200)
"""Apple allows a new provider token on a connection every 20 minutes, and answers in tens of milliseconds.

After a refused token a connection takes one request at a time until a push succeeds. Only then does a batch
deserve eight connections; otherwise one is enough.
"""


@dataclass(frozen=True, slots=True)
class ApnsPush:
    token: str
    apns_id: str
    """A UUID that APNs returns and logs. `apns_id` makes one that all attempts share."""


def apns_id(message_id: str, token: str) -> str:
    """Return a UUID of version 5. It is formatted by hand, since the UUID class takes three times as long."""
    digest = blake2b(f"{message_id}#{token}".encode(), digest_size=16).hexdigest()
    variant = "89ab"[int(digest[16], 16) & 3]
    return f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-{variant}{digest[17:20]}-{digest[20:]}"


def _path(token: str) -> bytes:
    return f"/3/device/{token if token.isascii() and token.isalnum() else quote(token, safe='')}".encode()


class Apns:
    """Sends in one environment with one team and key; a connection's first push binds it to them."""

    def __init__(self, topic: str, provider_token: ProviderToken, sender: RequestSender) -> None:
        self._topic = topic
        self._provider_token = provider_token
        self._sender = sender

    @staticmethod
    def at(endpoint: str, credential: ApnsCredential, *, ca_file: str = "") -> "Apns":
        """Return a sender for `https://host[:port]`; raises ValueError if `endpoint` has another form."""
        sender = Http2Sender(Endpoint.of(endpoint, ca_file), POLICY)
        return Apns(credential.topics[0], ProviderToken(credential), sender)

    def for_topic(self, topic: str) -> "Apns":
        """Return a sender to another app with the same team and key, over the same connections."""
        return Apns(topic, self._provider_token, self._sender)

    def send(
        self, pushes: Sequence[ApnsPush], payload: ApnsPayload, *, deadline_s: float, apart: bool = False
    ) -> list[Result]:
        """Return a result for each push, in order."""
        batch = Batch(
            self._headers(payload),
            [_path(push.token) for push in pushes],
            payload.body,
            "apns-id",
            [push.apns_id.encode() for push in pushes],
            apart,
        )
        return self._sender.send(batch, deadline_s=deadline_s)

    def take_fresh_credential(self) -> None:
        """Renew the provider token (perhaps to the same one) and the connection, after
        retry_fresh_credential."""
        self._provider_token.renew()
        self._sender.renew()

    def close(self) -> None:
        self._sender.close()

    def _headers(self, payload: ApnsPayload) -> Headers:
        optional = {"apns-expiration": payload.expiration, "apns-collapse-id": payload.collapse_id}
        return (
            ("authorization", f"bearer {self._provider_token.bearer()}"),
            ("apns-topic", self._topic),
            ("apns-push-type", payload.push_type),
            ("apns-priority", str(payload.priority)),
            *((name, str(value)) for name, value in optional.items() if value is not None),
        )
