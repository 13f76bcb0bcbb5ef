"""The simulated figures, as tables that a terminal and Markdown both show."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fanfare.domain.verdict import MAX_WAITS
from measure.cost.bill import Service
from measure.cost.figures import Send
from measure.cost.prices import MILLION
from measure.documents import table
from measure.simulation.outlook import Outlook

SERVICES = (Service.API, Service.DYNAMODB, Service.SQS, Service.LAMBDA, Service.LOGS)


def sizes(found: Sequence[Outlook]) -> str:
    """A column for each send."""
    head = ("", *(f"{one.users:,}" for one in found))
    rows: list[tuple[str, ...]] = [
        head,
        ("recipients", *(f"{one.plan.recipients:,}" for one in found)),
        ("deliveries", *(f"{one.plan.deliveries:,}" for one in found)),
        ("levels of fanout", *(str(len(one.plan.levels)) for one in found)),
        ("first push", *(time(one.course.first_s) for one in found)),
        ("half of the pushes", *(time(one.course.half_s) for one in found)),
        ("nine in ten", *(time(one.course.most_s) for one in found)),
        ("last push", *(time(one.course.last_s) for one in found)),
        ("deliver's environments", *(f"{one.course.deliver_environments:.0f}" for one in found)),
        (f"most waits for the quota, of {MAX_WAITS}", *(str(one.course.waits) for one in found)),
    ]
    rows += [
        (f"{service}, $", *(_dollars(one.bill.by_service().get(service, 0.0)) for one in found))
        for service in SERVICES
    ]
    rows += [
        ("**total, $**", *(_dollars(one.bill.dollars) for one in found)),
        ("for a million recipients, $", *(f"{per_million(one):.4f}" for one in found)),
        ("bytes out besides, $", *(_dollars(one.egress) for one in found)),
    ]
    return table(rows)


def binding(found: Outlook) -> str:
    """The waits of a send, span by span; spans shorter than a hundredth of it are left out."""
    spans = found.course.spans
    ends = [*(begin for begin, _ in spans[1:]), found.course.last_s]
    shown: list[tuple[float, float, str]] = []
    for (begin, what), end in zip(spans, ends, strict=True):
        if shown and shown[-1][2] == what:
            shown[-1] = (shown[-1][0], end, what)
        elif not shown or end - begin >= found.course.last_s / 100:
            shown.append((begin, end, what))
    return "; ".join(f"{time(begin)} to {time(end)}: {what}" for begin, end, what in shown)


def settings(found: Sequence[tuple[Mapping[str, str], Outlook]]) -> str:
    """A row for each way to set the template's parameters."""
    names = list(dict.fromkeys(name for parameters, _ in found for name in parameters))
    head = ("users", *names, "half", "nine in ten", "last push", "read again", "waits", "$ a million")
    return table(
        [
            head,
            *(
                (
                    f"{one.users:,}",
                    *(f"{int(parameters[name]):,}" for name in names),
                    time(one.course.half_s),
                    time(one.course.most_s),
                    time(one.course.last_s),
                    f"{one.course.again / one.plan.recipients:.0%}",
                    str(one.course.waits),
                    f"{per_million(one):.4f}",
                )
                for parameters, one in found
            ),
        ]
    )


def check(found: Sequence[tuple[Send, Outlook]]) -> str:
    """A row for each measured send, beside its computation from smaller ones."""
    rows = [
        ("for a million recipients, $", "measured", "computed", "ratio", "without Lambda's", "environments")
    ]
    for send, one in found:
        rows.append(
            (
                f"{send.share} {send.recipients:,}",
                f"{send.per_million.dollars:.4f}",
                f"{per_million(one):.4f}",
                f"{one.bill.dollars / send.bill.dollars:.2f}",
                f"{ratio_of_requests(send, one):.2f}",
                f"{send.reached['deliver']:.0f}, {one.course.deliver_environments:.0f}",
            )
        )
    return table(rows)


def ratio_of_requests(send: Send, one: Outlook) -> float:
    """The figures without Lambda's part, which depends on the other work of the measuring machine."""
    ours, theirs = one.bill.by_service(), send.bill.by_service()
    return (one.bill.dollars - ours[Service.LAMBDA]) / (send.bill.dollars - theirs[Service.LAMBDA])


def lines(found: Outlook) -> Iterator[str]:
    """One send, for a terminal."""
    yield sizes([found])
    yield f"It waits for: {binding(found)}."
    if found.course.dead:
        yield f"{found.course.dead:,.0f} recipients end in dead letters, which `make redrive` sends."


def summary(found: Outlook) -> dict[str, Any]:
    """The last line."""
    return {
        "users": found.users,
        "share": found.share,
        "recipients": found.plan.recipients,
        "first_s": round(found.course.first_s, 1),
        "last_s": round(found.course.last_s, 1),
        "usd": round(found.bill.dollars, 4),
        "usd_per_million": round(per_million(found), 4),
        "dead": round(found.course.dead),
        "recipients_per_s": round(found.recipients_per_s),
    }


def per_million(found: Outlook) -> float:
    return found.bill.dollars / found.plan.recipients * MILLION


def time(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.1f} min"


def _dollars(dollars: float) -> str:
    return f"{dollars:.4f}"
