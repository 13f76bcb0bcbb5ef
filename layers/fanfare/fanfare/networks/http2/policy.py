"""A sender's use of an endpoint: numbers of streams and connections, and times to wait."""

from dataclasses import dataclass
from math import ceil

CONNECT_S = 5.0
PROBED_AFTER_S = 60
"""Seconds of rest after which a connection is pinged before its use: a frozen function misses its end."""
PROBE_S = 1.0
REPLACED_AFTER_S = 300
"""NAT gateways forget a flow after 350 s of rest."""

SPREAD_S = 0.5
"""A batch gets enough connections to finish in about this time."""
GUESSED_LATENCY_S = 0.1

PAUSE_S = 0.010
PAUSED_PART = 8
"""A pause between polls is at most this fraction of the latency, so that it costs no throughput."""
MANY_ANSWERS = 16
"""With more answers than this per connection and turn, a pause gains nothing."""

QUICK_REPLACEMENTS = 8
LASTED = 100
"""Number of answers from which a connection counts as a lasting one."""
_LONGEST_WAIT_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    first_alone: bool = True
    """On a new connection one request goes ahead, and the others follow once it is answered."""
    most_streams: int = 1000
    most_connections: int = 1
    """Maximum number of connections of a batch."""
    most_batches: int = 1
    """Maximum number of batches at once, each over connections of its own; further ones wait."""
    request_s: float = 15.0
    """Longest time from a request to its answer."""
    authorization_s: float = 0.0
    """Seconds for which a connection keeps one authorization before it may carry another."""


def connections_for(waiting: int, streams: int, latency_s: float, most: int) -> int:
    """Return the number of connections, of `streams` requests each, that this many requests deserve."""
    by_time = ceil(waiting * latency_s / (streams * SPREAD_S))
    by_number = ceil(waiting / streams)
    return max(1, min(most, by_time, by_number))


def wait_before_opening(short_lived: int) -> float:
    """Return the pause in seconds after this many short-lived connections in a batch: rapid ones look like an
    attack."""
    beyond = short_lived - QUICK_REPLACEMENTS
    return 0.0 if beyond < 0 else min(_LONGEST_WAIT_S, 0.05 * 2 ** min(beyond, 10))


def pause_s(answers: int, links: int, latency_s: float) -> float:
    """Return the pause for answers to gather, after a turn that brought `answers` from `links`
    connections."""
    if answers >= MANY_ANSWERS * links:
        return 0.0
    return min(PAUSE_S, latency_s / PAUSED_PART)
