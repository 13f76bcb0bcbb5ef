"""One simulated send: its settings, its time, and its costs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fanfare.domain import cutting
from fanfare.domain.push import Pace
from fanfare.pipeline.lanes.quota import BULK_SHARE
from measure.cost import bill, prices
from measure.cost.bill import Bill, Line, Service
from measure.cost.figures import Density, Send
from measure.simulation import course, limits
from measure.simulation.bounds import Bounds, Speeds
from measure.simulation.course import Course
from measure.simulation.plan import Plan, plan
from measure.simulation.unit_costs import By, Units, memory, units
from operate.template import QueueSource, Template

HALF = 0.5
"""The share of recipients that the meter reaches through FCM; its others are reached through APNs."""


@dataclass(frozen=True, slots=True)
class Outlook:
    users: int
    share: float
    plan: Plan
    course: Course
    bill: Bill
    egress: float
    """Dollars for the bytes out to the networks, which are not on the bill."""
    recipients_per_s: float
    """The recipients of one environment of deliver, where nothing else holds it up."""


def outlook(
    sends: Sequence[Send], template: Template, users: int, share: float, below: int | None = None
) -> Outlook:
    """By units of the meter's sends (to fewer than `below`). Raises NobodyThere and NotMeasured."""
    planned = plan(users, share, limits_of(template))
    kind = Density.DENSE if share > cutting.DENSE_SHARE else Density.SPARSE
    used = units(sends, kind, below)
    bounds = _bounds(planned, template)
    pace = _pace(planned, used, template)
    came = course.course(planned, pace, bounds, HALF)
    egress = max((one for one in sends if one.share is kind), key=lambda one: one.recipients)
    out = egress.egress / egress.recipients * planned.recipients / prices.GB * prices.EGRESS_GB
    bill_of_it = dollars(planned, came, used, bounds.batch, template)
    return Outlook(users, share, planned, came, bill_of_it, out, 1 / pace.recipient_s)


def dollars(planned: Plan, came: Course, used: Units, batch: int, template: Template) -> Bill:
    """Reading an arc once more costs what reading it first did; putting a delivery off costs the invocation's
    share and, as with every one that waits, another message, which is sent and taken. An environment that
    waits for a window is paid for like one that works."""
    again = came.again / planned.on_arc
    counts = counts_of(planned, came, batch)
    postponed = came.postponed / planned.on_arc
    counts |= {
        By.RECIPIENT: counts[By.RECIPIENT] + came.again,
        By.MESSAGE: counts[By.MESSAGE] + again + postponed,
        By.DELIVERY: counts[By.DELIVERY] + again,
        By.INVOCATION: counts[By.INVOCATION] + (again + postponed) / batch,
    }
    requeued = round(came.requeued / planned.on_arc)
    later = bill.sqs("deliver: SendMessageBatch, once more", requeued, 0, fair=planned.pace is Pace.BULK)
    idle = bill.duration(1000 * came.idle_s, memory(template, "deliver"))
    waited = Line(Service.LAMBDA, "deliver: waiting for FCM's quota", 0, idle)
    besides = [*([later] if requeued else []), *([waited] if idle else [])]
    return bill.added([used.bill(counts), Bill(tuple(besides))])


def counts_of(planned: Plan, came: Course, batch: int) -> dict[By, float]:
    """The bill of a send to devices that are all reached at once."""
    return {
        By.SEND: 1,
        By.DISPATCH_BATCH: -(-planned.dispatched // 10),
        By.COARSE_ARC: planned.fanout_messages,
        By.FANOUT_BATCH: planned.fanout_batches,
        By.INVOCATION: -(-planned.deliveries // batch),
        By.MESSAGE: planned.deliveries,
        By.DELIVERY: planned.deliveries,
        By.RECIPIENT: planned.recipients,
        By.FANOUT_START: came.fanout_environments,
        By.DELIVER_START: came.deliver_environments,
    }


def limits_of(template: Template) -> cutting.Limits:
    dispatch = template.functions["dispatch"].environment
    arc_size, fan_out, express = (
        int(str(dispatch[name])) for name in ("ARC_SIZE", "FAN_OUT", "EXPRESS_LIMIT")
    )
    return cutting.Limits(arc_size, fan_out, express)


def _pace(planned: Plan, used: Units, template: Template) -> Speeds:
    def seconds(function: str, what: str) -> float:
        return used.seconds(f"{function}: {what}", memory(template, function))

    start = "INIT and first use"
    return Speeds(
        dispatch_s=limits.STREAM_PICKUP_S + seconds("dispatch", start) + seconds("dispatch", "invocation"),
        fanout_start_s=seconds("fanout", start),
        fanout_batch_s=seconds("fanout", "time"),
        deliver_start_s=seconds("deliver", start),
        recipient_s=seconds("deliver", "time"),
        reads={table: used.reads(table) for table in ("SubscriptionsTable", "RecipientsTable")},
    )


def _bounds(planned: Plan, template: Template) -> Bounds:
    concurrency = _concurrency(template)
    bulk = planned.pace is Pace.BULK
    queue = _queue(template, "BulkQueue" if bulk else "ExpressQueue")
    quota = float(str(template.functions["deliver"].environment["FCM_QUOTA_PER_MINUTE"]))
    fills = planned.deliveries >= queue.batch_size * limits.FIRST_POLLERS
    return Bounds(
        deliver=concurrency[queue.queue],
        fanout=concurrency["FanoutQueue"],
        batch=queue.batch_size,
        window_s=0 if fills else queue.window_seconds,
        fcm_per_minute=quota * BULK_SHARE if bulk else quota,
    )


def _concurrency(template: Template) -> Mapping[str, int]:
    sources = [one for function in template.functions.values() for one in function.queues]
    return {one.queue: one.max_concurrency for one in sources if one.max_concurrency}


def _queue(template: Template, name: str) -> QueueSource:
    return next(one for one in template.functions["deliver"].queues if one.queue == name)
