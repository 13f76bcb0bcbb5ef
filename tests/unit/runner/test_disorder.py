"""Duplicate, late and unordered events."""

import pytest

from local.runner.disorder import Disorder, DisorderRules


def _disorder(rules: DisorderRules) -> Disorder:
    disorder = Disorder()
    disorder.obey(rules)
    return disorder


def test_without_rules_nothing_is_touched() -> None:
    calm = Disorder()
    assert calm.shuffled([3, 1, 2]) == [3, 1, 2]
    assert calm.once_more([1, 2]) == []
    assert calm.delay_seconds() == 0


def test_a_share_of_the_events_comes_once_more() -> None:
    assert _disorder(DisorderRules(duplicate=1)).once_more([1, 2]) == [1, 2]
    some = _disorder(DisorderRules(duplicate=0.3, seed=1)).once_more(range(1000))
    assert 250 < len(some) < 350


def test_the_order_changes_but_not_within_a_key() -> None:
    events = list(range(60))
    mixed = _disorder(DisorderRules(shuffle=True, seed=1)).shuffled(events, key=lambda event: event % 3)
    assert mixed != events
    assert sorted(mixed) == events
    for key in range(3):
        of_key = [event for event in mixed if event % 3 == key]
        assert of_key == sorted(of_key)


def test_the_same_seed_makes_the_same_disorder() -> None:
    first, second = (_disorder(DisorderRules(shuffle=True, delay_ms=50, seed=9)) for _ in range(2))
    assert first.shuffled(range(9)) == second.shuffled(range(9))
    delay = first.delay_seconds()
    assert delay == second.delay_seconds()
    assert 0 <= delay <= 0.05


@pytest.mark.parametrize("wrong", [{"duplicate": 2.0}, {"duplicate": -0.1}, {"delay_ms": -1}])
def test_nonsense_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="share"):
        DisorderRules(**wrong)  # type: ignore[arg-type]
