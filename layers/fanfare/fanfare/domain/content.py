"""Turn a push message into each network's bytes, with Kii's keys: long ones for FCM, short ones for APNs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from fanfare.domain import server_keys
from fanfare.domain.device import Network
from fanfare.domain.payload import ApnsPayload, FcmPayload, Payloads
from fanfare.domain.scope import Scope, Target

PAYLOAD_LIMIT = 4096
"""Limit of both networks: bytes of a payload as it goes out, including the fields that the server adds."""

Scalar = str | int | float | bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FcmContent:
    """The sender's content for FCM, from the `fcm` block or else `gcm`; `data` includes the common data."""

    data: Mapping[str, Scalar] = field(default_factory=dict)
    notification: Mapping[str, str] | None = None
    collapse_key: str | None = None
    priority: str | None = None
    ttl_s: int | None = None
    restricted_package_name: str | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ApnsContent:
    """The sender's content for APNs, from the `apns` block; `data` includes the common data."""

    data: Mapping[str, Scalar] = field(default_factory=dict)
    alert: str | Mapping[str, object] | None = None
    sound: str | None = None
    badge: int | None = None
    content_available: bool = False
    category: str | None = None
    mutable_content: bool = False
    ttl_s: int | None = None

    @property
    def is_visible(self) -> bool:
        """True if the device shows, plays or marks something; otherwise the push is a background push."""
        return self.alert is not None or self.sound is not None or self.badge is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A message of the REST API with its defaults filled in. A network that is not enabled has None."""

    fcm: FcmContent | None = None
    apns: ApnsContent | None = None
    type: str | None = None
    send_app_id: bool = False
    send_sender: bool = True
    send_when: bool = False
    send_origin: bool = False
    send_object_scope: bool = True
    send_topic_id: bool = True


@dataclass(frozen=True, slots=True)
class ObjectEvent:
    """A change in a bucket that fires a Push to App; `at` and `modified_at` are epoch ms."""

    name: str
    bucket: Target
    object_id: str
    at: int
    sender: str | None
    modified_at: int | None = None


class PayloadTooLarge(ValueError):
    """The payload for a network exceeds PAYLOAD_LIMIT."""

    def __init__(self, network: str, size: int) -> None:
        super().__init__(
            f"the {network} payload has {size} bytes; send at most {PAYLOAD_LIMIT}: shorten data and texts"
        )


_NOT_ON_APNS_FOR_EVENTS = ("app_id", "sender", "origin", "modified_at")


def of_message(
    message_id: str, app: str, content: Content, *, topic: Target | None, sender: str | None, at: int
) -> Payloads:
    """Return the payloads of a Push to User, or of a direct push if `topic` is None.

    `at` is epoch ms. Raises DataKeysTaken if `data` has keys that the server adds, PayloadTooLarge.
    """
    added: dict[str, str | int | None] = {
        "app_id": app if content.send_app_id else None,
        "sender": sender if content.send_sender else None,
        "when": at if content.send_when else None,
        "origin": "EXPLICIT" if content.send_origin else None,
        "type": content.type,
    }
    if topic is not None:
        added["topic"] = topic.name if content.send_topic_id else None
        if content.send_object_scope:
            added |= _scope(topic.scope)
    return Payloads(
        fcm=None if content.fcm is None else _fcm(message_id, content.fcm, added),
        apns=None if content.apns is None else _apns(message_id, content.apns, added),
    )


def of_event(event: ObjectEvent) -> Payloads:
    """Return the payloads of a Push to App. As in Kii they cannot be configured, are silent on iOS, and
    collapse by bucket on FCM."""
    added: dict[str, str | int | None] = {
        "app_id": event.bucket.app,
        "sender": event.sender,
        "origin": server_keys.EVENT_ORIGIN[1],
        "when": event.at,
        "type": event.name,
        **_scope(event.bucket.scope),
        "bucket": event.bucket.name,
        "bucket_type": "rw",
        "object": event.object_id,
        "modified_at": event.modified_at,
    }
    short = {key: value for key, value in added.items() if key not in _NOT_ON_APNS_FOR_EVENTS}
    return Payloads(
        fcm=_fcm("", FcmContent(collapse_key=event.bucket.name), added),
        apns=_apns("", ApnsContent(), short),
    )


def _scope(scope: Scope) -> dict[str, str | int | None]:
    return {
        "scope_app": scope.app,
        "scope_user": scope.user,
        "scope_group": scope.group,
        "scope_type": scope.type,
    }


def _fcm(message_id: str, content: FcmContent, added: Mapping[str, str | int | None]) -> FcmPayload:
    whole = {**content.data, **server_keys.named(Network.FCM, added, content.data)}
    data = {key: _text(value) for key, value in whole.items()}
    # "high" is FCM's default for notifications; the message states it all the same.
    priority = content.priority or ("high" if content.notification else None)
    android: dict[str, object] = {
        "collapse_key": content.collapse_key,
        "priority": priority.upper() if priority else None,
        "restricted_package_name": content.restricted_package_name,
    }
    notification = content.notification
    if notification is not None:
        # With a tag a repeated push replaces the one on display, so a doubled delivery shows once.
        notification = {"tag": message_id, **notification}
        android["notification"] = notification
    if content.ttl_s is not None:
        android["ttl"] = f"{content.ttl_s}s"  # last, so that its position in the bytes is known
    size = len(_json(data)) + (len(_json(notification)) if notification else 0)
    if size > PAYLOAD_LIMIT:
        raise PayloadTooLarge("FCM", size)
    message: dict[str, object] = {"data": data} if data else {}
    android = {key: value for key, value in android.items() if value is not None}
    if android:
        message["android"] = android
    rest = _json(message)[1:]  # without its opening brace, because the target comes first
    suffix = (b"," if message else b"") + rest + b"}"
    return FcmPayload(
        prefix=b'{"validate_only":true,"message":{' if content.dry_run else b'{"message":{',
        suffix=suffix,
        ttl_s=content.ttl_s,
        ttl_at=0 if content.ttl_s is None else len(suffix) - len(b'%ds"}}}' % content.ttl_s),
    )


def _apns(message_id: str, content: ApnsContent, added: Mapping[str, str | int | None]) -> ApnsPayload:
    visible = content.is_visible
    aps: dict[str, object] = {
        "alert": content.alert,
        "badge": content.badge,
        "sound": content.sound,
        "category": content.category,
        # APNs requires a background push to have a non-empty `aps`.
        "content-available": 1 if content.content_available or not visible else None,
        "mutable-content": 1 if content.mutable_content else None,
    }
    payload: dict[str, object] = {"aps": {key: value for key, value in aps.items() if value is not None}}
    payload |= {**content.data, **server_keys.named(Network.APNS, added, content.data)}
    body = _json(payload)
    if len(body) > PAYLOAD_LIMIT:
        raise PayloadTooLarge("APNs", len(body))
    return ApnsPayload(
        body=body,
        push_type="alert" if visible else "background",
        priority=10 if visible else 5,
        collapse_id=message_id if visible and message_id else None,
        ttl_s=content.ttl_s,
    )


def _text(value: Scalar) -> str:
    """Convert a value of `data` for FCM, which takes strings only: true and numbers as JSON writes them."""
    return value if isinstance(value, str) else json.dumps(value)


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
