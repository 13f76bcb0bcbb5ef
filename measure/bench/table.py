"""The figures as a table that a terminal and Markdown both show."""

from measure import documents
from measure.bench.comparison import OURS, PYCURL, REFERENCE, Figures, compared, ratio
from measure.bench.job import Case

TITLES = {
    Case.BATCHED: "records filled",
    Case.SINGLE: "a record per answer",
    Case.BUILT: "records filled, bodies and paths built",
    Case.FCM_LIKE: "FCM-like: 32 connections, 100 streams, 60 to 180 ms",
}
_HEAD = ("sender", "pushes per CPU-second", "of h2load", "times pycurl", "pushes per second")


def ordered(found: Figures, case: Case) -> list[str]:
    """The senders of a case: the reference, ours, then the others, the best first."""
    senders = [sender for sender, one in found if one is case]
    leading = [sender for sender in (REFERENCE, OURS) if sender in senders]
    others = [sender for sender in senders if sender not in leading]
    return leading + sorted(others, key=lambda sender: -found[sender, case].per_cpu_s)


def table(found: Figures) -> str:
    rows: list[tuple[str, ...]] = [_HEAD]
    for case in Case:
        rows.append((f"**{TITLES[case]}**", "", "", "", ""))
        rows += [_row(found, sender, case) for sender in ordered(found, case)]
    return documents.table(rows)


def _row(found: Figures, sender: str, case: Case) -> tuple[str, ...]:
    figure = found[sender, case]
    of_reference = ratio(found, sender, case, REFERENCE)
    times_pycurl = ratio(found, sender, case, PYCURL)
    return (
        sender,
        rounded(figure.per_cpu_s),
        "" if of_reference is None else f"{of_reference:.3f}{'*' if compared(found, case) != case else ''}",
        "" if times_pycurl is None else f"{times_pycurl:.2f}",
        rounded(figure.per_s),
    )


def rounded(number: float) -> str:
    """To three digits: the others are noise."""
    digits = len(str(round(number)))
    return f"{round(number, 3 - digits):,.0f}"
