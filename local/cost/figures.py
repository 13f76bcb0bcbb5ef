"""From measured sends to the figures: dollars per million, fixed and per recipient, and how straight."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from local.cost.bill import Bill


class Share(StrEnum):
    """How much of the population subscribes."""

    DENSE = "dense"
    SPARSE = "sparse"

    @property
    def every(self) -> int:
        """One in so many."""
        return 1 if self is Share.DENSE else 100


@dataclass(frozen=True, slots=True)
class Send:
    """The mean of several sends to so many recipients, from rest: with the starts of environments.

    `egress` are the bytes that go out to the networks, which are not on the bill. `reached`: the environments
    that it would start, by function.
    """

    share: Share
    recipients: int
    sends: int
    bill: Bill
    cpu_s: float
    starts_cpu_s: float
    egress: float
    reached: Mapping[str, float]

    @property
    def per_million(self) -> Bill:
        """The bill of a million recipients at this rate."""
        return self.bill.times(1_000_000 / self.recipients)


@dataclass(frozen=True, slots=True)
class Fit:
    """Dollars = fixed + per_recipient x recipients."""

    fixed: float
    per_recipient: float

    def slope(self, send: Send) -> float:
        """What a recipient of this send costs, the fixed cost taken out."""
        return (send.bill.dollars - self.fixed) / send.recipients


def fit(sends: Sequence[Send]) -> Fit:
    """Least squares of the relative errors, so that the small sends count as much as the large.

    A fixed cost below nothing is no cost: then the line goes through zero.
    """
    weights = [send.bill.dollars**-2 for send in sends]
    total = sum(weights)
    x = sum(w * send.recipients for w, send in zip(weights, sends, strict=True)) / total
    y = sum(w * send.bill.dollars for w, send in zip(weights, sends, strict=True)) / total
    slope = sum(
        w * (send.recipients - x) * (send.bill.dollars - y) for w, send in zip(weights, sends, strict=True)
    ) / sum(w * (send.recipients - x) ** 2 for w, send in zip(weights, sends, strict=True))
    if y > slope * x:
        return Fit(y - slope * x, slope)
    mean = sum(w * send.recipients * send.bill.dollars for w, send in zip(weights, sends, strict=True))
    return Fit(0.0, mean / sum(w * send.recipients**2 for w, send in zip(weights, sends, strict=True)))


def straightness(sends: Sequence[Send]) -> float | None:
    """What a recipient of the largest send costs by what one of the smallest costs; None for one size."""
    ordered = sorted(sends, key=lambda send: send.recipients)
    if len(ordered) < 2:
        return None
    line = fit(ordered)
    return line.slope(ordered[-1]) / line.slope(ordered[0])
