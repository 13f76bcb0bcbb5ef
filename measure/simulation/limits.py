"""Limits that AWS and Google publish, us-east-1, as of 2026-11-23. docs/scale.md tells where."""

from fanfare.domain.ring import HEX_DIGITS
from fanfare.pipeline.lanes.quota import PATIENCE_MS, WINDOW_MS
from measure.cost import ramp

STREAM_PICKUP_S = 0.25
"""Lambda asks each shard of a stream four times a second."""

FIRST_POLLERS = ramp.FIRST
"""Invocations at once with which Lambda begins on a standard queue, in the standard mode of its pollers."""
MORE_A_SECOND = ramp.MORE_PER_SECOND

PARTITION_READS = 3_000
"""Read units a second of one partition; a table of ours has at least one for each digit of the ring."""
SHARDS = len(HEX_DIGITS)

NEW_TABLE_READS = 12_000
"""Read units a second that a new table on demand gives at once, and that are its warm throughput."""
TABLE_READS_QUOTA = 40_000
"""An account's quota for each table, which AWS raises on request."""
PEAK_S = 30 * 60
"""Within half an hour a table follows to twice its earlier peak."""

QUOTA_WINDOW_S = WINDOW_MS / 1000
"""Our own figure: the fleet counts its use of FCM's quota of a minute in it."""
PATIENCE_S = PATIENCE_MS / 1000
"""Ours: the end of a window that is used up, which environments wait out."""
