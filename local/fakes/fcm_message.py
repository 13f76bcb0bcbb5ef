"""FCM's objections to a messages:send body: first its strict JSON form, then the rules."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import msgspec

MAX_PAYLOAD = 4096
MAX_TOPIC_PAYLOAD = 2048
MAX_TTL_S = 2_419_200
TARGETS = ("fid", "token", "topic", "condition")

_TOKEN = re.compile(rb'"(?:token|fid)"\s*:\s*"([A-Za-z0-9:_.~%+/=-]+)"')
_SENTINEL = b"a-token-that-no-body-has"
_MOST_KNOWN = 1024


@dataclass(frozen=True, slots=True)
class MessageFault:
    """`coded`: FCM itself refused (FcmError in the details), not the JSON front before it."""

    message: str
    field: str
    description: str
    coded: bool

    @staticmethod
    def of_form(field: str, text: str) -> "MessageFault":
        return MessageFault(text, field, text, coded=False)

    @staticmethod
    def of_argument(field: str, description: str) -> "MessageFault":
        return MessageFault("Request contains an invalid argument.", field, description, coded=True)


@dataclass(frozen=True, slots=True)
class Verdict:
    """FCM's reading of a body. `dry`: it is only to be checked."""

    target: str | None
    """The device token or FID."""
    dry: bool
    fault: MessageFault | None


class Verdicts:
    """Bodies that differ in a plain device token alone have one verdict: it is found once."""

    def __init__(self) -> None:
        self._good: dict[tuple[bytes, bytes], Verdict] = {}

    def of(self, body: bytes) -> Verdict:
        place = _TOKEN.search(body)
        if place is None:
            return _verdict(body)
        around = body[: place.start(1)], body[place.end(1) :]
        known = self._good.get(around)
        if known is not None:
            return replace(known, target=place[1].decode())
        verdict = _verdict(body)
        if verdict.fault is None and _verdict(_SENTINEL.join(around)).target == _SENTINEL.decode():
            if len(self._good) >= _MOST_KNOWN:
                self._good.clear()
            self._good[around] = verdict
        return verdict


def _verdict(body: bytes) -> Verdict:
    try:
        document = canonical(msgspec.json.decode(body))
    except (msgspec.DecodeError, RecursionError) as error:
        broken = MessageFault(f"Invalid JSON payload received. {error}", "", "", coded=False)
        return Verdict(None, False, broken)
    dry = isinstance(document, dict) and document.get("validate_only") is True
    return Verdict(_target(document), dry, first_fault(document))


def _target(document: Any) -> str | None:
    message = document.get("message") if isinstance(document, dict) else None
    if not isinstance(message, dict):
        return None
    target = message.get("token") or message.get("fid")
    return target if isinstance(target, str) else None


STRINGS = "map<string, string>"
OBJECT = "google.protobuf.Struct"
LIST = "repeated string"

_ANDROID_NOTIFICATION = {
    **dict.fromkeys(
        ("title", "body", "icon", "color", "sound", "tag", "click_action", "image", "ticker"), str
    ),
    **dict.fromkeys(("body_loc_key", "title_loc_key", "channel_id", "event_time"), str),
    **dict.fromkeys(("notification_priority", "visibility", "proxy"), str),
    **dict.fromkeys(("body_loc_args", "title_loc_args", "vibrate_timings"), LIST),
    **dict.fromkeys(("sticky", "local_only", "bypass_proxy_notification"), bool),
    **dict.fromkeys(("default_sound", "default_vibrate_timings", "default_light_settings"), bool),
    "notification_count": int,
    "light_settings": OBJECT,
}
_MESSAGE: dict[str, Any] = {
    **dict.fromkeys(("name", *TARGETS), str),
    "data": STRINGS,
    "notification": dict.fromkeys(("title", "body", "image"), str),
    "android": {
        **dict.fromkeys(("collapse_key", "priority", "ttl", "restricted_package_name"), str),
        "data": STRINGS,
        "notification": _ANDROID_NOTIFICATION,
        "fcm_options": {"analytics_label": str},
        "direct_boot_ok": bool,
        "bandwidth_constrained_ok": bool,
        "restricted_satellite_ok": bool,
    },
    "android_v2": OBJECT,
    "apns": {
        "headers": STRINGS,
        "payload": OBJECT,
        "fcm_options": dict.fromkeys(("analytics_label", "image"), str),
        "live_activity_token": str,
    },
    "webpush": {
        "headers": STRINGS,
        "data": STRINGS,
        "notification": OBJECT,
        "fcm_options": dict.fromkeys(("link", "analytics_label"), str),
    },
    "fcm_options": {"analytics_label": str},
}
_REQUEST: dict[str, Any] = {"message": _MESSAGE, "validate_only": bool}
_TYPE_NAMES = {str: "TYPE_STRING", bool: "TYPE_BOOL", int: "TYPE_INT32"}
_TTL = re.compile(r"(\d+)(\.\d{1,9})?s")


def first_fault(body: Any) -> MessageFault | None:
    """None for a body that FCM would take. `body`: the parsed JSON in canonical form."""
    if not isinstance(body, dict):
        return MessageFault.of_form("", "Invalid JSON payload received. Root element must be a message.")
    return next(_form_faults(body, _REQUEST, ""), None) or next(_argument_faults(body), None)


def canonical(body: Any) -> Any:
    """The body with lowerCamelCase field names in snake_case, as proto JSON takes both; map keys stay."""
    return _canonical(body, _REQUEST)


def _canonical(value: Any, shape: Any) -> Any:
    if not isinstance(shape, dict) or not isinstance(value, dict):
        return value
    names = {key: _snake(key) if _snake(key) in shape else key for key in value}
    return {names[key]: _canonical(item, shape.get(names[key])) for key, item in value.items()}


def _snake(name: str) -> str:
    return re.sub(r"[A-Z]", lambda letter: "_" + letter.group().lower(), name)


def _form_faults(value: Any, shape: Any, at: str) -> Iterator[MessageFault]:
    if value is None:
        return
    if shape == STRINGS:
        yield from _map_faults(value, at)
    elif shape == LIST:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            yield MessageFault.of_form(at, f"Invalid value at '{at}' (TYPE_STRING), {json.dumps(value)}")
    elif shape == OBJECT or isinstance(shape, dict):
        if not isinstance(value, dict):
            yield MessageFault.of_form(at, f"Invalid value at '{at}' (message), {json.dumps(value)}")
        elif isinstance(shape, dict):
            yield from _field_faults(value, shape, at)
    elif not isinstance(value, shape) or (shape is int and isinstance(value, bool)):
        yield MessageFault.of_form(at, f"Invalid value at '{at}' ({_TYPE_NAMES[shape]}), {json.dumps(value)}")


def _field_faults(value: dict[str, Any], shape: dict[str, Any], at: str) -> Iterator[MessageFault]:
    for key, item in value.items():
        if key not in shape:
            where = f" at '{at}'" if at else ""
            yield MessageFault.of_form(
                at, f'Invalid JSON payload received. Unknown name "{key}"{where}: Cannot find field.'
            )
        else:
            yield from _form_faults(item, shape[key], f"{at}.{key}".lstrip("."))


def _map_faults(value: Any, at: str) -> Iterator[MessageFault]:
    if not isinstance(value, dict):
        yield MessageFault.of_form(at, f"Invalid value at '{at}' (map), {json.dumps(value)}")
        return
    for index, item in enumerate(value.values()):
        if not isinstance(item, str):
            field = f"{at}[{index}].value"
            yield MessageFault.of_form(field, f"Invalid value at '{field}' (TYPE_STRING), {json.dumps(item)}")


def _argument_faults(body: dict[str, Any]) -> Iterator[MessageFault]:
    message = body.get("message") or {}
    targets = [name for name in message if name in TARGETS and message[name]]
    if not targets:
        text = "Recipient of the message is not set."
        yield MessageFault(text, "message", text, coded=True)
        return
    if len(targets) > 1:
        taken = f"oneof field 'target' is already set. Cannot set '{targets[1]}'"
        yield MessageFault.of_form("message", f"Invalid value at 'message' (oneof), {taken}")
    android = message.get("android") or {}
    for field, data in (("message.data", message.get("data")), ("message.android.data", android.get("data"))):
        for key in data or {}:
            if key in {"from", "message_type"} or key.startswith(("google", "gcm")):
                yield MessageFault.of_argument(field, f"Invalid data payload key: {key}")
    yield from _android_faults(android)
    limit = MAX_TOPIC_PAYLOAD if targets[0] in {"topic", "condition"} else MAX_PAYLOAD
    if _android_size(message, android) > limit:
        text = f"Message is too large. The maximum is {limit // 1024}K ({limit} bytes)."
        yield MessageFault(text, "", "", coded=True)
    aps = (message.get("apns") or {}).get("payload") or {}
    if len(json.dumps(aps, separators=(",", ":"), ensure_ascii=False).encode()) > limit:
        yield MessageFault("iOS message is too big", "", "", coded=True)


def _android_faults(android: dict[str, Any]) -> Iterator[MessageFault]:
    ttl = android.get("ttl")
    if ttl is not None:
        match = _TTL.fullmatch(ttl)
        if match is None:
            kind = "type.googleapis.com/google.protobuf.Duration"
            yield MessageFault.of_form(
                "message.android.ttl", f"Invalid value at 'message.android.ttl' ({kind}), {ttl}"
            )
        elif int(match[1]) > MAX_TTL_S:
            yield MessageFault.of_argument("message.android.ttl", "Invalid ttl")
    priority = android.get("priority")
    if priority is not None and priority.upper() not in {"NORMAL", "HIGH"}:
        field = "message.android.priority"
        kind = "type.googleapis.com/google.firebase.fcm.v1.AndroidConfig.AndroidMessagePriority"
        yield MessageFault.of_form(field, f"Invalid value at '{field}' ({kind}), {json.dumps(priority)}")


def _android_size(message: dict[str, Any], android: dict[str, Any]) -> int:
    """Keys and values of the data, and the texts of the notification, in bytes of UTF-8."""
    data = android.get("data") or message.get("data") or {}
    notification = (message.get("notification") or {}) | (android.get("notification") or {})
    size = sum(len(key.encode()) + len(value.encode()) for key, value in data.items())
    return size + sum(len(value.encode()) for value in notification.values() if isinstance(value, str))
