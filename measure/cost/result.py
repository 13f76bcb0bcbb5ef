"""All that a run of the meter found, and the JSON object that it ends with."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from measure.cost import prices
from measure.cost.acts import Act
from measure.cost.cpu import CpuFound
from measure.cost.doubts import Doubts
from measure.cost.figures import Density, Send, fixed_cost, straightness

MILLION = prices.MILLION


@dataclass(frozen=True, slots=True)
class CostResult:
    small: Sequence[Send]
    """Dense sends by which, and by the smallest of `sends`, the fixed cost is found."""
    sends: Sequence[Send]
    acts: Sequence[Act]
    polled_queues: int
    """Queues that call a function, and are asked while they rest."""
    alarm_metrics: int
    doubts: Doubts | None
    """None where no dense send was made."""
    cpu: CpuFound | None
    """None where no dense send was made."""

    @property
    def fixed(self) -> float:
        """Dollars of a send, whoever gets it."""
        return fixed_cost([*self.of(Density.DENSE)[:1], *self.small])

    def of(self, share: Density) -> list[Send]:
        """By size."""
        return sorted((one for one in self.sends if one.share is share), key=lambda one: one.recipients)

    def largest(self, share: Density) -> Send | None:
        return next(reversed(self.of(share)), None)

    def summary(self) -> dict[str, Any]:
        """The last line."""
        dense, sparse = self.largest(Density.DENSE), self.largest(Density.SPARSE)
        slope = straightness(self.fixed, self.of(Density.DENSE))
        return {
            "dense_usd_per_million": _dollars(dense),
            "sparse_usd_per_million": _dollars(sparse),
            "egress_usd_per_million": dense and round(egress_dollars(dense), 4),
            "dense_slope": slope and round(slope, 3),
            "cpu_vs_bare_read": self.cpu and round(self.cpu.ratio, 2),
            "first_doubt_usd_per_million": self.doubts and round(self.doubts.first, 4),
            "marked_doubt_usd_per_million": self.doubts and round(self.doubts.marked, 4),
            "requests": dense and requests_of(dense),
        }


def requests_of(send: Send) -> dict[str, float]:
    """The dollars of one send, by service."""
    return {service.value: round(count, 1) for service, count in send.bill.requests().items()}


def egress_dollars(send: Send) -> float:
    """The price of the bytes to the networks for a million recipients, without the free tier."""
    return send.egress / send.recipients * MILLION / prices.GB * prices.EGRESS_GB


def _dollars(send: Send | None) -> float | None:
    return None if send is None else round(send.per_million.dollars, 4)
