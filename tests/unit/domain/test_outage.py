"""When a lane rests, and for how long: a table."""

from dataclasses import replace

import pytest

from fanfare.domain.outage import FAULTS, LONGEST_ASKED_MS, REFUSED_PAUSE_MS, Stop, alive, stop
from fanfare.domain.outcome import (
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

YES = delivered()
SILENT = replace(retry("read_timeout", 10), unknown=True)
OVERLOADED = retry("UNAVAILABLE", 30)
UNREACHED = replace(retry("connect_failed", 10), spends_attempt=False)
REFUSED = refused("InvalidProviderToken")
UNTRUSTED = alarm("tls_verify_failed")
UNSENT = replace(retry("not_sent", 0), spends_attempt=False)
DOUBTFUL = suspect("BadDeviceToken")
NOT_FOR_SOME = alarm("THIRD_PARTY_AUTH_ERROR", whole_lane=False)


@pytest.mark.parametrize(
    ("outcomes", "failed_probes", "expected"),
    [
        ([], None, None),
        ([YES], None, None),
        ([SILENT] * (FAULTS - 1), None, None),
        ([SILENT] * FAULTS, None, Stop("read_timeout", 10_000)),
        ([SILENT] * 400 + [YES], None, None),
        ([SILENT] * 400 + [purge("UNREGISTERED")], None, None),
        ([SILENT] * 400 + [drop("BadTopic")], None, None),
        ([SILENT] * FAULTS + [drop(EXPIRED)] * 400, None, Stop("read_timeout", 5_000)),
        ([drop(EXPIRED)] * FAULTS, None, Stop(EXPIRED, 5_000)),
        ([UNREACHED], None, Stop("connect_failed", 10_000)),
        ([UNREACHED, SILENT], None, None),
        ([OVERLOADED] * FAULTS, None, Stop("UNAVAILABLE", 30_000)),
        ([retry("QUOTA_EXCEEDED", 3600)] * FAULTS, None, Stop("QUOTA_EXCEEDED", LONGEST_ASKED_MS)),
        ([REFUSED], None, Stop("InvalidProviderToken", REFUSED_PAUSE_MS, refused=True)),
        ([REFUSED, YES], None, Stop("InvalidProviderToken", REFUSED_PAUSE_MS, refused=True)),
        ([UNTRUSTED], None, Stop("tls_verify_failed", REFUSED_PAUSE_MS, refused=True)),
        ([NOT_FOR_SOME], None, None),
        ([NOT_FOR_SOME] * 400, None, None),
        ([DOUBTFUL] * 400, None, None),
        ([NOT_FOR_SOME] * 400 + [YES], None, None),
        ([NOT_FOR_SOME] * 400 + [purge("UNREGISTERED")], None, None),
        ([NOT_FOR_SOME], 0, None),
        ([DOUBTFUL], 0, None),
        ([UNSENT] * 400, None, None),
        ([UNSENT] * 400 + [SILENT], None, None),
        ([UNSENT] * 400 + [SILENT] * FAULTS, None, Stop("read_timeout", 10_000)),
        ([UNSENT], 0, Stop("not_sent", 5_000)),
        ([SILENT], 0, Stop("read_timeout", 10_000)),
        ([retry("read_timeout", 1)], 2, Stop("read_timeout", 20_000)),
        ([retry("read_timeout", 1)], 60, Stop("read_timeout", 60_000)),
        ([YES], 2, None),
        ([fresh("401")], None, None),
    ],
)
def test_the_pause(outcomes: list[Outcome], failed_probes: int | None, expected: Stop | None) -> None:
    assert stop(outcomes, failed_probes) == expected


def test_a_no_is_a_sign_of_life_and_a_fault_is_none() -> None:
    assert alive([SILENT, purge("UNREGISTERED")])
    assert not alive([SILENT, OVERLOADED, REFUSED, drop(EXPIRED)])
