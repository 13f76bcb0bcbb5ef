"""How a sender uses an endpoint: how many streams and connections, and how long it waits for what."""

from dataclasses import dataclass
from math import ceil

CONNECT_S = 5.0
PROBED_AFTER_S = 60
"""A connection that rested longer is first asked whether it is there: a frozen function hears nothing."""
PROBE_S = 1.0
REPLACED_AFTER_S = 300
"""NAT gateways forget a flow that rested 350 s."""

SPREAD_S = 0.5
"""A batch gets as many connections as it needs to be through in that time."""
GUESSED_LATENCY_S = 0.1

PAUSE_S = 0.010
PAUSED_PART = 8
"""A pause between polls lasts this part of the latency at most: it must not cost throughput."""
MANY_ANSWERS = 16
"""With more than that from a connection at a turn, there is nothing to be gained by a pause."""

QUICK_REPLACEMENTS = 8
LASTED = 100
"""A connection that brought so many answers did its duty."""
_LONGEST_WAIT_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    first_alone: bool = True
    """On a new connection one request goes ahead, the rest when it is answered."""
    most_streams: int = 1000
    most_connections: int = 1
    """For a batch."""
    most_batches: int = 1
    """At once, each over connections of its own; further ones wait."""
    request_s: float = 15.0
    """How long the answer to a request may take."""
    authorization_s: float = 0.0
    """How long a connection keeps to one value of authorization, before it may carry another."""


def connections_for(waiting: int, streams: int, latency_s: float, most: int) -> int:
    """How many connections of `streams` requests at a time so many requests are worth."""
    by_time = ceil(waiting * latency_s / (streams * SPREAD_S))
    by_number = ceil(waiting / streams)
    return max(1, min(most, by_time, by_number))


def wait_before_opening(short_lived: int) -> float:
    """In seconds, after so many connections in a batch that did not last: rapid ones look like an attack."""
    beyond = short_lived - QUICK_REPLACEMENTS
    return 0.0 if beyond < 0 else min(_LONGEST_WAIT_S, 0.05 * 2 ** min(beyond, 10))


def pause_s(answers: int, links: int, latency_s: float) -> float:
    """How long to let answers gather, after a turn that brought so many from so many connections."""
    if answers >= MANY_ANSWERS * links:
        return 0.0
    return min(PAUSE_S, latency_s / PAUSED_PART)
