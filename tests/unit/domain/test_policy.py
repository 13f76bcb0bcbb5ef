"""The delivery policy: the next step for a device after each outcome."""

from dataclasses import replace

import pytest

from fanfare.domain.lane_health import REFUSED_PAUSE_MS
from fanfare.domain.outcome.consequence import EXPIRED, Outcome, OutcomeKind, alarm, drop
from fanfare.domain.retry_state import OpenGroup, Standing, pack, unpack
from fanfare.domain.verdict import (
    JITTER,
    MAX_DELAY_MS,
    MAX_WAITS,
    Exhausted,
    Settled,
    StillOpen,
    Verdict,
    verdict,
)

NEW = Standing()


def outcome(kind: OutcomeKind, delay: int | None = None, *, unknown: bool = False) -> Outcome:
    return Outcome(kind=kind, reason="why", retry_after_s=delay, unknown=unknown)


RETRY = OutcomeKind.RETRY_AFTER_DELAY
UNANSWERED = outcome(RETRY, 5, unknown=True)
OVERLOADED = outcome(RETRY, 60)
BLAMED = replace(UNANSWERED, of_device=True)
OUTLIVED = replace(outcome(RETRY, 60), outlived=True, of_device=True)


@pytest.mark.parametrize(
    ("what", "before", "became"),
    [
        (outcome(OutcomeKind.DELIVERED), NEW, Settled("delivered")),
        (outcome(OutcomeKind.PURGE_TOKEN), NEW, Settled("purge_token.why")),
        (outcome(OutcomeKind.SUSPECT), NEW, Settled("suspect.why")),
        (outcome(OutcomeKind.DROP_PAYLOAD_ERROR), NEW, Settled("drop_payload_error.why")),
        (drop(EXPIRED), NEW, Settled("expired")),
        (OVERLOADED, NEW, StillOpen(Standing(61_000, tries=1))),
        (outcome(OutcomeKind.RETRY_FRESH_CREDENTIAL, 0), NEW, StillOpen(Standing(6_000, tries=1))),
        (
            outcome(OutcomeKind.PAUSE_ALARM_CREDENTIAL),
            NEW,
            StillOpen(Standing(1_000 + REFUSED_PAUSE_MS, tries=1)),
        ),
        (OVERLOADED, Standing(tries=3), Exhausted(Standing(tries=4))),
        (UNANSWERED, NEW, StillOpen(Standing(61_000, tries=1, unknown=1))),
        (UNANSWERED, Standing(tries=1, unknown=1), StillOpen(Standing(601_000, tries=2, unknown=2))),
        (UNANSWERED, Standing(tries=2, unknown=2), Exhausted(Standing(tries=4, unknown=3))),
        (BLAMED, NEW, StillOpen(Standing(6_000, tries=1, unknown=1))),
        (BLAMED, Standing(tries=2, unknown=2), Exhausted(Standing(tries=4, unknown=3))),
        (OUTLIVED, NEW, StillOpen(Standing(61_000, tries=1, outlived=1))),
        (OUTLIVED, Standing(tries=2), StillOpen(Standing(61_000, tries=3, outlived=1))),
        (OUTLIVED, Standing(tries=1, outlived=1), Settled("refused.why")),
    ],
)
def test_the_policy(what: Outcome, before: Standing, became: Verdict) -> None:
    assert verdict(what, before, now=1_000, max_tries=4, jitter=0) == became


@pytest.mark.parametrize(
    ("what", "before", "became"),
    [
        (UNANSWERED, NEW, StillOpen(Standing(6_000, waits=1, silent=1))),
        (UNANSWERED, Standing(unknown=2, tries=2), StillOpen(Standing(6_000, 2, 2, waits=1, silent=1))),
        (UNANSWERED, Standing(silent=1), StillOpen(Standing(6_000, waits=1, silent=2))),
        # It comes back for probes alone, again and again: from here on a silence uses up repeats.
        (UNANSWERED, Standing(silent=2), StillOpen(Standing(61_000, 1, 1, silent=2))),
        (UNANSWERED, Standing(0, 1, 1, silent=2), Exhausted(Standing(tries=4, unknown=2, silent=2))),
        (OVERLOADED, Standing(tries=3), StillOpen(Standing(61_000, tries=3, waits=1))),
        (UNANSWERED, Standing(waits=MAX_WAITS), Exhausted(Standing(tries=4, waits=MAX_WAITS, silent=1))),
        (BLAMED, NEW, StillOpen(Standing(6_000, tries=1, unknown=1))),
        (OUTLIVED, NEW, StillOpen(Standing(61_000, tries=1, outlived=1))),
        (
            alarm("THIRD_PARTY_AUTH_ERROR", whole_lane=False),
            NEW,
            StillOpen(Standing(1_000 + REFUSED_PAUSE_MS, tries=1)),
        ),
        (outcome(OutcomeKind.DELIVERED), NEW, Settled("delivered")),
        (drop(EXPIRED), NEW, Settled("expired")),
    ],
)
def test_on_a_lane_that_is_down_a_fault_costs_a_wait_only(
    what: Outcome, before: Standing, became: Verdict
) -> None:
    assert verdict(what, before, now=1_000, max_tries=4, jitter=0, lane_down=True) == became


UNPROCESSED = replace(outcome(RETRY, 0), spends_attempt=False)


def waits(what: Outcome, jitter: float) -> list[int]:
    """The seconds of each wait, until the device is given up."""
    before, dues = NEW, []
    while isinstance(became := verdict(what, before, now=0, max_tries=4, jitter=jitter), StillOpen):
        before = became.standing
        dues.append(before.due // 1000)
    assert before.tries == 0
    return dues


def test_what_was_not_processed_is_no_try_and_waits_longer_each_time() -> None:
    dues = waits(UNPROCESSED, jitter=0)
    assert dues[:4] == [5, 10, 20, 40]
    assert max(dues) == 600
    assert len(dues) == MAX_WAITS


HOUR = 3600


@pytest.mark.parametrize("asked_s", [0, 10, 599, 600, 900, 1199, 1200, 3600])
def test_waits_outlast_four_hours_and_end_within_a_day(asked_s: int) -> None:
    asked = replace(UNPROCESSED, retry_after_s=asked_s)
    assert sum(waits(asked, jitter=0)) > 4.5 * HOUR
    assert sum(waits(asked, jitter=1)) < 24 * HOUR


def test_an_absurd_delay_is_a_day() -> None:
    became = verdict(outcome(RETRY, 10**17), NEW, now=0, max_tries=4, jitter=1)
    assert became == StillOpen(Standing(int(1.25 * MAX_DELAY_MS), tries=1))


def test_jitter_only_delays() -> None:
    late = verdict(OVERLOADED, NEW, now=0, max_tries=4, jitter=1)
    assert late == StillOpen(Standing(75_000, tries=1))
    repeat = verdict(UNANSWERED, NEW, now=0, max_tries=4, jitter=1)
    assert repeat == StillOpen(Standing(int(60_000 * (1 + JITTER)), tries=1, unknown=1))


def test_open_devices_are_packed_by_their_standing() -> None:
    waiting, tried = Standing(due=5), Standing(due=9, tries=2)
    devices = [(b"a" * 8, waiting), (b"b" * 8, tried), (b"c" * 8, waiting)]
    groups = pack(devices)
    assert groups == [OpenGroup(waiting, b"a" * 8 + b"c" * 8), OpenGroup(tried, b"b" * 8)]
    assert unpack(groups) == dict(devices)
