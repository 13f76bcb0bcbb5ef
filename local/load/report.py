"""What was found as tables that a terminal and Markdown both show, and as one object."""

from collections.abc import Iterator
from typing import Any

from local.documents import table
from local.load.figures import BOUNDS_MS, Found, Kind, Memory, Send, Times, times_of

PERCENTS = (50, 90, 99)


def report(found: Found) -> str:
    return "\n\n".join(_parts(found))


def summary(found: Found) -> dict[str, Any]:
    """The last line of the command."""
    return {
        "recipients": found.large.recipients,
        "handed_over_ms": _percentiles(found.large.times),
        "pushes_per_s": round(found.large.pushes_per_s),
        "single_pushes_ms": {
            kind.name.lower(): {
                "alone": _percentiles(times_of(kind, found.alone)),
                "beside": _percentiles(times_of(kind, found.beside)),
            }
            for kind in Kind
        },
        "memory_mib": {
            str(size): {name: round(peak, 1) for name, peak in memory.items()}
            for size, memory in found.memory.items()
        },
        "memory_growth": {name: round(times, 2) for name, times in found.growth().items()},
    }


def _parts(found: Found) -> Iterator[str]:
    columns = _columns(found)
    yield (
        "Milliseconds from accepted to handed over: of the pushes of sends to so many, and of single pushes, "
        "which are direct or to ten subscribers of a topic (the last of them counts), alone and beside sends "
        f"to {found.large.recipients:,}:"
    )
    yield _times(columns, found)
    yield "The same as a histogram:"
    yield _histogram(columns)
    yield "Peak memory of a function's largest process, MiB, after a send to so many:"
    yield _memory(found)


def _columns(found: Found) -> dict[str, Times]:
    sends = {_name(send): send.times for send in (found.small, found.large)}
    singles = {
        f"{kind}, {where}": times_of(kind, several)
        for kind in Kind
        for where, several in (("alone", found.alone), ("beside", found.beside))
    }
    return sends | singles


def _name(send: Send) -> str:
    return f"{send.recipients:,}"


def _times(columns: dict[str, Times], found: Found) -> str:
    rates = {_name(send): f"{send.pushes_per_s:,.0f}" for send in (found.small, found.large)}
    rows = [
        ("a push of a send", "times", *(f"p{percent}" for percent in PERCENTS), "most", "pushes per second")
    ]
    for name, times in columns.items():
        marks = [f"{times.percentile(percent):,.0f}" for percent in (*PERCENTS, 100)]
        rows.append((name, f"{len(times.ms):,}", *marks, rates.get(name, "")))
    return table(rows)


def _histogram(columns: dict[str, Times]) -> str:
    """A row for each stretch of time, from the shortest to the longest."""
    longest = max(times.ms[-1] for times in columns.values())
    bounds = [0, *(one for one in BOUNDS_MS if one < longest), longest]
    shares = [times.shares(bounds[1:]) for times in columns.values()]
    rows = [("ms", *columns)]
    for less, bound, *parts in zip(bounds, bounds[1:], *shares, strict=False):
        if len(rows) > 1 or any(parts):
            rows.append((f"{less:,.0f} to {bound:,.0f}", *map(_share, parts)))
    return table(rows)


def _share(part: float) -> str:
    return f"{part * 100:.0f} %" if part else ""


def _memory(found: Found) -> str:
    sizes = sorted(found.memory)
    growth = found.growth()
    rows = [("function", *(f"{size:,}" for size in sizes), "growth")]
    for name in sorted({name for memory in found.memory.values() for name in memory}):
        grown = f"{growth[name]:.2f}" if name in growth else ""
        rows.append((name, *(_mib(found.memory[size], name) for size in sizes), grown))
    return table(rows)


def _mib(memory: Memory, name: str) -> str:
    return f"{memory[name]:.1f}" if name in memory else "did not run"


def _percentiles(times: Times) -> dict[str, int]:
    marks = {f"p{percent}": round(times.percentile(percent)) for percent in PERCENTS}
    return marks | {"most": round(times.ms[-1])}
