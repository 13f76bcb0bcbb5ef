"""The ring: places that never change, and arcs that cover it without a gap or an overlap."""

from itertools import pairwise
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from fanfare.domain import ring
from fanfare.domain.ring import PLACE_BITS, WHOLE_RING, Arc, place, ring_key, user_of

arcs = st.integers(0, 12).flatmap(lambda bits: st.builds(Arc, st.just(bits), st.integers(0, (1 << bits) - 1)))


def test_a_place_is_the_same_for_ever() -> None:
    """Rows are keyed by it: a changed hash would lose every subscriber."""
    assert place("u1") == "92994d683f4e6ad5"
    assert ring_key("u1") == "92994d683f4e6ad5#u1"
    assert user_of(ring_key("a#b")) == "a#b"


@given(st.integers(0, 8))
def test_a_cut_covers_the_ring_once(bits: int) -> None:
    cut = sorted(WHOLE_RING.cut(bits), key=lambda arc: arc.start)
    assert cut[0].start == 0
    assert cut[-1].end == 1 << PLACE_BITS
    assert all(left.end == right.start for left, right in pairwise(cut))


@given(arcs, st.integers(0, 4), st.text(min_size=1))
def test_a_user_on_an_arc_is_on_exactly_one_of_its_parts(arc: Arc, deeper: int, user: str) -> None:
    holders = [part for part in arc.cut(arc.bits + deeper) if part.holds(user)]
    assert len(holders) == (1 if arc.holds(user) else 0)


@given(arcs, st.text(min_size=1))
def test_the_bounds_hold_exactly_the_users_of_the_arc(arc: Arc, user: str) -> None:
    first, last = arc.bounds
    assert (first <= ring_key(user) <= last) == arc.holds(user)
    if arc.holds(user):
        assert place(user)[0] in arc.digits


@given(arcs)
def test_a_place_on_the_border_is_on_the_arc_that_begins_there(arc: Arc) -> None:
    """Hashes hardly ever lie there, so the user ID is its own place."""
    first, last = arc.bounds
    within = {arc.start: True, arc.end - 1: True, arc.end: False, arc.start - 1: False}
    for at, expected in within.items():
        if 0 <= at < 1 << PLACE_BITS:
            user = f"{at:016x}"
            assert (first <= f"{user}#u" <= last) is expected
            with patch.object(ring, "place", lambda user: user):
                assert arc.holds(user) is expected


@given(arcs)
def test_an_arc_touches_the_shards_that_it_overlaps(arc: Arc) -> None:
    shard = 1 << (PLACE_BITS - 4)
    overlapped = [d for d in range(16) if d * shard < arc.end and arc.start < (d + 1) * shard]
    assert arc.digits == "".join(f"{d:x}" for d in overlapped)


@given(arcs)
def test_an_arc_by_shard_is_the_same_stretch(arc: Arc) -> None:
    parts = arc.by_shard()
    assert all(len(part.digits) == 1 for part in parts)
    assert (parts[0].start, parts[-1].end) == (arc.start, arc.end)
    assert all(one.end == following.start for one, following in pairwise(parts))


def test_neighbours_in_a_cut_lie_on_different_shards() -> None:
    cut = list(WHOLE_RING.cut(8))
    assert all(a.digits != b.digits for a, b in pairwise(cut))
    assert [arc.id for arc in WHOLE_RING.cut(2)] == ["a2.0", "a2.2", "a2.1", "a2.3"]
