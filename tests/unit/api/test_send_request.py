"""The message schema: the parsed body, and every reason for refusing one."""

import json
from typing import Any

import pytest

from fanfare.api import send_request
from fanfare.domain.content import Content, of_message
from fanfare.domain.errors import InvalidInput, InvalidJson
from tests.unit.api.requests import request

FCM = {"enabled": True}
APNS = {"enabled": True}
DATA = {"k": "v"}


def content_of(body: dict[str, Any]) -> Content:
    return send_request.read(request(body)).content


def aps_of(apns: dict[str, Any]) -> Any:
    made = content_of({"data": {}, "apns": {"enabled": True, **apns}})
    payload = of_message("m1", "app1", made, topic=None, sender=None, at=0).apns
    assert payload is not None
    return json.loads(payload.body)["aps"]


def android_of(fcm: dict[str, Any], block: str = "fcm") -> Any:
    made = content_of({"data": {}, block: {"enabled": True, **fcm}})
    payload = of_message("m1", "app1", made, topic=None, sender=None, at=0).fcm
    assert payload is not None
    return json.loads(payload.prefix + b'"token":"TOKEN"' + payload.suffix)["message"].get("android", {})


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"data": DATA}, id="no network"),
        pytest.param({"data": DATA, "mqtt": {"enabled": True}}, id="only networks that are not here"),
        pytest.param({"data": DATA, "jpush": {"enabled": True}, "apns": {}}, id="no enabled"),
        pytest.param({"data": DATA, "gcm": {}, "apns": {"alert": "x"}}, id="no enabled in any block"),
        pytest.param({"data": DATA, "gcm": {"enabled": "true"}}, id="enabled is text"),
        pytest.param({"data": DATA, "gcm": {"enabled": 1}}, id="enabled is a number"),
        pytest.param({"data": DATA, "gcm": True}, id="a block is no object"),
        pytest.param({"gcm": FCM}, id="no data"),
        pytest.param({"gcm": {**FCM, "data": DATA}, "apns": APNS}, id="no data for one of the networks"),
        pytest.param({"fcm": FCM, "gcm": {**FCM, "data": DATA}}, id="no data for the block that counts"),
        pytest.param({"data": {"k": {"n": 1}}, "gcm": FCM}, id="data nested"),
        pytest.param({"data": {"k": [1]}, "apns": APNS}, id="data with a list"),
        pytest.param({"data": {"k": None}, "apns": APNS}, id="data with null"),
        pytest.param({"data": [], "gcm": FCM}, id="data is a list"),
        pytest.param({"gcm": {**FCM, "data": {"k": 1}}}, id="gcm.data with a number"),
        pytest.param({"fcm": {**FCM, "data": {"k": True}}}, id="fcm.data with a boolean"),
        pytest.param({"data": DATA, "gcm": {"enabled": False, "data": {"k": 1}}}, id="also when not enabled"),
        pytest.param({"apns": {**APNS, "data": {"k": {}}}}, id="apns.data nested"),
        pytest.param({"data": DATA, "gcm": {**FCM, "dryRun": True}, "apns": APNS}, id="gcm.dryRun with apns"),
        pytest.param({"data": DATA, "fcm": {**FCM, "dryRun": True}, "apns": APNS}, id="fcm.dryRun with apns"),
        pytest.param({"data": DATA, "gcm": {**FCM, "timeToLive": -1}}, id="timeToLive negative"),
        pytest.param({"data": DATA, "gcm": {**FCM, "timeToLive": 2_419_201}}, id="timeToLive too long"),
        pytest.param({"data": DATA, "gcm": {**FCM, "timeToLive": "60"}}, id="timeToLive is text"),
        pytest.param({"data": DATA, "fcm": {**FCM, "ttl": "60"}}, id="ttl without a unit"),
        pytest.param({"data": DATA, "fcm": {**FCM, "ttl": "2419200.5s"}}, id="ttl too long"),
        pytest.param({"data": DATA, "fcm": {**FCM, "ttl": 1.5}}, id="ttl with a fraction as a number"),
        pytest.param({"data": DATA, "apns": {**APNS, "timeToLive": -1}}, id="apns.timeToLive negative"),
        pytest.param(
            {"data": DATA, "apns": {**APNS, "timeToLive": 2_419_201}}, id="apns.timeToLive too long"
        ),
        pytest.param({"data": DATA, "apns": {**APNS, "ttl": "2419200.5s"}}, id="apns.ttl too long"),
        pytest.param({"data": DATA, "gcm": FCM, "timeToLive": "60"}, id="the message's timeToLive is text"),
        pytest.param({"data": DATA, "gcm": FCM, "timeToLive": 2_419_201}, id="the message's is too long"),
        pytest.param({"data": DATA, "fcm": {**FCM, "priority": "urgent"}}, id="priority unknown"),
        pytest.param({"data": DATA, "fcm": {**FCM, "collapseKey": 5}}, id="collapseKey is a number"),
        pytest.param({"data": DATA, "gcm": {**FCM, "delayWhileIdle": "no"}}, id="delayWhileIdle is text"),
        pytest.param({"data": DATA, "gcm": {**FCM, "notification": "x"}}, id="notification is text"),
        pytest.param({"data": DATA, "gcm": {**FCM, "notification": {"image": "x"}}}, id="notification.image"),
        pytest.param({"data": DATA, "apns": {**APNS, "alert": 5}}, id="alert is a number"),
        pytest.param({"data": DATA, "apns": {**APNS, "alert": {"locArgs": "x"}}}, id="locArgs is text"),
        pytest.param({"data": DATA, "apns": {**APNS, "badge": "1"}}, id="badge is text"),
        pytest.param({"data": DATA, "apns": {**APNS, "badge": -1}}, id="badge negative"),
        pytest.param(
            {"data": DATA, "apns": {**APNS, "contentAvailable": "yes"}}, id="contentAvailable is text"
        ),
        pytest.param({"data": DATA, "gcm": FCM, "sendToProduction": "false"}, id="a flag is text"),
        pytest.param({"data": DATA, "gcm": FCM, "pushMessageType": 5}, id="pushMessageType is a number"),
        pytest.param([], id="a list"),
        pytest.param("x", id="a text"),
        pytest.param(None, id="null"),
    ],
)
def test_a_body_against_the_rules_is_refused(body: Any) -> None:
    with pytest.raises(InvalidInput):
        send_request.read(request(body))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"data":}',
        b"{'data':1}",
        b'{"data":{"k":"\xff"}}',
        b'{"data":NaN}',
        b'{"x":' + b"[" * 100_000,
    ],
)
def test_a_body_that_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidJson):
        send_request.read(request(body))


REFUSED_BY_FCM = ["google", "google.x", "googleKey", "gcm", "gcm.x", "gcm_key", "from", "message_type"]
GCM_WORDS = [
    *("registration_ids", "collapse_key", "data", "delay_while_idle", "time_to_live"),
    *("restricted_package_name", "dry_run"),
]
FCM_WORDS = [
    *("collapse_key", "priority", "ttl", "notification"),
    *("restricted_package_name", "fcm_options", "direct_boot_ok"),
]
LONG_KEYS = [
    *("appID", "sender", "origin", "when", "type", "topic", "objectScopeAppID", "objectScopeUserID"),
    *("objectScopeGroupID", "objectScopeThingID", "objectScopeType", "objectID", "objectModifiedAt"),
]
SHORT_KEYS = ["a", "s", "o", "w", "t", "to", "sa", "su", "sg", "sth", "st"]


@pytest.mark.parametrize(
    ("block", "key"),
    [
        *(("gcm", key) for key in [*REFUSED_BY_FCM, *GCM_WORDS, "bucketID", "bucketType"]),
        *(("fcm", key) for key in [*REFUSED_BY_FCM, *FCM_WORDS, "bucketID", "bucketType"]),
        *(("apns", key) for key in ["aps", "bi", "bt", "oi", "om"]),
    ],
)
def test_a_reserved_key_is_refused_in_the_data_and_in_the_network_s_own(block: str, key: str) -> None:
    for body in (
        {"data": {key: "x"}, block: {"enabled": True}},
        {"data": {}, block: {"enabled": True, "data": {key: "x"}}},
    ):
        with pytest.raises(InvalidInput) as refused:
            content_of(body)
        assert refused.value.details["invalidFields"] == [key]
        assert key in refused.value.message
        assert f"{block}.data" in refused.value.message


@pytest.mark.parametrize(
    ("block", "key"),
    [
        ("apns", "from"),
        ("apns", "google.x"),
        ("apns", "bucketID"),
        ("fcm", "bi"),
        ("gcm", "a"),
        ("gcm", "ttl"),
        ("fcm", "Google"),
        ("gcm", "my_google"),
        *(("fcm", key) for key in LONG_KEYS),
        *(("gcm", key) for key in LONG_KEYS),
        *(("apns", key) for key in SHORT_KEYS),
    ],
)
def test_every_other_name_is_free(block: str, key: str) -> None:
    assert content_of({"data": {key: "x"}, block: {"enabled": True}}) is not None


@pytest.mark.parametrize("block", ["fcm", "gcm"])
def test_an_origin_that_makes_a_push_to_app_of_a_message_is_refused(block: str) -> None:
    """Kii's clients recognize a Push to App on FCM by this value; any other is the sender's own."""
    with pytest.raises(InvalidInput, match="Push to App"):
        content_of({"data": {"origin": "EVENT"}, block: {"enabled": True}})
    assert content_of({"data": {"origin": "EVENT"}, "apns": APNS}) is not None


def test_keys_of_a_network_that_is_not_enabled_are_free() -> None:
    made = content_of({"data": {"from": "x"}, "gcm": {"enabled": False}, "apns": APNS})

    assert made.fcm is None
    assert made.apns is not None
    assert made.apns.data == {"from": "x"}


def test_the_defaults() -> None:
    sending = send_request.read(request({"data": DATA, "gcm": FCM}))

    assert (sending.to_production, sending.to_development) == (True, True)
    made = sending.content
    assert made.apns is None
    assert made.type is None
    assert (made.send_app_id, made.send_when, made.send_origin) == (False, False, False)
    assert (made.send_sender, made.send_object_scope, made.send_topic_id) == (True, True, True)


def test_every_flag_can_be_turned() -> None:
    on = dict.fromkeys(("sendAppID", "sendWhen", "sendOrigin"), True)
    off = dict.fromkeys(
        ("sendSender", "sendObjectScope", "sendTopicID", "sendToProduction", "sendToDevelopment"), False
    )

    sending = send_request.read(request({"data": DATA, "gcm": FCM, "pushMessageType": "chat", **on, **off}))

    made = sending.content
    assert (sending.to_production, sending.to_development) == (False, False)
    assert (made.send_app_id, made.send_when, made.send_origin) == (True, True, True)
    assert (made.send_sender, made.send_object_scope, made.send_topic_id) == (False, False, False)
    assert made.type == "chat"


def test_an_empty_type_is_none() -> None:
    """PHP's client always sends an empty type."""
    assert content_of({"data": DATA, "gcm": FCM, "pushMessageType": ""}).type is None


def test_a_network_s_data_goes_over_the_common_data() -> None:
    made = content_of(
        {
            "data": {"k": "common", "n": 1, "b": False},
            "gcm": {**FCM, "data": {"k": "gcm"}},
            "apns": {**APNS, "data": {"k": "apns", "m": 2.5}},
        }
    )

    assert made.fcm is not None
    assert made.fcm.data == {"k": "gcm", "n": 1, "b": False}
    assert made.apns is not None
    assert made.apns.data == {"k": "apns", "n": 1, "b": False, "m": 2.5}


@pytest.mark.parametrize(
    "blocks",
    [
        {"fcm": {"notification": {"title": "t"}}},
        {"gcm": {"notification": {"body": "b"}}},
        {"apns": {"alert": "hi"}},
        {"apns": {"alert": {"locKey": "GREETING"}}},
        {"apns": {"sound": "ding"}},
        {"apns": {"badge": 0}},
        {"apns": {"contentAvailable": True}},
        {"apns": {"contentAvailable": 1}},
        {"gcm": {"notification": {"title": "t"}}, "apns": {"alert": "hi"}},
    ],
)
def test_data_is_not_needed_where_something_is_shown_or_content_is_available(blocks: dict[str, Any]) -> None:
    made = content_of({name: {"enabled": True, **block} for name, block in blocks.items()})

    assert all(one is None or one.data == {} for one in (made.fcm, made.apns))


BLANK_ALERT = {"body": "", "title": " ", "subtitle": "", "locKey": "", "launchImage": ""}


@pytest.mark.parametrize(
    ("blocks", "named"),
    [
        ({"fcm": {}}, "fcm"),
        ({"gcm": {"notification": {}}}, "gcm"),
        ({"gcm": {"notification": {"title": "", "body": " "}}}, "gcm"),
        ({"gcm": {"notification": {"title": "t"}}, "apns": {}}, "apns"),
        ({"gcm": {}, "apns": {"alert": "hi"}}, "gcm"),
        ({"apns": {"alert": "", "sound": "", "category": ""}}, "apns"),
        ({"apns": {"alert": {}}}, "apns"),
        ({"apns": {"alert": BLANK_ALERT}}, "apns"),
        ({"apns": {"contentAvailable": False}}, "apns"),
        ({"apns": {"contentAvailable": 0, "mutableContent": 1, "category": "c"}}, "apns"),
    ],
)
def test_a_message_of_nothing_at_all_is_refused_and_told_what_to_give(
    blocks: dict[str, Any], named: str
) -> None:
    with pytest.raises(InvalidInput, match=rf"^{named}: there is nothing to send; give data, {named}\.data"):
        content_of({name: {"enabled": True, **block} for name, block in blocks.items()})


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"alert": "", "sound": "", "category": ""}, {"content-available": 1}),
        ({"alert": " \n", "badge": 2}, {"badge": 2}),
        ({"alert": BLANK_ALERT}, {"content-available": 1}),
        (
            {"alert": {**BLANK_ALERT, "body": "b", "locArgs": [""]}},
            {"alert": {"body": "b", "loc-args": [""]}},
        ),
        ({"alert": "hi", "sound": "", "category": "  "}, {"alert": "hi"}),
    ],
)
def test_what_is_blank_counts_as_not_given(given: dict[str, Any], sent: dict[str, Any]) -> None:
    """Kii's portal sends blank texts for empty fields."""
    assert aps_of(given) == sent


def test_what_is_blank_in_a_notification_counts_as_not_given() -> None:
    notification = {"title": "t", "body": "", "sound": "", "icon": " "}

    assert android_of({"notification": notification})["notification"] == {"tag": "m1", "title": "t"}
    assert android_of({"notification": {"title": ""}}) == {}


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"notification": {"title": "t"}}, "HIGH"),
        ({"notification": {"title": "t"}, "priority": "normal"}, "NORMAL"),
        ({"notification": {"title": "t"}, "priority": "high"}, "HIGH"),
        ({"priority": "normal"}, "NORMAL"),
        ({}, None),
    ],
)
def test_what_android_shows_goes_out_with_high_priority_unless_told_otherwise(
    given: dict[str, Any], sent: str | None
) -> None:
    assert android_of(given).get("priority") == sent


def test_data_is_not_needed_where_each_enabled_network_has_its_own() -> None:
    made = content_of({"gcm": {**FCM, "data": {}}, "apns": {"enabled": False}})

    assert made.fcm is not None
    assert made.apns is None
    assert content_of({"fcm": {**FCM, "data": {}}, "gcm": FCM}).fcm is not None


def test_of_fcm_and_gcm_fcm_counts_when_both_are_enabled() -> None:
    both = {"data": {}, "fcm": {**FCM, "collapseKey": "f"}, "gcm": {**FCM, "collapseKey": "g"}}
    made = content_of(both).fcm
    assert made is not None
    assert made.collapse_key == "f"

    only_gcm = content_of({**both, "fcm": {"enabled": False, "collapseKey": "f"}}).fcm
    assert only_gcm is not None
    assert only_gcm.collapse_key == "g"


def test_nothing_enabled_is_a_message_that_goes_nowhere() -> None:
    made = content_of({"gcm": {"enabled": False}})

    assert (made.fcm, made.apns) == (None, None)


def test_networks_that_are_not_here_are_borne() -> None:
    made = content_of({"data": {}, "gcm": FCM, "mqtt": {"enabled": True, "data": {}}, "jpush": 5})

    assert made.fcm is not None


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"alert": "hello"}, {"alert": "hello"}),
        ({"alert": {"body": "b", "title": "t"}}, {"alert": {"body": "b", "title": "t"}}),
        (
            {"alert": {"actionLocKey": "a", "locKey": "l", "locArgs": ["x"], "launchImage": "i"}},
            {"alert": {"action-loc-key": "a", "loc-key": "l", "loc-args": ["x"], "launch-image": "i"}},
        ),
        (
            {
                "alert": {
                    "titleLocKey": "t",
                    "titleLocArgs": ["x"],
                    "subtitleLocKey": "s",
                    "subtitleLocArgs": [],
                }
            },
            {
                "alert": {
                    "title-loc-key": "t",
                    "title-loc-args": ["x"],
                    "subtitle-loc-key": "s",
                    "subtitle-loc-args": [],
                }
            },
        ),
        ({"alert": {}, "badge": 0}, {"badge": 0}),
        ({"sound": "ding", "category": "c"}, {"sound": "ding", "category": "c"}),
        ({"alert": "x", "contentAvailable": True}, {"alert": "x", "content-available": 1}),
        ({"alert": "x", "contentAvailable": 7}, {"alert": "x", "content-available": 1}),
        ({"alert": "x", "contentAvailable": 0, "mutableContent": False}, {"alert": "x"}),
        ({"alert": "x", "mutableContent": 1}, {"alert": "x", "mutable-content": 1}),
        ({"alert": None, "badge": None}, {"content-available": 1}),
    ],
)
def test_the_apns_block_in_apns_s_own_words(given: dict[str, Any], sent: dict[str, Any]) -> None:
    assert aps_of(given) == sent


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"collapseKey": "c"}, {"collapse_key": "c"}),
        ({"priority": "high"}, {"priority": "HIGH"}),
        ({"timeToLive": 0}, {"ttl": "0s"}),
        ({"timeToLive": 2_419_200}, {"ttl": "2419200s"}),
        ({"ttl": 60, "timeToLive": 5}, {"ttl": "60s"}),
        ({"ttl": "3.5s"}, {"ttl": "4s"}),
        ({"restrictedPackageName": "com.x"}, {"restricted_package_name": "com.x"}),
        ({"delayWhileIdle": True}, {}),
        ({"notification": {}}, {}),
        (
            {"notification": {"title": "t", "body": "b", "clickAction": "open", "tag": "g"}},
            {
                "notification": {"title": "t", "body": "b", "click_action": "open", "tag": "g"},
                "priority": "HIGH",
            },
        ),
    ],
)
@pytest.mark.parametrize("block", ["fcm", "gcm"])
def test_the_fcm_block_in_android_s_own_words(
    given: dict[str, Any], sent: dict[str, Any], block: str
) -> None:
    assert android_of(given, block) == sent


@pytest.mark.parametrize(
    ("message", "fcm", "apns", "expected"),
    [
        ({}, {}, {}, (None, None)),
        ({"timeToLive": 0}, {}, {}, (0, 0)),
        ({"timeToLive": 60}, {"ttl": 5}, {}, (5, 60)),
        ({"timeToLive": 60}, {}, {"timeToLive": 7}, (60, 7)),
        ({}, {"timeToLive": 60}, {}, (60, None)),
        ({}, {}, {"ttl": "3.5s", "timeToLive": 9}, (None, 4)),
        ({"timeToLive": 60}, {"ttl": 0}, {"ttl": 0}, (0, 0)),
    ],
)
@pytest.mark.parametrize("block", ["fcm", "gcm"])
def test_a_time_to_live_is_a_network_s_own_or_the_message_s(
    message: dict[str, Any],
    fcm: dict[str, Any],
    apns: dict[str, Any],
    expected: tuple[int | None, int | None],
    block: str,
) -> None:
    made = content_of({"data": {}, block: {**FCM, **fcm}, "apns": {**APNS, **apns}, **message})
    assert made.fcm is not None
    assert made.apns is not None
    assert (made.fcm.ttl_s, made.apns.ttl_s) == expected


def test_a_time_to_live_that_is_too_long_is_named_with_its_block() -> None:
    with pytest.raises(InvalidInput, match=r"apns\.ttl"):
        content_of({"data": {}, "apns": {**APNS, "ttl": "2419200.5s"}})


def test_a_dry_run_is_validated_by_fcm_only() -> None:
    made = content_of({"data": {}, "gcm": {**FCM, "dryRun": True}, "apns": {"enabled": False}})

    assert made.fcm is not None
    assert made.fcm.dry_run


@pytest.mark.parametrize(
    ("blocks", "field"),
    [
        ({"fcm": {"collapseKey": "x" * 65}}, "collapseKey"),
        ({"fcm": {"collapseKey": "\U0001f4a3" * 17}}, "fcm.collapseKey: at most 64 bytes"),
        ({"gcm": {"collapseKey": "x" * 390_000}}, r"the body has|collapseKey"),
        ({"fcm": {"restrictedPackageName": "x" * 256}}, "restrictedPackageName"),
        ({"fcm": {"restrictedPackageName": "com.example/../app"}}, "restrictedPackageName"),
        ({"fcm": {"notification": {"tag": "x" * 4_097}}}, "tag"),
        ({"fcm": {"notification": {"clickAction": "x" * 4_097}}}, "clickAction"),
        ({"fcm": {"ttl": "1" * 8 + "s"}}, "ttl"),
        ({"apns": {"category": "x" * 4_097}}, "category"),
        ({"apns": {"badge": 1 << 31}}, "badge"),
        ({"apns": {"data": {"n": 10**30}}}, r"data"),
        ({"apns": {"alert": {"locArgs": ["x"] * 1_001}}}, "locArgs"),
        ({"apns": {"data": {f"k{i}": 1 for i in range(1_001)}}}, "data"),
    ],
)
def test_each_thing_that_a_sender_chooses_has_a_bound(blocks: dict[str, Any], field: str) -> None:
    body = {"data": DATA, **{name: {"enabled": True, **block} for name, block in blocks.items()}}

    with pytest.raises(InvalidInput, match=field):
        send_request.read(request(body))


def test_what_goes_out_is_little_more_than_the_limit_whatever_the_sender_chooses() -> None:
    """Each part at its own limit, all together at the payload's: 300 KB once went out to each device."""
    notification = {"title": "x" * 1_000, "tag": "t" * 1_000, "clickAction": "c" * 1_000}
    fcm = {
        "enabled": True,
        "notification": notification,
        "collapseKey": "k" * 64,
        "restrictedPackageName": "p" * 255,
        "ttl": "2419199.999999999s",
    }
    apns = {"enabled": True, "alert": "a" * 1_000, "sound": "s" * 1_000, "category": "c" * 900}
    made = content_of({"data": {"d": "x" * 900}, "fcm": fcm, "apns": apns, "pushMessageType": "t" * 40})
    payloads = of_message("m1", "app1", made, topic=None, sender=None, at=0)

    assert payloads.fcm is not None
    assert payloads.apns is not None
    assert len(payloads.fcm.prefix + payloads.fcm.suffix) < 4_096 + 600
    assert len(payloads.apns.body) <= 4_096
    assert android_of({"collapseKey": "k" * 64})["collapse_key"] == "k" * 64
