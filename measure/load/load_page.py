"""The figures as tables that a terminal and Markdown both show, and as one object."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from measure.documents import table
from measure.load.delays import BOUNDS_MS, Kind, LargeSend, LoadFound, Memory, Phase, Times

PERCENTS = (50, 90, 99)
READ = "one read of the emulated AWS"
PARTS: Mapping[str, Callable[[Phase], Times]] = {
    "until deliver has it": lambda phase: phase.until_deliver,
    "in deliver, to the network": lambda phase: phase.in_deliver,
    READ: lambda phase: phase.reads,
}
"""The stages of a single push with their time, and the wait that the emulator causes everybody."""


def report(found: LoadFound) -> str:
    return "\n\n".join(_parts(found))


def summary(found: LoadFound) -> dict[str, Any]:
    """The last line of the command."""
    return {
        "recipients": found.large.recipients,
        "handed_over_ms": _percentiles(found.large.times),
        "pushes_per_s": round(found.large.pushes_per_s),
        "single_pushes_ms": {kind.name.lower(): _both(found, partial(_of_kind, kind)) for kind in Kind},
        "single_pushes_until_deliver_ms": _both(found, PARTS["until deliver has it"]),
        "single_pushes_in_deliver_ms": _both(found, PARTS["in deliver, to the network"]),
        "emulator_read_ms": _both(found, PARTS[READ]),
        "memory_mib": {
            str(size): {name: round(peak, 1) for name, peak in memory.items()}
            for size, memory in found.memory.items()
        },
        "memory_growth": {name: round(times, 2) for name, times in found.growth().items()},
    }


def _parts(found: LoadFound) -> Iterator[str]:
    columns = _columns(found)
    yield (
        "Milliseconds from accepted to handed over: of the pushes of sends to so many, and of single pushes, "
        "which are direct or to ten subscribers of a topic (the last of them counts), alone and beside sends "
        f"to {found.large.recipients:,}:"
    )
    yield _times(columns, found)
    yield "The same as a histogram:"
    yield _histogram(columns)
    yield "Where single pushes spend it, and how long the emulator takes for one small read meanwhile:"
    yield _parts_of_singles(found)
    yield (
        "Peak memory of a function's largest process, MiB, after a send to so many, and after "
        f"{max(found.memory) // found.large.recipients} to {found.large.recipients:,}:"
    )
    yield _memory(found)


def _columns(found: LoadFound) -> dict[str, Times]:
    sends = {_name(send): send.times for send in (found.small, found.large)}
    singles = {
        f"{kind}, {where}": phase.of(kind)
        for kind in Kind
        for where, phase in (("alone", found.alone), ("beside", found.beside))
    }
    return sends | singles


def _name(send: LargeSend) -> str:
    return f"{send.recipients:,}"


def _times(columns: dict[str, Times], found: LoadFound) -> str:
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


def _parts_of_singles(found: LoadFound) -> str:
    heads = [f"p{percent} {where}" for where in ("alone", "beside") for percent in PERCENTS]
    rows = [("ms", *heads)]
    for name, part in PARTS.items():
        both = (part(found.alone), part(found.beside))
        rows.append((name, *(f"{one.percentile(percent):,.0f}" for one in both for percent in PERCENTS)))
    return table(rows)


def _memory(found: LoadFound) -> str:
    sizes = sorted(found.memory)
    growth = found.growth()
    rows = [("function", *(f"{size:,}" for size in sizes), "growth")]
    for name in sorted({name for memory in found.memory.values() for name in memory}):
        grown = f"{growth[name]:.2f}" if name in growth else ""
        rows.append((name, *(_mib(found.memory[size], name) for size in sizes), grown))
    return table(rows)


def _mib(memory: Memory, name: str) -> str:
    return f"{memory[name]:.1f}" if name in memory else "did not run"


def _of_kind(kind: Kind, phase: Phase) -> Times:
    return phase.of(kind)


def _both(found: LoadFound, part: Callable[[Phase], Times]) -> dict[str, dict[str, int]]:
    return {"alone": _percentiles(part(found.alone)), "beside": _percentiles(part(found.beside))}


def _percentiles(times: Times) -> dict[str, int]:
    marks = {f"p{percent}": round(times.percentile(percent)) for percent in PERCENTS}
    return marks | {"most": round(times.ms[-1])}
