"""FCM's HTTP v1 API: senders, messages, and error envelopes (docs/reference/networks.md)."""

import re
import secrets
import time
from typing import Any

from local.fakes.access_tokens import FakeAccessTokens
from local.fakes.exchange import NetworkAnswer, NetworkRequest, Reply
from local.fakes.fcm_message import MessageFault as MessageFault
from local.fakes.fcm_message import Verdict, Verdicts
from local.fakes.google_errors import (
    bad_request,
    error,
    fcm_error,
    page,
    permission_denied,
    project_quota,
    unauthenticated,
)
from local.fakes.interruptions import Fault, GoAway, Http2Error, Reset
from local.fakes.lane import FCM
from local.fakes.network import Networks
from local.fakes.oauth import TokenEndpoint
from local.fakes.quota import QuotaBucket
from local.fakes.switches import Reach, TooMany
from local.fakes.workload_identity import EXCHANGE, IMPERSONATION, WorkloadIdentity

_SEND = re.compile(r"/v1/projects/([^/]+)/messages:send")
_EXCEEDED = GoAway(code=Http2Error.PROTOCOL_ERROR, debug="exceeded_max_concurrent_streams")
_NOT_FOUND_PAGE = page(404, "Not Found")


class FakeFcm:
    """The conversation of every connection: FCM ties nothing to one."""

    def __init__(self, networks: Networks) -> None:
        self._networks = networks
        self.tokens = FakeAccessTokens()
        self._token_endpoint = TokenEndpoint(networks, self.tokens)
        self._workload_identity = WorkloadIdentity(networks, self.tokens)
        self._verdicts = Verdicts()
        self._bucket = QuotaBucket()

    @property
    def max_streams(self) -> int:
        return self._networks.switches.fcm.max_streams

    @property
    def too_many(self) -> Fault:
        if self._networks.switches.fcm.too_many is TooMany.GOAWAY:
            return _EXCEEDED
        return Reset(Http2Error.REFUSED_STREAM)

    @property
    def silent(self) -> bool:
        return self._networks.switches.fcm.reach is Reach.BLACK_HOLE

    def answering(self, answer: NetworkAnswer) -> Fault | None:
        return None

    def reply(self, request: NetworkRequest) -> Reply:
        path = request.path.partition("?")[0]
        credential = self._credential(request, path)
        if credential is not None:
            return credential
        verdict = self._verdicts.of(request.body)
        received = self._networks.record.write(request, FCM, verdict.target, dry=verdict.dry)
        send = _SEND.fullmatch(path)
        if send is None or request.method != "POST":
            return self._networks.refuse(received, _NOT_FOUND_PAGE)
        project = send[1]
        refusal = self._refusal(request, project, verdict)
        if refusal is not None:
            return self._networks.refuse(received, refusal)
        return self._networks.accept(received, _success(project, dry=verdict.dry))

    def _credential(self, request: NetworkRequest, path: str) -> Reply | None:
        """Google's other endpoints: real clients find them under other names."""
        if path == "/token":
            return self._token_endpoint.reply(request)
        if path == EXCHANGE:
            return self._workload_identity.exchange(request)
        impersonation = IMPERSONATION.fullmatch(path)
        return impersonation and self._workload_identity.impersonate(request, impersonation[1])

    def _refusal(self, request: NetworkRequest, project: str, verdict: Verdict) -> NetworkAnswer | None:
        issued = self.tokens.find((request.header("authorization") or "").removeprefix("Bearer "))
        if issued is None:
            return unauthenticated()
        if issued.expires_at <= time.time():
            return unauthenticated("ACCESS_TOKEN_EXPIRED")
        if project not in issued.projects:
            if project in self._networks.keyring.projects:
                return permission_denied(project)
            return error(404, "NOT_FOUND", "Requested entity was not found.")
        # Refused messages count, too.
        if not self._bucket.take(self._networks.switches.fcm.quota):
            return project_quota(project)
        content_type = (request.header("content-type") or "").partition(";")[0].strip().lower()
        if content_type != "application/json":
            return error(400, "INVALID_ARGUMENT", f"Unsupported content type: {content_type or 'none'}")
        return None if verdict.fault is None else _invalid(verdict.fault)


def _success(project: str, dry: bool) -> NetworkAnswer:
    message_id = "fake_message_id" if dry else f"0:{time.time_ns() // 1000}%{secrets.token_hex(8)}"
    return NetworkAnswer.json(
        200,
        {"name": f"projects/{project}/messages/{message_id}"},
        {"content-type": "application/json; charset=UTF-8"},
    )


def _invalid(fault: MessageFault) -> NetworkAnswer:
    details: list[dict[str, Any]] = []
    if fault.coded:
        details.append(fcm_error("INVALID_ARGUMENT"))
    if fault.description:
        details.append(bad_request(fault.field, fault.description))
    return error(400, "INVALID_ARGUMENT", fault.message, *details)
