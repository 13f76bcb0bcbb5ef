"""The delivery policy: what becomes of a device after each outcome."""

from dataclasses import replace

import pytest

from fanfare.domain.openness import OpenGroup, Standing, pack, unpack
from fanfare.domain.outage import REFUSED_PAUSE_MS
from fanfare.domain.outcome import Outcome, OutcomeKind
from fanfare.domain.policy import (
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


@pytest.mark.parametrize(
    ("what", "before", "became"),
    [
        (outcome(OutcomeKind.DELIVERED), NEW, Settled("delivered")),
        (outcome(OutcomeKind.PURGE_TOKEN), NEW, Settled("purge_token.why")),
        (outcome(OutcomeKind.DROP_PAYLOAD_ERROR), NEW, Settled("drop_payload_error.why")),
        (outcome(OutcomeKind.RETRY_AFTER_DELAY, 60), NEW, StillOpen(Standing(61_000, 1, 0))),
        (outcome(OutcomeKind.RETRY_FRESH_CREDENTIAL, 0), NEW, StillOpen(Standing(6_000, 1, 0))),
        (
            outcome(OutcomeKind.PAUSE_ALARM_CREDENTIAL),
            NEW,
            StillOpen(Standing(1_000 + REFUSED_PAUSE_MS, 1, 0)),
        ),
        (outcome(OutcomeKind.RETRY_AFTER_DELAY, 60), Standing(0, 3, 0), Exhausted("retry_after_delay.why")),
        (outcome(OutcomeKind.RETRY_AFTER_DELAY, 5, unknown=True), NEW, StillOpen(Standing(6_000, 1, 1))),
        (
            outcome(OutcomeKind.RETRY_AFTER_DELAY, 5, unknown=True),
            Standing(0, 1, 1),
            StillOpen(Standing(11_000, 2, 2)),
        ),
        (outcome(OutcomeKind.RETRY_AFTER_DELAY, 5, unknown=True), Standing(0, 2, 2), Settled("unknown.why")),
    ],
)
def test_the_policy(what: Outcome, before: Standing, became: Verdict) -> None:
    assert verdict(what, before, now=1_000, max_tries=4, jitter=0) == became


def test_the_unanswered_probe_of_a_network_that_is_down_ends_in_the_dead_letter() -> None:
    silent = outcome(OutcomeKind.RETRY_AFTER_DELAY, 5, unknown=True)
    became = verdict(silent, Standing(0, 2, 2), now=0, max_tries=8, jitter=0, lane_down=True)
    assert became == Exhausted("unknown.why")


UNPROCESSED = replace(outcome(OutcomeKind.RETRY_AFTER_DELAY, 0), spends_attempt=False)


def test_what_was_not_processed_is_no_try_and_waits_longer_each_time() -> None:
    before, dues = NEW, []
    while isinstance(became := verdict(UNPROCESSED, before, now=0, max_tries=4, jitter=0), StillOpen):
        before = became.standing
        dues.append(before.due // 1000)
    assert dues[:4] == [5, 10, 20, 40]
    assert max(dues) == 600
    assert (len(dues), before.tries) == (MAX_WAITS, 0)
    assert sum(dues) > 3600, "an outage of an hour is sat out"


def test_an_absurd_delay_is_a_day() -> None:
    became = verdict(outcome(OutcomeKind.RETRY_AFTER_DELAY, 10**17), NEW, now=0, max_tries=4, jitter=1)
    assert became == StillOpen(Standing(int(1.25 * MAX_DELAY_MS), 1, 0))


def test_jitter_only_delays() -> None:
    late = verdict(outcome(OutcomeKind.RETRY_AFTER_DELAY, 60), NEW, now=0, max_tries=4, jitter=1)
    assert late == StillOpen(Standing(75_000, 1, 0))


def test_open_devices_are_packed_by_their_standing() -> None:
    waiting, tried = Standing(due=5), Standing(due=9, tries=2)
    devices = [(b"a" * 8, waiting), (b"b" * 8, tried), (b"c" * 8, waiting)]
    groups = pack(devices)
    assert groups == [OpenGroup(waiting, b"a" * 8 + b"c" * 8), OpenGroup(tried, b"b" * 8)]
    assert unpack(groups) == dict(devices)
