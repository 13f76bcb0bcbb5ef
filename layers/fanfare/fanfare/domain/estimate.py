"""Estimate the rows of a partition or a table from the first of them in ring order."""

from dataclasses import dataclass

from fanfare.domain.ring import Arc


@dataclass(frozen=True, slots=True)
class Sample:
    """The first rows of one shard in ring order: their number, and the last one's place on the ring."""

    rows: int
    last_place: int | None
    """None if the sample holds every row of its stretch."""
    stretch: Arc
    """The stretch of the ring that the sampled shard covers."""


def estimate(sample: Sample) -> float:
    """Return the rows on the whole ring, from how far along its stretch the sample reaches.

    Users lie evenly, so n rows up to place p stand for (n - 1) / p of the stretch. The relative error is
    about 1 / sqrt(n). A sample that holds its whole stretch is exact for that stretch.
    """
    stretches = 1 << sample.stretch.bits
    if sample.last_place is None:
        return float(sample.rows * stretches)
    reached = sample.last_place - sample.stretch.start + 1
    return (sample.rows - 1) * (1 << 64) / reached
