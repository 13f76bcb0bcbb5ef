"""FCM: one payload to many device tokens of a project."""

import json
import re
from collections.abc import Sequence

from fanfare.domain.device import is_firebase_id
from fanfare.domain.payload import FcmPayload
from fanfare.networks.credentials import FcmCredential
from fanfare.networks.endpoint import Endpoint
from fanfare.networks.http2.http2_sender import Http2Sender
from fanfare.networks.http2.policy import Policy
from fanfare.networks.oauth import AccessTokens
from fanfare.networks.push_requests import Batch, RequestSender
from fanfare.networks.result import Result

_PLAIN = re.compile(r"[A-Za-z0-9:_.~%+/=-]*")
"""Tokens of these characters need no escaping in JSON; nearly all tokens are of this kind."""

POLICY = Policy(first_alone=False, most_streams=100, most_connections=32, most_batches=10)
"""Google allows 100 streams and answers in 60 to 180 ms, so a connection sends some 800 pushes a
second."""


class Fcm:
    def __init__(self, project_id: str, access: AccessTokens, sender: RequestSender) -> None:
        self._path = f"/v1/projects/{project_id}/messages:send".encode()
        self._access = access
        self._sender = sender
        self._bearer = ""

    @staticmethod
    def at(endpoint: str, credential: FcmCredential, *, ca_file: str = "") -> "Fcm":
        """Return a sender for `https://host[:port]`; raises ValueError if `endpoint` has another form."""
        sender = Http2Sender(Endpoint.of(endpoint, ca_file), POLICY)
        return Fcm(credential.project_id, AccessTokens(credential, ca_file=ca_file), sender)

    def for_account(self, credential: FcmCredential, *, ca_file: str = "") -> "Fcm":
        """Return a sender with another service account over the same connections: FCM authorizes each
        push."""
        return Fcm(credential.project_id, AccessTokens(credential, ca_file=ca_file), self._sender)

    def prepare(self, deadline_s: float) -> None:
        """Get an access token. Raises CredentialRefused or CredentialUnavailable."""
        self._access.bearer(deadline_s)

    def send(
        self, tokens: Sequence[str], payload: FcmPayload, *, deadline_s: float, apart: bool = False
    ) -> list[Result]:
        """Return a result for each device token, in order. Raises CredentialRefused or
        CredentialUnavailable."""
        self._bearer = self._access.bearer(deadline_s)
        headers = (("content-type", "application/json"), ("authorization", f"Bearer {self._bearer}"))
        bodies = [_body(payload, token) for token in tokens]
        return self._sender.send(Batch(headers, self._path, bodies, apart=apart), deadline_s=deadline_s)

    def take_fresh_credential(self) -> None:
        """Use another access token for the next batch, after retry_fresh_credential."""
        self._access.invalidate(self._bearer)

    def close(self) -> None:
        self._sender.close()


def _body(payload: FcmPayload, token: str) -> bytes:
    target = payload.target or ("fid" if is_firebase_id(token) else "token")
    inside = token if _PLAIN.fullmatch(token) else json.dumps(token)[1:-1]
    return b'%b"%b":"%b"%b' % (payload.prefix, target.encode(), inside.encode(), payload.suffix)
