"""Parse the body of a send into each network's content, with the contract's reasons to refuse it."""

from dataclasses import dataclass
from math import ceil
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from fanfare.api import data_keys, parsing
from fanfare.api.request import Request
from fanfare.domain.content import (
    PAYLOAD_LIMIT,
    ApnsContent,
    Content,
    FcmContent,
    Scalar,
)
from fanfare.domain.errors import InvalidInput

MAX_KEYS = 1_000
"""Maximum number of keys of data, and arguments of a localized text. Each takes at least five bytes of a
payload."""

MAX_TTL_S = 2_419_200
"""Four weeks: the longest that FCM keeps a message."""

PACKAGE_NAME = r"^[A-Za-z0-9_.]{1,255}\Z"

MAX_COLLAPSE_KEY = 64
"""Maximum size in bytes of a collapse key: APNs' limit, used for FCM as well, which documents none."""

# The limit of a payload holds for its parts in total; these repeat it for each part.
type _Text = Annotated[str, Meta(max_length=PAYLOAD_LIMIT)]
type _Integer = Annotated[int, Meta(ge=-(1 << 63), le=(1 << 63) - 1)]
type _Texts = Annotated[dict[_Text, _Text], Meta(max_length=MAX_KEYS)]
type _Values = Annotated[dict[_Text, _Text | _Integer | float | bool], Meta(max_length=MAX_KEYS)]
type _Arguments = Annotated[list[_Text], Meta(max_length=MAX_KEYS)]
type _Seconds = Annotated[int, Meta(ge=0, le=MAX_TTL_S)]
type _Duration = Annotated[
    str,
    Meta(
        pattern=r"^[0-9]{1,7}(\.[0-9]{1,9})?s\Z",
        max_length=18,
        description='seconds as text, such as "3600s"',
    ),
]
type _PackageName = Annotated[
    str,
    Meta(
        pattern=PACKAGE_NAME,
        max_length=255,
        description="an Android package name: up to 255 letters, digits, dots and underscores",
    ),
]
type _Ttl = _Seconds | _Duration
type _Flag = bool | _Integer


class _Notification(Struct, rename="camel"):
    """The fields have Android's names; Kii supports these and no others."""

    title: _Text | None = None
    body: _Text | None = None
    icon: _Text | None = None
    sound: _Text | None = None
    tag: _Text | None = None
    color: _Text | None = None
    click_action: _Text | None = None


class _Alert(Struct, rename="camel"):
    """The fields have APNs' names with `_` for `-`."""

    body: _Text | None = None
    title: _Text | None = None
    subtitle: _Text | None = None
    launch_image: _Text | None = None
    action_loc_key: _Text | None = None
    loc_key: _Text | None = None
    loc_args: _Arguments | None = None
    title_loc_key: _Text | None = None
    title_loc_args: _Arguments | None = None
    subtitle_loc_key: _Text | None = None
    subtitle_loc_args: _Arguments | None = None


class _Fcm(Struct, rename="camel"):
    """The block `fcm`, and `gcm`, which is Kii's older name for the same network."""

    enabled: bool | None = None
    data: _Texts | None = None
    notification: _Notification | None = None
    collapse_key: Annotated[str, Meta(max_length=MAX_COLLAPSE_KEY)] | None = None
    priority: Literal["high", "normal"] | None = None
    ttl: _Ttl | None = None
    time_to_live: _Seconds | None = None
    delay_while_idle: bool | None = None
    """An option of the old GCM, without effect in FCM."""
    restricted_package_name: _PackageName | None = None
    dry_run: bool | None = None


class _Apns(Struct, rename="camel"):
    enabled: bool | None = None
    data: _Values | None = None
    alert: _Text | _Alert | None = None
    sound: _Text | None = None
    badge: Annotated[int, Meta(ge=0, le=(1 << 31) - 1)] | None = None
    content_available: _Flag | None = None
    category: _Text | None = None
    mutable_content: _Flag | None = None
    ttl: _Ttl | None = None
    time_to_live: _Seconds | None = None
    """An addition of ours, like `ttl`: Kii's block for APNs has neither."""


class Message(Struct, rename=parsing.contract_name):
    data: _Values | None = None
    fcm: _Fcm | None = None
    gcm: _Fcm | None = None
    apns: _Apns | None = None
    time_to_live: _Seconds | None = None
    """An addition of ours: the value for every network without one in its block."""
    push_message_type: _Text | None = None
    send_to_development: bool | None = None
    send_to_production: bool | None = None
    send_app_id: bool | None = None
    send_sender: bool | None = None
    send_when: bool | None = None
    send_origin: bool | None = None
    send_object_scope: bool | None = None
    send_topic_id: bool | None = None


@dataclass(frozen=True, slots=True)
class SendRequest:
    """The content to send, and the environments of the installations that get it."""

    content: Content
    to_production: bool
    to_development: bool


def read(request: Request[Any]) -> SendRequest:
    """Parse the body; raises InvalidJson, InvalidInput."""
    given = parsing.document(request, Message)
    blocks = (given.fcm, given.gcm, given.apns)
    if all(block is None or block.enabled is None for block in blocks):
        raise InvalidInput(
            "fcm.enabled, gcm.enabled, apns.enabled: none of them is there; send "
            "true in each network to send through"
        )
    tried = any(block is not None and block.dry_run for block in (given.fcm, given.gcm))
    if tried and given.apns is not None and given.apns.enabled:
        raise InvalidInput("dryRun: APNs has no dry run; leave dryRun out, or send apns.enabled false")
    content = Content(
        fcm=_fcm(given),
        apns=_apns(given),
        type=given.push_message_type or None,
        send_app_id=bool(given.send_app_id),
        send_sender=given.send_sender is not False,
        send_when=bool(given.send_when),
        send_origin=bool(given.send_origin),
        send_object_scope=given.send_object_scope is not False,
        send_topic_id=given.send_topic_id is not False,
    )
    return SendRequest(content, given.send_to_production is not False, given.send_to_development is not False)


def _fcm(given: Message) -> FcmContent | None:
    """Return the enabled one of the two blocks; if both are, fcm."""
    name, block = "fcm", None
    for one_name, one in (("gcm", given.gcm), ("fcm", given.fcm)):
        if one is not None and one.enabled:
            data_keys.require_free(one_name, _merged(given.data, one.data))
            name, block = one_name, one
    if block is None:
        return None
    if block.collapse_key is not None and len(block.collapse_key.encode()) > MAX_COLLAPSE_KEY:
        raise InvalidInput(f"{name}.collapseKey: at most {MAX_COLLAPSE_KEY} bytes in UTF-8")
    notification = (_given(block.notification) if block.notification else None) or None
    if notification is None and given.data is None and block.data is None:
        raise InvalidInput(f"{name}: there is nothing to send; give data, {name}.data or {name}.notification")
    return FcmContent(
        data=_merged(given.data, block.data),
        notification=notification,
        collapse_key=block.collapse_key,
        priority=block.priority,
        ttl_s=_ttl_s(name, block, given),
        restricted_package_name=block.restricted_package_name,
        dry_run=bool(block.dry_run),
    )


def _apns(given: Message) -> ApnsContent | None:
    block = given.apns
    if block is None or not block.enabled:
        return None
    data = _merged(given.data, block.data)
    data_keys.require_free("apns", data)
    content = ApnsContent(
        data=data,
        alert=_alert(block.alert) if isinstance(block.alert, _Alert) else _unless_blank(block.alert),
        sound=_unless_blank(block.sound),
        badge=block.badge,
        content_available=bool(block.content_available),
        category=_unless_blank(block.category),
        mutable_content=bool(block.mutable_content),
        ttl_s=_ttl_s("apns", block, given),
    )
    if given.data is None and block.data is None and not (content.is_visible or content.content_available):
        raise InvalidInput(
            "apns: there is nothing to send; give data, apns.data, an alert, a sound or a badge, "
            "or set contentAvailable"
        )
    return content


def _alert(alert: _Alert) -> dict[str, object] | None:
    return {name.replace("_", "-"): value for name, value in _given(alert).items()} or None


def _merged(common: _Values | None, own: _Values | _Texts | None) -> dict[str, Scalar]:
    return {**(common or {}), **(own or {})}


def _unless_blank(text: str | None) -> str | None:
    """Kii's portal sends a blank text for an empty field."""
    return text if text is not None and text.strip() else None


def _given(block: Struct) -> dict[str, Any]:
    """Return the block's fields without those that are missing or blank."""
    values = {name: getattr(block, name) for name in block.__struct_fields__}
    return {
        name: value
        for name, value in values.items()
        if (_unless_blank(value) if isinstance(value, str) else value) is not None
    }


def _ttl_s(name: str, block: _Fcm | _Apns, given: Message) -> int | None:
    """Return the network's own time to live, or else the message's; another network's block does not
    count."""
    if block.ttl is None:
        return given.time_to_live if block.time_to_live is None else block.time_to_live
    seconds = block.ttl if isinstance(block.ttl, int) else ceil(float(block.ttl.removesuffix("s")))
    if seconds > MAX_TTL_S:
        raise InvalidInput(f"{name}.ttl: at most {MAX_TTL_S} seconds")
    return seconds
