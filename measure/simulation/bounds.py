"""The speeds of the parts of a simulated send, and the bounds that the template sets for them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Speeds:
    """The speeds of the parts, in seconds; `reads` are a recipient's read units by table."""

    dispatch_s: float
    """From the accepted send until its messages are queued, with the start of an environment."""
    fanout_start_s: float
    fanout_batch_s: float
    deliver_start_s: float
    recipient_s: float
    """The time of a recipient in one environment of deliver."""
    reads: dict[str, float]


@dataclass(frozen=True, slots=True)
class Bounds:
    """Parameters of the template."""

    deliver: int
    """Invocations at once on the queue that the send takes."""
    fanout: int
    batch: int
    window_s: float
    """The wait of pollers for a batch that does not fill."""
    fcm_per_minute: float
