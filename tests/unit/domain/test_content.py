"""The payload that reaches the device: Kii's keys, long for FCM and short for APNs, for each kind of push."""

import json
from typing import Any

import pytest

from fanfare.domain.content import (
    PAYLOAD_LIMIT,
    ApnsContent,
    Content,
    FcmContent,
    ObjectEvent,
    PayloadTooLarge,
    of_event,
    of_message,
)
from fanfare.domain.payload import Payloads
from fanfare.domain.scope import Scope, Target, TargetKind

APP_TOPIC = Target(TargetKind.TOPIC, Scope("app1"), "news", "ref")
USER_TOPIC = Target(TargetKind.TOPIC, Scope("app1", user="owner"), "mine", "ref")
BUCKET = Target(TargetKind.BUCKET, Scope("app1", user="owner"), "notes", "ref")


def render(content: Content, topic: Target | None = APP_TOPIC, sender: str | None = "u1") -> Payloads:
    return of_message("m1", "app1", content, topic=topic, sender=sender, at=1234)


def fcm(payloads: Payloads) -> dict[str, Any]:
    assert payloads.fcm is not None
    body: dict[str, Any] = json.loads(payloads.fcm.prefix + b'"token":"TOKEN"' + payloads.fcm.suffix)
    assert body["message"].pop("token") == "TOKEN"
    return body


def apns(payloads: Payloads) -> dict[str, Any]:
    assert payloads.apns is not None
    body: dict[str, Any] = json.loads(payloads.apns.body)
    return body


def test_a_topic_push_says_where_it_comes_from() -> None:
    content = Content(
        fcm=FcmContent(data={"n": 1, "yes": True, "text": "hé"}), apns=ApnsContent(data={"n": 1, "yes": True})
    )
    assert fcm(render(content))["message"]["data"] == {
        "n": "1",
        "yes": "true",
        "text": "hé",
        "sender": "u1",
        "topic": "news",
        "objectScopeAppID": "app1",
        "objectScopeType": "APP",
    }
    assert apns(render(content)) == {
        "aps": {"content-available": 1},
        "n": 1,
        "yes": True,
        "s": "u1",
        "to": "news",
        "sa": "app1",
        "st": "APP",
    }


def test_a_user_topic_names_its_user() -> None:
    payloads = render(Content(fcm=FcmContent(), apns=ApnsContent()), topic=USER_TOPIC)
    assert fcm(payloads)["message"]["data"]["objectScopeUserID"] == "owner"
    assert apns(payloads)["su"] == "owner"
    assert apns(payloads)["st"] == "APP_AND_USER"


def test_a_direct_push_of_the_administrator_carries_only_its_data() -> None:
    payloads = render(Content(fcm=FcmContent(data={"k": "v"}), apns=ApnsContent()), topic=None, sender=None)
    assert fcm(payloads) == {"message": {"data": {"k": "v"}}}
    assert apns(payloads) == {"aps": {"content-available": 1}}


def test_the_flags_add_and_leave_out() -> None:
    everything = Content(apns=ApnsContent(), type="promo", send_app_id=True, send_when=True, send_origin=True)
    assert apns(render(everything)).keys() == {"aps", "a", "s", "w", "o", "t", "to", "sa", "st"}
    assert apns(render(everything))["o"] == "EXPLICIT"
    nothing = Content(apns=ApnsContent(), send_sender=False, send_object_scope=False, send_topic_id=False)
    assert apns(render(nothing)).keys() == {"aps"}


def test_what_shows_is_an_alert_and_what_does_not_is_background() -> None:
    shown = render(Content(apns=ApnsContent(alert={"body": "hi"}, badge=0, sound="default"))).apns
    silent = render(Content(apns=ApnsContent(category="c", mutable_content=True))).apns
    both = render(Content(apns=ApnsContent(alert="hi", content_available=True))).apns
    assert shown is not None
    assert silent is not None
    assert both is not None
    assert (shown.push_type, shown.priority, shown.collapse_id) == ("alert", 10, "m1")
    assert json.loads(shown.body)["aps"] == {"alert": {"body": "hi"}, "badge": 0, "sound": "default"}
    assert (silent.push_type, silent.priority, silent.collapse_id) == ("background", 5, None)
    assert json.loads(both.body)["aps"] == {"alert": "hi", "content-available": 1}
    assert both.push_type == "alert"


def test_android_options_become_fcm_v1() -> None:
    content = FcmContent(
        data={"k": "v"},
        notification={"title": "T", "click_action": "OPEN"},
        collapse_key="c",
        priority="high",
        ttl_s=60,
        restricted_package_name="p",
        dry_run=True,
    )
    body = fcm(render(Content(fcm=content), topic=None, sender=None))
    assert body == {
        "validate_only": True,
        "message": {
            "data": {"k": "v"},
            "android": {
                "collapse_key": "c",
                "priority": "HIGH",
                "ttl": "60s",
                "restricted_package_name": "p",
                # The tag comes from the message: a doubled push shows once.
                "notification": {"tag": "m1", "title": "T", "click_action": "OPEN"},
            },
        },
    }


@pytest.mark.parametrize("dry_run", [True, False])
@pytest.mark.parametrize("left_ms", [-5, 0, 1, 59_000, 59_001, 60_000, 2_419_200_000])
def test_the_time_to_live_is_written_anew_and_nothing_else(left_ms: int, dry_run: bool) -> None:
    """Texts of the sender that look like it must not confuse the position."""
    tricky = {"ttl": '"ttl":"60s"}}}', "k": "60"}
    content = FcmContent(
        data=tricky, notification={"body": '"ttl":"60s"'}, priority="high", ttl_s=60, dry_run=dry_run
    )
    payloads = render(Content(fcm=content), topic=None, sender=None)
    expected = fcm(payloads)
    expected["message"]["android"]["ttl"] = f"{-(-max(0, left_ms) // 1000)}s"
    now = 1_000_000
    assert fcm(payloads.as_of(now + left_ms - 60_000, now)) == expected


@pytest.mark.parametrize(
    ("left_ms", "expiration"), [(-5, 0), (0, 0), (1, 1001), (1000, 1001), (60_000, 1060), (59_500, 1060)]
)
def test_apns_is_told_when_the_push_expires(left_ms: int, expiration: int) -> None:
    payloads = render(Content(apns=ApnsContent(alert="hi", ttl_s=60)))
    now = 1_000_000
    made = payloads.as_of(now + left_ms - 60_000, now).apns
    assert made is not None
    assert made.expiration == expiration


def test_the_senders_own_tag_stays() -> None:
    body = fcm(render(Content(fcm=FcmContent(notification={"tag": "mine"}))))
    assert body["message"]["android"]["notification"]["tag"] == "mine"


def test_nothing_to_say_is_still_a_message() -> None:
    assert fcm(render(Content(fcm=FcmContent()), topic=None, sender=None)) == {"message": {}}


def test_a_push_to_app_tells_of_the_change() -> None:
    event = ObjectEvent("DATA_OBJECT_UPDATED", BUCKET, "o1", at=99, sender="u1", modified_at=98)
    payloads = of_event(event)
    assert fcm(payloads)["message"] == {
        "data": {
            "appID": "app1",
            "sender": "u1",
            "origin": "EVENT",
            "when": "99",
            "type": "DATA_OBJECT_UPDATED",
            "objectScopeAppID": "app1",
            "objectScopeUserID": "owner",
            "objectScopeType": "APP_AND_USER",
            "bucketID": "notes",
            "bucketType": "rw",
            "objectID": "o1",
            "objectModifiedAt": "98",
        },
        "android": {"collapse_key": "notes"},
    }
    assert apns(payloads) == {
        "aps": {"content-available": 1},
        "w": 99,
        "t": "DATA_OBJECT_UPDATED",
        "sa": "app1",
        "su": "owner",
        "st": "APP_AND_USER",
        "bi": "notes",
        "bt": "rw",
        "oi": "o1",
    }
    assert payloads.apns is not None
    assert (payloads.apns.push_type, payloads.apns.collapse_id) == ("background", None)


@pytest.mark.parametrize("network", ["fcm", "apns"])
def test_the_limit_counts_the_bytes_that_go_out(network: str) -> None:
    def content(size: int) -> Content:
        data = {"k": "é" * (size // 2) + "x" * (size % 2)}
        return Content(
            fcm=FcmContent(data=data) if network == "fcm" else None,
            apns=ApnsContent(data=data) if network == "apns" else None,
        )

    low, high = 0, PAYLOAD_LIMIT
    while low < high:  # the largest that passes
        middle = (low + high + 1) // 2
        try:
            render(content(middle))
            low = middle
        except PayloadTooLarge:
            high = middle - 1
    payloads = render(content(low))
    size = (
        len(json.dumps(fcm(payloads)["message"]["data"], ensure_ascii=False, separators=(",", ":")).encode())
        if network == "fcm"
        else len(payloads.apns.body if payloads.apns else b"")
    )
    assert size == PAYLOAD_LIMIT
