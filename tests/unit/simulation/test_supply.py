"""Environments, read units and quota, moment by moment."""

import pytest

from measure.simulation.supply import Environments, Reads, Window


def test_pollers_begin_with_five_and_add_five_a_second_once_environments_have_started() -> None:
    some = Environments(limit=12, starts_s=0.5, began=10.0)

    assert [some.ready(at) for at in (10.0, 10.4, 10.5, 11.5, 60.0)] == [0, 0, 5, 10, 12]


def test_without_a_message_nothing_starts() -> None:
    assert Environments(limit=12, starts_s=0.5).ready(100.0) == 0


def test_a_new_table_gives_12000_reads_and_follows_its_peak_to_the_quota() -> None:
    table = Reads()

    assert table.at(0.0) == 12_000
    table.use(12_000)
    assert table.at(1_799.0) == 12_000
    assert table.at(1_800.0) == 24_000
    table.use(24_000)
    assert table.at(3_600.0) == 40_000


def test_a_table_that_is_little_read_keeps_what_it_has() -> None:
    table = Reads()
    table.use(100)

    assert table.at(1_800.0) == 12_000


def test_a_window_gives_its_quota_and_the_next_gives_it_anew() -> None:
    window = Window(limit=100)

    assert window.at(0.0)
    assert (window.take(60), window.take(60), window.take(60)) == (60, 40, 0)
    assert not window.at(9.9)
    assert window.at(10.0)
    assert window.take(60) == pytest.approx(60)
