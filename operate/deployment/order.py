"""Parameters whose values only work in an order, which CloudFormation cannot compare."""

from collections.abc import Iterator, Mapping

VISIBILITY_IN_TIMEOUTS = 6
"""AWS's own rule for queues that Lambda works on: a throttled message must not come again meanwhile."""
LONGEST_TIMEOUT_S = 900


def broken(values: Mapping[str, str]) -> list[str]:
    """Return a sentence for each order that these parameters of the template break."""
    return [*_of_deliver(values), *_of_queues(values), *_of_waiting(values)]


def _of_deliver(values: Mapping[str, str]) -> Iterator[str]:
    timeout, lease, visibility = _numbers(values, "DeliverTimeout", "DeliverLease", "DeliveryVisibility")
    if not timeout < lease < visibility:
        yield (
            f"DeliverTimeout={timeout:g}, DeliverLease={lease:g}, DeliveryVisibility={visibility:g}:"
            " the timeout has to be shorter than the lease, and the lease shorter than the visibility."
            " Otherwise a delivery is taken by a second function while the first one sends it"
        )


def _of_queues(values: Mapping[str, str]) -> Iterator[str]:
    for name, visibility_name, window_s in (
        ("DeliverTimeout", "DeliveryVisibility", 1),
        ("FanoutTimeout", "FanoutVisibility", 0),
        ("SweepTimeout", "SweepVisibility", 0),
    ):
        timeout, visibility = _numbers(values, name, visibility_name)
        if timeout > LONGEST_TIMEOUT_S:
            yield f"{name}={timeout:g}: Lambda runs nothing for longer than {LONGEST_TIMEOUT_S} s"
        least = VISIBILITY_IN_TIMEOUTS * timeout + window_s
        if visibility < least:
            yield f"{visibility_name}={visibility:g}: at {name}={timeout:g} it has to be {least:g} at least"


def _of_waiting(values: Mapping[str, str]) -> Iterator[str]:
    first, longest = _numbers(values, "AgainSeconds", "AgainAtMostSeconds")
    if first > longest:
        yield f"AgainSeconds={first:g} is longer than AgainAtMostSeconds={longest:g}"


def _numbers(values: Mapping[str, str], *names: str) -> tuple[float, ...]:
    return tuple(float(values[name]) for name in names)
