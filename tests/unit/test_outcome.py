"""Every answer of a network has the consequence that docs/reference/outcomes.md gives it."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fanfare.domain.outcome.answer import Answer, Context, Provider, Silence, Transport
from fanfare.domain.outcome.consequence import Outcome, OutcomeKind, PurgeTarget
from fanfare.domain.outcome.judgement import judge
from operate import vectors

VECTORS = vectors.load(Path(__file__).parent / "provider_outcomes.json")

DELIVERED = ("delivered", None)
PURGE = ("purge_token", None)
SUSPECT = ("suspect", None)
FRESH = ("retry_fresh_credential", 0)
DROP = ("drop_payload_error", None)
ALARM = ("pause_alarm_credential", None)


def retry(delay_s: int) -> tuple[str, int]:
    return ("retry_after_delay", delay_s)


def detail(kind: str, **values: object) -> dict[str, object]:
    return {"@type": f"type.googleapis.com/{kind}", **values}


def fcm_error(code: object) -> dict[str, object]:
    return detail("google.firebase.fcm.v1.FcmError", errorCode=code)


def apns_error(reason: object, status: object = 400) -> dict[str, object]:
    return detail("google.firebase.fcm.v1.ApnsError", statusCode=status, reason=reason)


def blames(*fields: str) -> dict[str, object]:
    return detail("google.rpc.BadRequest", fieldViolations=[{"field": field} for field in fields])


def fcm(status: int, *details: object, message: str = "no", headers: dict[str, str] | None = None) -> Answer:
    body = {"error": {"code": status, "message": message, "status": "SOME", "details": list(details)}}
    return Answer(status, headers or {}, json.dumps(body).encode())


def apns(status: int, reason: object, headers: dict[str, str] | None = None, **values: object) -> Answer:
    return Answer(status, headers or {}, json.dumps({"reason": reason, **values}).encode())


def html(status: int, headers: dict[str, str] | None = None) -> Answer:
    return Answer(status, headers or {}, b"<html><title>no</title></html>")


def told(outcome: Outcome) -> tuple[str, int | None]:
    return (str(outcome.kind), outcome.retry_after_s)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_vector_of_the_reference(vector: dict[str, Any]) -> None:
    assert vectors.compare(vector) == ""


TOKEN_TEXT = "The registration token is not a valid FCM registration token"
QUOTA = fcm_error("QUOTA_EXCEEDED")
INVALID = fcm_error("INVALID_ARGUMENT")
DEAD = apns_error("Unregistered", 410)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        # The verdicts in FcmError come before any status, in this order.
        (fcm(401, fcm_error("THIRD_PARTY_AUTH_ERROR")), ALARM),
        (fcm(400, fcm_error("THIRD_PARTY_AUTH_ERROR"), DEAD), ALARM),
        (fcm(403, fcm_error("UNREGISTERED"), fcm_error("THIRD_PARTY_AUTH_ERROR")), ALARM),
        (fcm(404, fcm_error("UNREGISTERED")), PURGE),
        (fcm(400, fcm_error("UNREGISTERED")), PURGE),
        (fcm(403, fcm_error("SENDER_ID_MISMATCH")), SUSPECT),
        (fcm(403, DEAD, detail("google.rpc.Help"), fcm_error("SENDER_ID_MISMATCH")), SUSPECT),
        # By status.
        (fcm(401), FRESH),
        (html(401), FRESH),
        (fcm(403), ALARM),
        (html(403), ALARM),
        (fcm(403, detail("google.rpc.ErrorInfo", errorCode="UNREGISTERED")), ALARM),
        (fcm(403, {"@type": "x/evil.google.firebase.fcm.v1.FcmErrors", "errorCode": "UNREGISTERED"}), ALARM),
        (fcm(404), ALARM),
        (fcm(404, fcm_error("INVALID_ARGUMENT")), ALARM),
        (fcm(404, DEAD), ALARM),
        (Answer(404, {}, b"[]"), ALARM),
        (html(404), retry(60)),
        (Answer(404), retry(60)),
        (Answer(404, {}, b'"NOT_FOUND"'), retry(60)),
        (Answer(408), retry(10)),
        (fcm(408), retry(10)),
        (html(405), DROP),
        (fcm(409), DROP),
        (fcm(410), DROP),
        (fcm(302), DROP),
        (Answer(204), DROP),
        # 400: ApnsError, then the fields, then the text.
        (fcm(400, blames("message.data"), DEAD), PURGE),
        (fcm(400, apns_error("ExpiredToken", "410")), PURGE),
        (fcm(400, apns_error("BadTopic")), ALARM),
        (fcm(400, apns_error("TopicDisallowed"), blames("message.token")), ALARM),
        (fcm(400, apns_error("PayloadTooLarge", 413), blames("message.token")), DROP),
        (fcm(400, apns_error(None), INVALID, message=TOKEN_TEXT), DROP),
        (fcm(400, blames("message.token")), SUSPECT),
        (fcm(400, blames("message.fid"), message="too big"), SUSPECT),
        (fcm(400, blames("message.token", "message.fid")), SUSPECT),
        (fcm(400, blames("message.token"), blames("message.data")), DROP),
        (fcm(400, INVALID, blames("message.token", "message.data"), message=TOKEN_TEXT), DROP),
        (fcm(400, INVALID, blames("message.android.ttl"), message=TOKEN_TEXT), DROP),
        (fcm(400, INVALID, blames("message.tokens"), message=TOKEN_TEXT), DROP),
        (fcm(400, INVALID, message=TOKEN_TEXT), SUSPECT),
        (fcm(400, INVALID, blames(), message="INVALID Registration Token"), SUSPECT),
        (fcm(400, message=TOKEN_TEXT), DROP),
        (fcm(400, fcm_error("UNSPECIFIED_ERROR"), message=TOKEN_TEXT), DROP),
        (fcm(400, fcm_error(None), message=TOKEN_TEXT), DROP),
        (fcm(400, INVALID, message="Android message is too big"), DROP),
        (fcm(400, INVALID), DROP),
        (html(400), DROP),
        (Answer(400), DROP),
        # 429 and 5xx.
        (fcm(429), retry(60)),
        (fcm(429, detail("google.rpc.ErrorInfo", reason="RATE_LIMIT_EXCEEDED")), retry(60)),
        (fcm(429, QUOTA, headers={"Retry-After": "37"}), retry(37)),
        (fcm(429, headers={"retry-after": " 600 "}), retry(600)),
        (html(429, {"RETRY-AFTER": "0"}), retry(10)),
        (fcm(503, headers={"Retry-After": "37"}), retry(37)),
        (html(502), retry(10)),
        (fcm(501), retry(10)),
        (Answer(504), retry(10)),
        (fcm(599, DEAD, INVALID, message=TOKEN_TEXT), retry(10)),
    ],
)
def test_fcm_rule(answer: Answer, expected: tuple[str, int | None]) -> None:
    assert told(judge(Provider.FCM, answer)) == expected


@pytest.mark.parametrize("status", [400, 403, 404])
def test_the_order_of_fcm_details_means_nothing(status: int) -> None:
    details = [apns_error("BadDeviceToken"), blames("message.token"), INVALID, None, "x", 7, {}]
    for shift in range(len(details)):
        turned = fcm(status, *details[shift:], *details[:shift])
        assert told(judge(Provider.FCM, turned)) == told(judge(Provider.FCM, fcm(status, *details)))


@pytest.mark.parametrize(("attempt", "delay_s"), [(1, 10), (2, 20), (3, 40), (6, 320), (0, 10), (-3, 10)])
def test_fcm_server_errors_double_the_delay(attempt: int, delay_s: int) -> None:
    assert told(judge(Provider.FCM, fcm(500), Context(attempt=attempt))) == retry(delay_s)


NOON = "Mon, 23 Nov 2026 12:00:00 GMT"
NOON_S = 1795435200


@pytest.mark.parametrize(
    ("headers", "now_s", "delay_s"),
    [
        ({"retry-after": "Mon, 23 Nov 2026 12:01:30 GMT", "date": NOON}, NOON_S - 5000, 90),
        ({"Retry-After": "Mon, 23 Nov 2026 12:01:30 GMT", "DATE": NOON}, None, 90),
        ({"retry-after": "Mon, 23 Nov 2026 12:01:30 GMT"}, NOON_S + 30.5, 60),
        ({"retry-after": "Mon, 23 Nov 2026 12:01:30 GMT", "date": "soon"}, NOON_S, 90),
        ({"retry-after": "Monday, 23-Nov-26 12:01:30 GMT", "date": NOON}, None, 90),
        ({"retry-after": "Mon Nov 23 12:01:30 2026", "date": NOON}, None, 90),
        ({"retry-after": "Mon, 23 Nov 2026 11:00:00 GMT", "date": NOON}, None, 10),
        ({"retry-after": "Mon, 23 Nov 2026 12:01:30 GMT"}, None, 60),
        ({"retry-after": "-1"}, NOON_S, 60),
        ({"retry-after": "soon"}, NOON_S, 60),
        ({"retry-after": ""}, NOON_S, 60),
        ({"retry-after": "37.5"}, NOON_S, 60),
        ({"retry-after": "Mon, 99 Nov 99999999 12:01:30 GMT"}, NOON_S, 60),
        ({"retry-after": "999999999"}, NOON_S, 999999999),
        ({"retry-after": "9" * 5000}, NOON_S, 60),
        ({"retry-after": "٣٧"}, NOON_S, 60),
    ],
)
def test_retry_after(headers: dict[str, str], now_s: float | None, delay_s: int) -> None:
    assert told(judge(Provider.FCM, fcm(429, headers=headers), Context(now_s=now_s))) == retry(delay_s)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (html(200), DELIVERED),
        # Without a reason APNs did not write the answer, in spite of its status.
        *[(html(status), retry(60)) for status in (400, 403, 404, 410, 413, 429, 500, 503)],
        (apns(410, None), retry(60)),
        (apns(410, 410), retry(60)),
        (apns(410, ""), retry(60)),
        (Answer(410, {}, b'["Unregistered"]'), retry(60)),
        (Answer(503), retry(60)),
        (Answer(204), retry(60)),
        (apns(410, "ExpiredToken"), PURGE),
        (apns(410, "NewWord"), PURGE),
        (apns(400, "BadDeviceToken"), SUSPECT),
        (apns(400, "DeviceTokenNotForTopic"), SUSPECT),
        (apns(400, "IdleTimeout"), retry(1)),
        (apns(400, "TopicDisallowed"), ALARM),
        (apns(403, "ExpiredProviderToken"), FRESH),
        (apns(403, "UnrelatedKeyIdInToken"), FRESH),
        (apns(403, "BadEnvironmentKeyInToken"), ALARM),
        (apns(403, "MissingProviderToken"), ALARM),
        (apns(403, "NewWord"), ALARM),
        (apns(429, "TooManyRequests"), retry(60)),
        (apns(429, "TooManyRequests", {"Retry-After": "7"}), retry(7)),
        (apns(429, "TooManyProviderTokenUpdates"), retry(60)),
        (apns(500, "InternalServerError", {"Retry-After": "7"}), retry(900)),
        (apns(503, "Service Unavailable"), retry(900)),
        (apns(503, "ServiceUnavailable"), retry(900)),
        (apns(400, "BadCollapseId"), DROP),
        (apns(400, "BadPriority"), DROP),
        (apns(400, "PayloadEmpty"), DROP),
        (apns(400, "InvalidToken"), DROP),
        (apns(404, "BadPath"), DROP),
        (apns(405, "MethodNotAllowed"), DROP),
        (apns(413, "PayloadTooLarge"), DROP),
    ],
)
def test_apns_rule(answer: Answer, expected: tuple[str, int | None]) -> None:
    assert told(judge(Provider.APNS, answer)) == expected
    if answer.status not in (200, 204):
        assert told(judge(Provider.APNS_BROADCAST, answer)) == expected


@pytest.mark.parametrize(
    ("timestamp", "registered_at_ms", "expected", "proof_at_ms"),
    [
        (1000, 999, PURGE, 1000),
        (1000, 1000, PURGE, 1000),
        (1000, 1001, retry(60), None),
        (1000, None, PURGE, 1000),
        ("1000", 1001, retry(60), None),
        (1000.0, 1001, retry(60), None),
        (None, 1001, PURGE, None),
        (True, 1001, PURGE, None),
        ("yesterday", 1001, PURGE, None),
        (1e300, 1001, PURGE, None),
    ],
)
def test_gone_costs_the_token_unless_it_was_registered_again(
    timestamp: object, registered_at_ms: int | None, expected: tuple[str, int | None], proof_at_ms: int | None
) -> None:
    answer = apns(410, "Unregistered", timestamp=timestamp)
    outcome = judge(Provider.APNS, answer, Context(registered_at_ms=registered_at_ms))
    assert (told(outcome), outcome.proof_at_ms) == (expected, proof_at_ms)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer(201), DELIVERED),
        (Answer(204), DELIVERED),
        (apns(400, "ChannelNotRegistered"), PURGE),
        (apns(400, "CannotCreateChannelConfig"), ALARM),
        (apns(400, "FeatureNotEnabled"), ALARM),
        (apns(400, "BadChannelId"), DROP),
        (apns(403, "TopicMismatch"), ALARM),
    ],
)
def test_broadcast_rule(answer: Answer, expected: tuple[str, int | None]) -> None:
    outcome = judge(Provider.APNS_BROADCAST, answer)
    assert told(outcome) == expected
    assert outcome.purge_target is (PurgeTarget.CHANNEL if expected == PURGE else None)


@pytest.mark.parametrize("provider", [p for p in Provider if p.startswith("google")])
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer(200), DELIVERED),
        (Answer(302), ALARM),
        (Answer(400, {}, b'{"error":"invalid_grant"}'), ALARM),
        (html(404), ALARM),
        (Answer(408), ALARM),
        (html(429, {"retry-after": "99"}), retry(10)),
        (Answer(500), retry(1)),
        (html(503), retry(1)),
    ],
)
def test_google_rule(provider: Provider, answer: Answer, expected: tuple[str, int | None]) -> None:
    assert told(judge(provider, answer)) == expected


@pytest.mark.parametrize("provider", [Provider.FCM, Provider.APNS])
@pytest.mark.parametrize("why", Transport)
def test_silence(provider: Provider, why: Transport) -> None:
    base_s = {Provider.FCM: 10, Provider.APNS: 5}[provider]
    expected = {
        Transport.REFUSED_STREAM: (retry(0), False, False),
        Transport.GOAWAY_ABOVE: (retry(0), False, False),
        Transport.RESET_BEFORE_WRITE: (retry(0), False, False),
        Transport.NOT_SENT: (retry(0), False, False),
        Transport.DNS_FAILURE: (retry(base_s), False, False),
        Transport.CONNECT_TIMEOUT: (retry(base_s), False, False),
        Transport.CONNECT_FAILED: (retry(base_s), False, False),
        Transport.TLS_UNTRUSTED: (ALARM, True, False),
        Transport.NO_HTTP2: (ALARM, True, False),
    }.get(why, (retry(base_s), True, True))
    outcome = judge(provider, Silence(why))
    assert (told(outcome), outcome.spends_attempt, outcome.unknown) == expected


@pytest.mark.parametrize(
    ("provider", "answer"),
    [
        (Provider.FCM, fcm(401)),
        (Provider.APNS, apns(403, "ExpiredProviderToken")),
        (Provider.APNS, apns(403, "UnrelatedKeyIdInToken")),
        (Provider.APNS_BROADCAST, apns(403, "ExpiredProviderToken")),
    ],
)
def test_a_credential_is_renewed_once(provider: Provider, answer: Answer) -> None:
    assert told(judge(provider, answer)) == FRESH
    assert told(judge(provider, answer, Context(credential_attempt=2))) == ALARM
    assert told(judge(provider, answer, Context(credential_attempt=3))) == ALARM


DOUBTFUL = [
    (Provider.FCM, fcm(403, fcm_error("SENDER_ID_MISMATCH")), False),
    (Provider.FCM, fcm(400, apns_error("BadDeviceToken")), True),
    (Provider.FCM, fcm(400, apns_error("DeviceTokenNotForTopic")), True),
    (Provider.FCM, fcm(400, blames("message.token")), False),
    (Provider.FCM, fcm(400, INVALID, message=TOKEN_TEXT), False),
    (Provider.APNS, apns(400, "BadDeviceToken"), False),
    (Provider.APNS, apns(400, "DeviceTokenNotForTopic"), False),
]
CERTAIN = [
    (Provider.FCM, fcm(404, fcm_error("UNREGISTERED"))),
    (Provider.FCM, fcm(400, DEAD)),
    (Provider.APNS, apns(410, "Unregistered")),
]


@pytest.mark.parametrize(("provider", "answer", "told_by_apple"), DOUBTFUL)
def test_an_answer_that_a_mistake_of_ours_causes_as_well_is_doubtful(
    provider: Provider, answer: Answer, told_by_apple: bool
) -> None:
    outcome = judge(provider, answer)
    assert (told(outcome), outcome.told_by_apple) == (SUSPECT, told_by_apple)


@pytest.mark.parametrize(("provider", "answer"), CERTAIN)
def test_certain_proofs(provider: Provider, answer: Answer) -> None:
    assert told(judge(provider, answer)) == PURGE


def test_a_bare_installation_id_that_is_unregistered_may_be_one_of_another_project() -> None:
    outcome = judge(Provider.FCM, fcm(404, fcm_error("UNREGISTERED")), Context(bare_installation_id=True))
    assert told(outcome) == SUSPECT


@pytest.mark.parametrize(
    ("provider", "answer", "live", "target"),
    [
        (Provider.FCM, fcm(404, fcm_error("UNREGISTERED")), True, PurgeTarget.DEVICE_TOKEN),
        (Provider.FCM, fcm(404, fcm_error("UNREGISTERED"), DEAD), True, PurgeTarget.LIVE_ACTIVITY_TOKEN),
        (Provider.FCM, fcm(404, fcm_error("UNREGISTERED"), DEAD), False, PurgeTarget.DEVICE_TOKEN),
        (Provider.FCM, fcm(400, apns_error("BadDeviceToken")), True, PurgeTarget.LIVE_ACTIVITY_TOKEN),
        (Provider.APNS, apns(410, "Unregistered"), True, PurgeTarget.LIVE_ACTIVITY_TOKEN),
        (Provider.APNS, apns(400, "BadDeviceToken"), True, PurgeTarget.LIVE_ACTIVITY_TOKEN),
        (Provider.APNS, apns(400, "BadDeviceToken"), False, PurgeTarget.DEVICE_TOKEN),
    ],
)
def test_what_a_proof_is_about(provider: Provider, answer: Answer, live: bool, target: PurgeTarget) -> None:
    assert judge(provider, answer, Context(live_activity=live)).purge_target is target


@pytest.mark.parametrize(
    ("provider", "reply"),
    [
        (Provider.FCM, fcm(503, headers={"retry-after": "61"})),
        (Provider.FCM, fcm(429, headers={"retry-after": "61"})),
        (Provider.APNS, apns(503, "Shutdown")),
        (Provider.APNS, Silence(Transport.READ_TIMEOUT)),
    ],
)
def test_nothing_is_tried_again_past_its_expiry(provider: Provider, reply: Answer | Silence) -> None:
    delay_s = judge(provider, reply).retry_after_s or 0
    assert told(judge(provider, reply, Context(seconds_to_expiry=delay_s))) == retry(delay_s)
    late = judge(provider, reply, Context(seconds_to_expiry=delay_s - 0.5))
    assert (told(late), late.reason) == (DROP, "expired")
    assert late.unknown == isinstance(reply, Silence), "what may have been delivered stays counted so"


def test_expiry_does_not_touch_what_is_decided() -> None:
    gone = Context(seconds_to_expiry=-1)
    assert told(judge(Provider.FCM, Answer(200), gone)) == DELIVERED
    assert told(judge(Provider.APNS, apns(410, "Unregistered"), gone)) == PURGE
    assert told(judge(Provider.FCM, fcm(401), gone)) == DROP


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
ODD_DETAILS = st.lists(
    JSON
    | st.fixed_dictionaries(
        {"@type": st.sampled_from(["x/google.firebase.fcm.v1.FcmError", "y/google.rpc.BadRequest", 3])},
        optional={"errorCode": JSON, "reason": JSON, "fieldViolations": JSON},
    ),
    max_size=4,
)
ODD_BODIES = st.binary(max_size=40) | st.builds(
    lambda value: json.dumps(value).encode(),
    JSON
    | st.fixed_dictionaries({"reason": JSON, "timestamp": JSON})
    | st.fixed_dictionaries(
        {"error": JSON | st.fixed_dictionaries({"message": JSON, "details": ODD_DETAILS})}
    ),
)
ODD_HEADERS = st.dictionaries(
    st.sampled_from(["retry-after", "Retry-After", "date", "x"]), st.text(max_size=30)
)


@settings(max_examples=300)
@given(
    provider=st.sampled_from(Provider),
    status=st.integers(-1, 700) | st.sampled_from([400, 404, 410]),
    headers=ODD_HEADERS,
    body=ODD_BODIES,
    attempt=st.integers(),
)
def test_any_answer_has_an_outcome(
    provider: Provider, status: int, headers: dict[str, str], body: bytes, attempt: int
) -> None:
    outcome = judge(provider, Answer(status, headers, body), Context(attempt=attempt))
    retried = outcome.kind in (OutcomeKind.RETRY_AFTER_DELAY, OutcomeKind.RETRY_FRESH_CREDENTIAL)
    assert (outcome.retry_after_s is not None) == retried
    assert outcome.retry_after_s is None or outcome.retry_after_s >= 0
    about_a_token = outcome.kind in (OutcomeKind.PURGE_TOKEN, OutcomeKind.SUSPECT)
    assert (outcome.purge_target is not None) == about_a_token
    assert 0 < len(outcome.reason) <= 64
    assert outcome.reason.isascii()


def test_a_deeply_nested_body_is_no_document() -> None:
    assert told(judge(Provider.FCM, Answer(404, {}, b"[" * 200_000))) == retry(60)


@pytest.mark.parametrize(
    ("provider", "answer", "reason"),
    [
        (
            Provider.APNS,
            apns(403, "BadEnvironmentKeyIdInToken"),
            "wrong_environment.BadEnvironmentKeyIdInToken",
        ),
        (Provider.APNS, apns(403, "BadEnvironmentKeyInToken"), "wrong_environment.BadEnvironmentKeyInToken"),
        (
            Provider.APNS,
            apns(403, "BadCertificateEnvironment"),
            "wrong_environment.BadCertificateEnvironment",
        ),
        (Provider.APNS, apns(403, "InvalidProviderToken"), "InvalidProviderToken"),
        (
            Provider.FCM,
            fcm(401, fcm_error("THIRD_PARTY_AUTH_ERROR"), apns_error("BadEnvironmentKeyInToken", 403)),
            "wrong_environment.BadEnvironmentKeyInToken",
        ),
        (Provider.FCM, fcm(401, fcm_error("THIRD_PARTY_AUTH_ERROR")), "THIRD_PARTY_AUTH_ERROR"),
    ],
)
def test_a_key_of_the_other_environment_is_named_as_such(
    provider: Provider, answer: Answer, reason: str
) -> None:
    outcome = judge(provider, answer)
    assert (outcome.kind, outcome.reason) == (OutcomeKind.PAUSE_ALARM_CREDENTIAL, reason)
