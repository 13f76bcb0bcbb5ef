"""The number of functions that the pipeline can run at once, and the number that an account allows."""

from collections.abc import Mapping
from dataclasses import dataclass

STREAMS = 2
SHARDS = 4
"""The shards of the stream of a new table on demand."""
ROOM_FOR_API = 20
STARTING_VALUES = {
    "ExpressConcurrency": "2",
    "BulkConcurrency": "2",
    "FanoutConcurrency": "2",
    "PurgeConcurrency": "2",
    "SweepConcurrency": "2",
    "StreamParallelization": "1",
}
"""For an account with few concurrent executions: the least that Lambda takes."""
USUAL = 1000


@dataclass(frozen=True, slots=True)
class Account:
    """An account's Lambda concurrency in a region. `unreserved`: the part that no function has reserved."""

    most: int
    unreserved: int


@dataclass(frozen=True, slots=True)
class Advice:
    """Parameters to give where none were given, and sentences for the person that deploys."""

    parameters: Mapping[str, str]
    sentences: tuple[str, ...]


NOTHING = Advice({}, ())


def most_at_work(values: Mapping[str, str]) -> int:
    """Functions of the pipeline that run at once, at most, by the template's parameters."""
    by_queue = [int(values[name]) for name in STARTING_VALUES if name.endswith("Concurrency")]
    return sum(by_queue) + STREAMS * SHARDS * int(values["StreamParallelization"])


def advice(
    account: Account, values: Mapping[str, str], given: Mapping[str, str], *, is_first: bool
) -> Advice:
    """Return the starting values of a first deployment where the account has few, and a word about it.

    `values`: all parameters as they would hold; `given`: those that the caller names, which stay.
    """
    if account.unreserved >= most_at_work(values) + ROOM_FOR_API:
        return NOTHING
    lower = {
        name: value
        for name, value in STARTING_VALUES.items()
        if name not in given and int(values[name]) > int(value)
    }
    parameters = lower if is_first else {}
    at_work = most_at_work({**values, **parameters})
    few = (
        f"This account lets {account.unreserved} functions run at once in this region, the API's among them."
        f" A large send alone can have {at_work} at work, and the API then answers 503."
    )
    told = " ".join(f"{name}={value}" for name, value in lower.items())
    if parameters:
        told = f"It starts with fewer than usual: {told}. Raise them by name, once you have more."
    elif lower:
        told = f'Until you have more: make deploy PARAMETERS="{told}"'
    ask = (
        "Ask for more, which is free, and takes hours to days: aws service-quotas"
        " request-service-quota-increase --service-code lambda --quota-code L-B99A9384"
        f" --desired-value {USUAL}"
    )
    return Advice(parameters, tuple(one for one in (few, told, ask) if one))
