"""The result as tables that a terminal and Markdown both show."""

from collections.abc import Iterator

from measure.cost import prices
from measure.cost.bill import Line, Service
from measure.cost.figures import Density, Send, fit, straightness
from measure.cost.result import MILLION, CostResult, egress_dollars, requests_of
from measure.documents import table

DRIVERS = 12
"""Lines of the bill that are shown, the dearest first."""


def report(found: CostResult) -> str:
    return "\n\n".join(_parts(found))


def _parts(found: CostResult) -> Iterator[str]:
    yield "Dollars for a million recipients, one device each, without bytes out:"
    yield by_service(found)
    yield "Requests of one send, by service:"
    yield requests(found)
    yield f"A send costs ${found.fixed:.6f}, whoever gets it, {_starts(found)}and then for each recipient:"
    for share in Density:
        yield from _straight(found, share)
    yield from _cpu(found)
    for share in Density:
        if (send := found.largest(share)) is not None:
            yield f"The dearest lines of {share} {send.recipients:,}, for a million recipients:"
            yield drivers(send)
    if found.acts:
        yield "Single things (reads and writes: requests beyond authentication; units: all):"
        yield single(found)
    if found.doubts is not None:
        yield (
            f"A million doubtful answers cost, beyond the send, ${found.doubts.first:.2f} where they are a "
            f"device's first, and ${found.doubts.marked:.2f} where the device is marked already."
        )
    yield "Beside that:"
    yield beside(found)


def _starts(found: CostResult) -> str:
    """By the largest dense send, which starts some of every function."""
    dense = found.largest(Density.DENSE)
    if dense is None:
        return ""
    each = {
        name: sum(line.dollars for line in dense.bill.lines if _is_start(line, name)) / count
        for name, count in dense.reached.items()
    }
    return "for each environment that starts " + "".join(
        f"${one:.6f} ({name}), " for name, one in each.items()
    )


def _is_start(line: Line, function: str) -> bool:
    return line.what.startswith(f"{function}: ") and line.what.endswith("first use")


def _straight(found: CostResult, share: Density) -> Iterator[str]:
    sends = found.of(share)
    if (straight := straightness(found.fixed, sends)) is not None:
        line = fit(found.fixed, sends)
        sizes = ", ".join(f"{line.slope(send) * MILLION:.4f} at {send.recipients:,}" for send in sends)
        yield (
            f"{share.capitalize()}, the fixed cost and starts taken out: "
            f"${line.per_recipient * MILLION:.4f} for a million recipients ({sizes}); a recipient of the "
            f"largest send costs {straight:.3f} times one of the smallest."
        )


def _cpu(found: CostResult) -> Iterator[str]:
    if (cpu := found.cpu) is not None:
        yield (
            f"From the stream record to the sender's call, dense, {cpu.devices:,} recipients, all functions "
            f"together use {cpu.until_sender_s:.2f} CPU-s, and bare boto3 {cpu.bare_s:.2f} for the same "
            f"{cpu.rows:,} rows: {cpu.ratio:.2f} times as much. Judging and writing down take another "
            f"{cpu.afterwards_s:.2f}."
        )


def by_service(found: CostResult) -> str:
    services = [one for one in Service if any(send.bill.by_service().get(one) for send in found.sends)]
    head = ("", *(f"{send.share} {send.recipients:,}" for send in found.sends), "SNS", "End User Messaging")
    others = prices.SNS_PUSH * MILLION, prices.END_USER_MESSAGING_PUSH * MILLION
    rows = [
        (service.value, *(_dollars(send.per_million.by_service().get(service, 0.0)) for send in found.sends))
        for service in services
    ]
    totals = [*(send.per_million.dollars for send in found.sends), *others]
    total = ("**total**", *map(_dollars, totals))
    used = ("CPU-seconds, starts included", *(f"{_cpu_s(send):.0f}" for send in found.sends), "", "")
    reached = ("deliver's environments", *(f"{send.reached['deliver']:.1f}" for send in found.sends), "", "")
    more = [send.per_million.dollars + send.more_starts * MILLION / send.recipients for send in found.sends]
    at_most = ("where every poller takes a message", *map(_dollars, more), "", "")
    return table([head, *((*row, "", "") for row in rows), total, at_most, used, reached])


def requests(found: CostResult) -> str:
    counts = [requests_of(send) for send in found.sends]
    services = [one.value for one in Service if any(one.value in each for each in counts)]
    head = ("", *(f"{send.share} {send.recipients:,}" for send in found.sends))
    return table([head, *((one, *(f"{each.get(one, 0):,}" for each in counts)) for one in services)])


def drivers(send: Send) -> str:
    rows = [("what", "dollars", "requests", "read units", "write units")]
    for line in send.per_million.lines[:DRIVERS]:
        units = (f"{line.reads:,.0f}", f"{line.writes:,.0f}")
        rows.append((f"{line.service}, {line.what}", _dollars(line.dollars), f"{line.requests:,.0f}", *units))
    return table(rows)


def single(found: CostResult) -> str:
    rows = [
        ("what", "reads", "after the answer", "writes", "read units", "write units", "dollars for a million")
    ]
    for act in found.acts:
        counts = (str(act.reads), str(act.later_reads), str(act.writes))
        units = (f"{act.read_units:.1f}", f"{act.write_units:.1f}")
        rows.append((act.name, *counts, *units, f"{act.dollars * MILLION:.2f}"))
    return table(rows)


def beside(found: CostResult) -> str:
    polls = found.polled_queues * prices.IDLE_POLLS
    charged = max(0, polls - prices.SQS_FREE_REQUESTS)
    rows = [
        ("what", "dollars", "with the free tier"),
        (
            f"idle polling of {found.polled_queues} queues, a month",
            f"{polls * prices.SQS_REQUEST:.2f}",
            f"{charged * prices.SQS_REQUEST:.2f}",
        ),
    ]
    alarms = found.alarm_metrics
    rows.append(
        (
            f"{alarms} metrics under alarms, and a dashboard, a month",
            f"{alarms * prices.ALARM_METRIC + prices.DASHBOARD:.2f}",
            f"{max(0, alarms - prices.FREE_ALARM_METRICS) * prices.ALARM_METRIC:.2f}",
        )
    )
    if (dense := found.largest(Density.DENSE)) is not None and dense.egress:
        gigabytes = dense.egress / dense.recipients * MILLION / prices.GB
        rows.append(
            (
                f"bytes out, a million recipients ({gigabytes:.2f} GB)",
                f"{egress_dollars(dense):.4f}",
                f"0 up to {prices.EGRESS_FREE_GB / gigabytes:.0f} million a month",
            )
        )
    return table(rows)


def _cpu_s(send: Send) -> float:
    return (send.cpu_s + send.starts_cpu_s) * MILLION / send.recipients


def _dollars(dollars: float) -> str:
    return f"{dollars:.4f}"
