"""The sends that are measured: how large, how often, and from rest."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from statistics import fmean, median

from measure.cost import bill, cold
from measure.cost.acts import MESSAGE
from measure.cost.bill import Bill, Service
from measure.cost.cold import Cold
from measure.cost.figures import Density, Send
from measure.cost.measure import Measured, measured
from measure.cost.stage import CrowdAudience, MeasuredStack
from measure.spoiled import Spoiled


@dataclass(frozen=True, slots=True)
class CostPlan:
    """A number of recipients, and of sends to them."""

    share: Density
    recipients: int
    sends: int

    def audience(self, stage: MeasuredStack) -> CrowdAudience:
        return stage.audience(self.recipients * self.share.every, self.share.every)


SMALL = tuple(CostPlan(Density.DENSE, recipients, 8) for recipients in (2_000, 4_000))
"""By which, and by the smallest of PLANS, the fixed cost is found."""

PLANS = (
    CostPlan(Density.DENSE, 1_000, 8),
    CostPlan(Density.DENSE, 10_000, 6),
    CostPlan(Density.DENSE, 100_000, 3),
    CostPlan(Density.SPARSE, 1_000, 8),
    CostPlan(Density.SPARSE, 10_000, 6),
)


def sends(
    stage: MeasuredStack, plans: tuple[CostPlan, ...], colds: Mapping[str, Cold], say: Callable[[str], None]
) -> Iterator[Send]:
    for plan in plans:
        began = time.monotonic()
        audience = plan.audience(stage)
        say(f"{_name(plan)}: {audience.crowd.size:,} users are there ({time.monotonic() - began:.0f} s)")
        stage.warm(audience, MESSAGE)
        times = [_once(stage, audience, plan, number, say) for number in range(1, plan.sends + 1)]
        yield _mean(stage, plan, times, colds)


def _once(
    stage: MeasuredStack, audience: CrowdAudience, plan: CostPlan, number: int, say: Callable[[str], None]
) -> Measured:
    began = time.monotonic()
    pushes: list[str] = []
    done = measured(stage, lambda: pushes.append(audience.send(MESSAGE)))
    if done.failed:
        raise Spoiled(f"{_name(plan)}: {done.failed} invocations failed, see {stage.folder}/logs")
    came = audience.admin.call("GET", f"/push/messages/{pushes[0]}")["devices"]
    if came != {"delivered": plan.recipients}:
        raise Spoiled(f"{_name(plan)}: not all were delivered: {came}")
    million = 1_000_000 / plan.recipients
    say(
        f"{_name(plan)}: send {number} of {plan.sends}, ${done.bill.dollars * million:.4f} a million, "
        f"{done.cpu_s * million:.0f} CPU-s ({time.monotonic() - began:.0f} s)"
    )
    return done


def _mean(stage: MeasuredStack, plan: CostPlan, times: list[Measured], colds: Mapping[str, Cold]) -> Send:
    known = dict(colds)
    for one in times:
        known |= {name: found for name, found in cold.met(one.invocations).items() if name not in known}
    reached = _mean_of([one.reached for one in times])
    at_most = _mean_of([one.reached_at_most for one in times])
    warm = usual([one.bill for one in times])
    starts, all_starts = (Bill(tuple(cold.lines(one, known, stage.template))) for one in (reached, at_most))
    return Send(
        plan.share,
        plan.recipients,
        plan.sends,
        bill.added([warm, starts]),
        cpu_s=fmean(one.cpu_s for one in times),
        starts_cpu_s=sum(count * known[name].cpu_ms / 1000 for name, count in reached.items()),
        egress=fmean(one.bytes_out for one in times),
        reached=reached,
        starts=starts.dollars,
        more_starts=all_starts.dollars - starts.dollars,
    )


def _mean_of(counts: list[Mapping[str, int]]) -> dict[str, float]:
    names = dict.fromkeys(name for one in counts for name in one)
    return {name: fmean(one.get(name, 0) for one in counts) for name in names}


def usual(bills: list[Bill]) -> Bill:
    """The mean of several sends; where time is billed the median, since this machine has others to serve."""
    lines = []
    for one in bill.added(bills).times(1 / len(bills)).lines:
        if one.service is Service.LAMBDA:
            dollars = [sum(line.dollars for line in each.lines if line.what == one.what) for each in bills]
            lines.append(replace(one, dollars=median(dollars)))
        else:
            lines.append(one)
    return Bill(tuple(lines))


def _name(plan: CostPlan) -> str:
    return f"{plan.share} {plan.recipients:,}"
