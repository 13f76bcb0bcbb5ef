"""Doubt: the strike of an answer, the counting of users, and the breaker's opening."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanfare.domain.breaker import is_open
from fanfare.domain.doubt import DAY_MS, HOUR_MS, Mark, Strike, evidence_hours, strike
from fanfare.domain.outcome.consequence import suspect
from fanfare.domain.proof import Proof
from fanfare.domain.retry_state import Standing
from fanfare.domain.sketch import FULL, estimate, sketch
from fanfare.domain.verdict import DOUBT_DELAY_MS, Exhausted, Settled, StillOpen, given_up_in_doubt, verdict

MARK = Mark(100 * DAY_MS, "apns:production:team/app")


@pytest.mark.parametrize(
    ("after_ms", "sublane", "expected"),
    [
        (-DAY_MS, MARK.sublane, Strike.BETWEEN),
        (0, MARK.sublane, Strike.BETWEEN),
        (DAY_MS - 1, MARK.sublane, Strike.BETWEEN),
        (DAY_MS, MARK.sublane, Strike.SECOND),
        (14 * DAY_MS, MARK.sublane, Strike.SECOND),
        (14 * DAY_MS + 1, MARK.sublane, Strike.FIRST),
        (DAY_MS, "apns:production:team/app.dev", Strike.FIRST),
    ],
)
def test_the_second_strike_comes_one_to_fourteen_days_after_the_first_on_the_same_sublane(
    after_ms: int, sublane: str, expected: Strike
) -> None:
    assert strike(MARK, MARK.at + after_ms, sublane) is expected


def test_without_a_mark_a_doubtful_answer_is_a_first_strike() -> None:
    assert strike(None, 1, "lane") is Strike.FIRST


def test_evidence_is_of_the_24_hours_up_to_the_answers_own() -> None:
    assert list(evidence_hours(48 * HOUR_MS + 5)) == list(range(25, 49))


@pytest.mark.parametrize(
    ("answered", "doubted", "expected"),
    [(19, 19, False), (20, 20, True), (100, 20, False), (100, 21, True), (1000, 201, True), (0, 20, True)],
)
def test_the_breaker_opens_from_twenty_users_and_above_a_fifth(
    answered: int, doubted: int, expected: bool
) -> None:
    assert is_open(answered, doubted) is expected


@pytest.mark.parametrize(
    ("owner", "token", "registered_at", "about"),
    [
        ("u1", "aa", 100, True),
        ("u1", "aa", 101, False),
        ("u2", "aa", 50, False),
        ("u1", "bb", 50, False),
    ],
)
def test_a_proof_is_about_the_installation_as_it_was_sent_to(
    owner: str, token: str, registered_at: int, about: bool
) -> None:
    proof = Proof(
        installation="i", user="u1", token="aa", at=100, sent_at=100, sublane="s", reason="UNREGISTERED"
    )
    assert proof.is_about(owner, token, registered_at) is about


def test_a_doubtful_answer_is_settled_while_the_breaker_is_shut() -> None:
    became = verdict(suspect("BadDeviceToken"), Standing(), now=0, max_tries=8, jitter=0)
    assert became == Settled("suspect.BadDeviceToken")


def test_while_the_breaker_is_open_a_push_is_tried_twice_more_an_hour_apart_and_given_up() -> None:
    standing, now = Standing(), 1_000
    for doubts in (1, 2):
        became = verdict(
            suspect("BadDeviceToken"), standing, now=now, max_tries=8, jitter=0, breaker_open=True
        )
        assert became == StillOpen(Standing(due=now + DOUBT_DELAY_MS, doubts=doubts))
        standing, now = became.standing, became.standing.due
    became = verdict(suspect("BadDeviceToken"), standing, now=now, max_tries=8, jitter=0, breaker_open=True)
    assert isinstance(became, Exhausted)
    assert became.standing.tries == 8
    assert given_up_in_doubt(became.standing)


@given(st.lists(st.sets(st.text(max_size=3), max_size=FULL - 1), max_size=5))
def test_few_users_are_counted_exactly_and_once_in_whatever_sketches(groups: list[set[str]]) -> None:
    assert estimate([sketch(group) for group in groups]) == len(set().union(*groups))


@pytest.mark.parametrize("number", [100, 1_000, 10_000, 100_000])
def test_many_users_are_estimated_and_seeing_them_again_changes_nothing(number: int) -> None:
    users = [f"user-{i}" for i in range(number)]
    once = estimate([sketch(users)])
    assert once == estimate([sketch(users), sketch(users[::2]), sketch(users)])
    assert 0.5 * number < once < 1.6 * number
