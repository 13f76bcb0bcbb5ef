"""Tables of a lane's pauses and probes, and of the lengths of pauses."""

from dataclasses import replace

import pytest

from fanfare.domain.lane_health import (
    LONGEST_ASKED_MS,
    REFUSED_PAUSE_MS,
    Stop,
    after_probe,
    alive,
    stop,
    wants_probe,
)
from fanfare.domain.outcome.answer import Answer, Context, Provider, Silence, Transport
from fanfare.domain.outcome.consequence import (
    EXPIRED,
    Outcome,
    alarm,
    delivered,
    drop,
    fresh,
    purge,
    refused,
    retry,
    suspect,
)
from fanfare.domain.outcome.judgement import judge

YES = delivered()
SILENT = replace(retry("read_timeout", 10), unknown=True)
OVERLOADED = retry("UNAVAILABLE", 30)
UNREACHED = replace(retry("connect_failed", 10), spends_attempt=False)
REFUSED = refused("InvalidProviderToken")
UNTRUSTED = alarm("tls_verify_failed")
UNSENT = replace(retry("not_sent", 0), spends_attempt=False)
DOUBTFUL = suspect("BadDeviceToken")
NOT_FOR_SOME = alarm("THIRD_PARTY_AUTH_ERROR", whole_lane=False)
THROTTLED = judge(Provider.APNS, Answer(429, {}, b'{"reason":"TooManyRequests"}'))
RENEWED_TOO_OFTEN = judge(Provider.APNS, Answer(429, {}, b'{"reason":"TooManyProviderTokenUpdates"}'))
OUTLIVED = judge(
    Provider.APNS,
    Answer(410, {}, b'{"reason":"Unregistered","timestamp":5}'),
    Context(registered_at_ms=6),
)
BLAMED = judge(Provider.APNS, Silence(Transport.GOAWAY_FOR_TOKENS))
LATE = replace(drop(EXPIRED), unknown=True)


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([], None),
        ([YES], None),
        ([SILENT] * 400, None),
        ([OVERLOADED] * 400, None),
        ([UNREACHED], Stop("connect_failed", 10_000)),
        ([UNREACHED, UNSENT], Stop("connect_failed", 10_000)),
        ([UNREACHED, SILENT], None),
        ([UNREACHED, YES], None),
        ([UNSENT] * 400, None),
        ([REFUSED], Stop("InvalidProviderToken", REFUSED_PAUSE_MS, refused=True)),
        ([REFUSED, YES], Stop("InvalidProviderToken", REFUSED_PAUSE_MS, refused=True)),
        ([UNTRUSTED], Stop("tls_verify_failed", REFUSED_PAUSE_MS, refused=True)),
        ([NOT_FOR_SOME] * 400, None),
        ([DOUBTFUL] * 400, None),
        ([THROTTLED] * 400, None),
        ([BLAMED] * 400, None),
    ],
)
def test_what_pauses_a_lane_without_a_probe(outcomes: list[Outcome], expected: Stop | None) -> None:
    assert stop(outcomes) == expected


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([], False),
        ([YES], False),
        ([SILENT], True),
        ([SILENT] + [YES] * 400, True),
        ([LATE] + [YES] * 400, True),
        ([OVERLOADED], True),
        ([OVERLOADED] * 400 + [YES], False),
        ([OVERLOADED] * 400 + [purge("UNREGISTERED")], False),
        ([OVERLOADED] * 400 + [DOUBTFUL], False),
        ([OVERLOADED] * 400 + [NOT_FOR_SOME], False),
        ([drop(EXPIRED)], True),
        ([drop("BadTopic")], False),
        ([UNSENT] * 400, False),
        ([UNSENT, OVERLOADED], True),
        ([UNREACHED, SILENT], True),
        ([DOUBTFUL] * 400, False),
        ([NOT_FOR_SOME] * 400, False),
        ([THROTTLED] * 400, False),
        ([OUTLIVED] * 400, False),
        ([RENEWED_TOO_OFTEN], True),
        ([BLAMED] * 400, False),
        ([BLAMED] * 400 + [OVERLOADED], True),
        ([fresh("401")], False),
    ],
)
def test_what_leaves_it_open_whether_the_lane_is_down(outcomes: list[Outcome], expected: bool) -> None:
    assert wants_probe(outcomes) is expected


@pytest.mark.parametrize(
    ("outcome", "failed_probes", "expected"),
    [
        (YES, 0, None),
        (DOUBTFUL, 3, None),
        (drop("payload_field"), 0, None),
        (THROTTLED, 0, None),
        (NOT_FOR_SOME, 0, None),
        (SILENT, 0, Stop("read_timeout", 10_000)),
        (UNREACHED, 0, Stop("connect_failed", 10_000)),
        (UNSENT, 0, Stop("not_sent", 5_000)),
        (RENEWED_TOO_OFTEN, 0, Stop("TooManyProviderTokenUpdates", 60_000)),
        (OVERLOADED, 0, Stop("UNAVAILABLE", 30_000)),
        (retry("QUOTA_EXCEEDED", 3600), 0, Stop("QUOTA_EXCEEDED", LONGEST_ASKED_MS)),
        (retry("read_timeout", 1), 2, Stop("read_timeout", 20_000)),
        (retry("read_timeout", 1), 60, Stop("read_timeout", 60_000)),
        (REFUSED, 4, Stop("InvalidProviderToken", REFUSED_PAUSE_MS, refused=True)),
        (UNTRUSTED, 0, Stop("tls_verify_failed", REFUSED_PAUSE_MS, refused=True)),
    ],
)
def test_what_a_probe_says_of_its_lane(outcome: Outcome, failed_probes: int, expected: Stop | None) -> None:
    assert after_probe(outcome, failed_probes) == expected


def test_a_no_is_a_sign_of_life_and_a_fault_is_none() -> None:
    assert alive([SILENT, purge("UNREGISTERED")])
    assert alive([OVERLOADED, THROTTLED])
    assert not alive([SILENT, OVERLOADED, REFUSED, BLAMED, drop(EXPIRED)])


def test_what_concerns_one_device_token_still_does_when_it_outlasts_the_push() -> None:
    short = Context(seconds_to_expiry=1)
    throttled = judge(Provider.APNS, Answer(429, {}, b'{"reason":"TooManyRequests"}'), short)
    assert throttled.reason == EXPIRED
    assert not wants_probe([throttled])
