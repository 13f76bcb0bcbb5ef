"""APNs' demands on the provider token, the headers and the payload (docs/reference/networks.md)."""

import re
import time
import uuid
from collections.abc import Iterator
from functools import lru_cache

import msgspec

from local.fakes.exchange import Headers, NetworkAnswer, NetworkRequest, Reply
from local.fakes.interruptions import Fault, GoAway, Http2Error, Reset
from local.fakes.keyring import ApnsKey
from local.fakes.lane import FakeEnvironment, FakeLane, FakeNetwork
from local.fakes.network import Networks
from local.fakes.provider_token import ProviderTokens, Refusal, TokensOfConnection
from local.fakes.switches import ApnsSwitches, Reach, TooMany

TOPIC_SUFFIXES = {
    "alert": "",
    "background": "",
    "voip": ".voip",
    "complication": ".h.complication",
    "controls": ".push-type.controls",
    "widgets": ".push-type.widgets",
    "fileprovider": ".pushkit.fileprovider",
    "liveactivity": ".push-type.liveactivity",
    "location": ".location-query",
    "pushtotalk": ".voip-ptt",
    "mdm": "",
}

_DEVICE = "/3/device/"
_HEX = re.compile(r"([0-9a-fA-F]{2})+")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_VIOLATED = GoAway(code=Http2Error.ENHANCE_YOUR_CALM, debug="Maximum active streams violated")
_BLAME = GoAway(debug={"reason": "BadDeviceToken"})


class FakeApns:
    """One connection to one environment."""

    def __init__(self, networks: Networks, environment: FakeEnvironment, tokens: ProviderTokens) -> None:
        self._networks = networks
        self._environment = environment
        self._lane = FakeLane(FakeNetwork.APNS, environment)
        self._tokens = TokensOfConnection(tokens, environment)
        self._authorised = False
        self._refused = False
        """Since the last 200 there was a 4xx that makes APNs careful."""
        self._bad_tokens = 0

    @property
    def _switches(self) -> ApnsSwitches:
        return self._networks.switches.of_apns(self._lane)

    @property
    def max_streams(self) -> int:
        switches = self._switches
        if not self._authorised:
            return switches.first_streams
        if self._refused and switches.streams_after_refusal is not None:
            return switches.streams_after_refusal
        return switches.max_streams

    @property
    def too_many(self) -> Fault:
        if self._switches.too_many is TooMany.GOAWAY:
            return _VIOLATED
        return Reset(Http2Error.REFUSED_STREAM)

    @property
    def silent(self) -> bool:
        return self._switches.reach is Reach.BLACK_HOLE

    def reply(self, request: NetworkRequest) -> Reply:
        token = request.path.removeprefix(_DEVICE) if request.path.startswith(_DEVICE) else None
        received = self._networks.record.write(request, self._lane, token)
        apns_id = request.header("apns-id") or ""
        headers = {"apns-id": apns_id if _UUID.fullmatch(apns_id) else str(uuid.uuid4())}
        refusal = self._refusal(request, token)
        if refusal is not None:
            status, reason = refusal
            return self._networks.refuse(received, NetworkAnswer.json(status, {"reason": reason}, headers))
        if self._environment is FakeEnvironment.SANDBOX:
            headers["apns-unique-id"] = str(uuid.uuid4())
        return self._networks.accept(received, NetworkAnswer(200, headers=headers))

    def answering(self, answer: NetworkAnswer) -> Fault | None:
        """A refusal makes APNs careful until the next success; many bad tokens make it leave."""
        if answer.status == 200:
            self._refused = False
        elif 400 <= answer.status < 500 and answer.status != 410:
            self._refused = True
        most = self._switches.goaway_after_bad_tokens
        if most is None:
            return None
        self._bad_tokens += b'"BadDeviceToken"' in answer.body
        return _BLAME if self._bad_tokens >= most else None

    def _refusal(self, request: NetworkRequest, token: str | None) -> Refusal | None:
        """The order is ours: method, path, provider token, headers, size, device token."""
        if request.method != "POST":
            return 405, "MethodNotAllowed"
        if token is None:
            return 404, "BadPath"
        switches = self._switches
        judged = self._tokens.judge(
            request.header("authorization"), time.time() + switches.clock_offset_s, switches
        )
        if not isinstance(judged, ApnsKey):
            return judged
        self._authorised = True
        bad_header = next(_header_faults(request, judged), None)
        if bad_header is not None:
            return 400, bad_header
        return _payload_fault(request.header("apns-push-type"), request.body) or _token_fault(token)


def _header_faults(request: NetworkRequest, key: ApnsKey) -> Iterator[str]:
    fields = request.fields
    if len(fields) != len(request.headers) and _repeated(request.headers):
        yield "DuplicateHeaders"
    push_type = fields.get("apns-push-type") or "alert"
    if push_type not in TOPIC_SUFFIXES:
        yield "InvalidPushType"
    topic = fields.get("apns-topic")
    if not topic:
        yield "MissingTopic"
    elif not any(topic == bundle + TOPIC_SUFFIXES.get(push_type, "") for bundle in key.topics):
        yield "BadTopic" if topic.startswith(key.topics) else "TopicDisallowed"
    # Left out, the priority is 10, and 10 is an error for a background push.
    priority = fields.get("apns-priority") or "10"
    if priority not in {"1", "5", "10"} or (push_type == "background" and priority == "10"):
        yield "BadPriority"
    expiration = fields.get("apns-expiration", "")
    if expiration and not (expiration.isascii() and expiration.isdigit()):
        yield "BadExpirationDate"
    apns_id = fields.get("apns-id")
    if apns_id is not None and not _UUID.fullmatch(apns_id):
        yield "BadMessageId"
    if len(fields.get("apns-collapse-id", "")) > 64:
        yield "BadCollapseId"


def _repeated(headers: Headers) -> bool:
    names = [name for name, _ in headers if name.startswith("apns-")]
    return len(names) != len(set(names))


@lru_cache(maxsize=256)
def _payload_fault(push_type: str | None, body: bytes) -> Refusal | None:
    """Apple names no reason for a body that is not a JSON object: here it is no payload at all."""
    if len(body) > (5120 if push_type == "voip" else 4096):
        return 413, "PayloadTooLarge"
    try:
        payload = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return 400, "PayloadEmpty"
    return None if isinstance(payload, dict) and payload else (400, "PayloadEmpty")


def _token_fault(token: str) -> Refusal | None:
    if not token:
        return 400, "MissingDeviceToken"
    # Zeros are no device's: deliver probes the lane with them.
    return None if _HEX.fullmatch(token) and token.strip("0") else (400, "BadDeviceToken")
