"""From measured sends to the figures: dollars per million, fixed and per recipient, and how straight."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean

from measure.cost.bill import Bill


class Density(StrEnum):
    """The part of the population that subscribes."""

    DENSE = "dense"
    SPARSE = "sparse"

    @property
    def every(self) -> int:
        """One in so many."""
        return 1 if self is Density.DENSE else 100


@dataclass(frozen=True, slots=True)
class Send:
    """The mean of several sends to so many recipients, from rest: with the starts of environments.

    `egress` are the bytes that go out to the networks, which are not on the bill. `reached`: the environments
    that it would start, by function.
    """

    share: Density
    recipients: int
    sends: int
    bill: Bill
    cpu_s: float
    starts_cpu_s: float
    egress: float
    reached: Mapping[str, float]
    starts: float = 0.0
    """Dollars on the bill for the environments that start."""
    more_starts: float = 0.0
    """Dollars for the environments that start besides where each poller takes a message of its own."""

    @property
    def per_million(self) -> Bill:
        """The bill of a million recipients at this rate."""
        return self.bill.times(1_000_000 / self.recipients)

    @property
    def warm(self) -> float:
        """Dollars without starts: the number of environments has a limit for any audience."""
        return self.bill.dollars - self.starts


@dataclass(frozen=True, slots=True)
class Fit:
    """Dollars, without starts = fixed + per_recipient x recipients."""

    fixed: float
    per_recipient: float

    def slope(self, send: Send) -> float:
        """The costs of a recipient of this send, the fixed cost and starts taken out."""
        return (send.warm - self.fixed) / send.recipients


def fixed_cost(small: Sequence[Send]) -> float:
    """The fixed cost: the line through small sends at no recipients, by least squares of relative errors.

    The largest are left out: a line through them would hide in its fixed cost what bends it.
    """
    weights = [send.warm**-2 for send in small]
    x = fmean([send.recipients for send in small], weights)
    y = fmean([send.warm for send in small], weights)
    over = fmean([(send.recipients - x) * (send.warm - y) for send in small], weights)
    return y - x * over / fmean([(send.recipients - x) ** 2 for send in small], weights)


def fit(fixed: float, sends: Sequence[Send]) -> Fit:
    """With that fixed cost, least squares of the relative errors: small sends count as much as large ones."""
    weights = [send.recipients / send.warm**2 for send in sends]
    over = sum(weight * (send.warm - fixed) for weight, send in zip(weights, sends, strict=True))
    under = sum(weight * send.recipients for weight, send in zip(weights, sends, strict=True))
    return Fit(fixed, over / under)


def straightness(fixed: float, sends: Sequence[Send]) -> float | None:
    """The costs of a recipient of the largest send by those of the smallest; None for one size."""
    ordered = sorted(sends, key=lambda send: send.recipients)
    if len(ordered) < 2:
        return None
    line = fit(fixed, ordered)
    return line.slope(ordered[-1]) / line.slope(ordered[0])
