"""The figures as tables that a terminal and Markdown both show, as a verdict, and as one object."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from measure.changes.rates import PROVEN_PER_S, ChangePhase, ChangesFound, Need, RequestKind, mean
from measure.documents import table
from measure.load.delays import Kind, Times
from measure.load.load_page import PARTS

PERCENTS = (50, 99)
_SINGLES = (50, 90, 99)


def report(found: ChangesFound) -> str:
    return "\n\n".join(_parts(found))


def summary(found: ChangesFound) -> dict[str, Any]:
    """The last line of the command."""
    return {
        "proven_per_s": PROVEN_PER_S,
        "kept_up": found.kept_up,
        "subscribers": {str(one.subscribers): _summary(one, found) for one in found.phases},
        "small_pushes_ms": {
            kind.name.lower(): {
                "alone": _marks(found.alone.of(kind), _SINGLES),
                "beside": _marks(found.beside.of(kind), _SINGLES),
            }
            for kind in Kind
        },
        "small_pushes_until_deliver_ms": {
            "alone": _marks(found.alone.until_deliver, _SINGLES),
            "beside": _marks(found.beside.until_deliver, _SINGLES),
        },
    }


def verdict(need: Need) -> str:
    enough = "enough" if need.enough else "TOO FEW"
    return (
        f"{PROVEN_PER_S} changes a second, {_subscribers(need)}, need {need.needed:.1f} "
        f"environments of {need.function} at once ({need.computing:.1f} for the computing alone); "
        f"template.yaml allows {need.allowed} ({need.by}): {enough}"
    )


def _parts(found: ChangesFound) -> Iterator[str]:
    yield (
        "Object changes in one bucket. Behind: milliseconds from a change to the invocation of dispatch that "
        "took it, on this machine, whose cores the functions share with the writer, AWS and the networks. "
        "With subscribers fewer changes are written, at the same rate, for the batches that it makes:"
    )
    yield _figures(found)
    yield "Requests of the functions to AWS for one change, without the pollers':"
    yield _requests(found.phases)
    yield (
        "Small pushes, milliseconds from accepted to handed over, alone and beside "
        f"{found.phases[0].asked_per_s:,.0f} changes a second without subscribers, and where they spend it:"
    )
    yield _small_pushes(found)
    yield "\n".join(map(verdict, found.needs))


def _figures(found: ChangesFound) -> str:
    rows = [("", *map(_subscribers, found.phases))]
    for name, figure in _FIGURES.items():
        rows.append((name, *(figure(one) for one in found.phases)))
    for function, memory in ((name, found.memory_mb[name]) for name in ("dispatch", "deliver")):
        figures: Mapping[str, Callable[[ChangePhase], float]] = {
            "CPU ms": partial(ChangePhase.cpu_ms, function=function),
            "waiting, ms": partial(ChangePhase.waited_ms, function=function),
            f"billed ms, with {memory:,} MB": partial(
                ChangePhase.billed_ms, function=function, memory_mb=memory
            ),
        }
        for name, of in figures.items():
            rows.append((f"{function}, of a change: {name}", *(_ms(of(one)) for one in found.phases)))
    return table(rows)


def _subscribers(one: ChangePhase | Need) -> str:
    return f"{one.subscribers} subscribers" if one.subscribers else "no subscribers"


def _ms(ms: float) -> str:
    return f"{ms:.2f}" if ms else ""


def _times(times: Times | None) -> str:
    if times is None:
        return ""
    return ", ".join(f"{times.percentile(percent):,.0f}" for percent in (*PERCENTS, 100))


def _batches(function: str) -> Callable[[ChangePhase], str]:
    def shown(phase: ChangePhase) -> str:
        sizes = phase.batches(function)
        return f"{mean(sizes):.1f}, {max(sizes)}" if sizes else ""

    return shown


_FIGURES: Mapping[str, Callable[[ChangePhase], str]] = {
    "changes": lambda phase: f"{phase.count:,}",
    "of them replaced an object": lambda phase: f"{phase.replaced:,}",
    "a second, as asked": lambda phase: f"{phase.asked_per_s:,.0f}",
    "a second, as written": lambda phase: f"{phase.written.per_s:,.0f}",
    "dispatch behind: p50, p99, most": lambda phase: _times(phase.behind),
    "all done after the last change, ms": lambda phase: f"{phase.done_after_ms:,.0f}",
    "change to handed over: p50, p99, most": lambda phase: _times(phase.handed_over),
    "batch of the stream: mean, most": _batches("dispatch"),
    "batch of the queue: mean, most": _batches("deliver"),
    "one read of the emulated AWS: p50, p99, most": lambda phase: _times(phase.reads),
}


def _requests(phases: Sequence[ChangePhase]) -> str:
    each = [phase.per_change() for phase in phases]
    kinds = sorted(
        {kind for one in each for kind in one}, key=lambda kind: (kind.caller, kind.service, kind.what)
    )
    rows = [("", *map(_subscribers, phases))]
    rows += [(_name(kind), *(f"{one[kind]:.3f}" if kind in one else "" for one in each)) for kind in kinds]
    rows.append(("all", *(f"{sum(one.values()):.3f}" for one in each)))
    return table(rows)


def _name(kind: RequestKind) -> str:
    return f"{kind.caller}: {kind.service} {kind.what}"


def _small_pushes(found: ChangesFound) -> str:
    both = {"alone": found.alone, "beside": found.beside}
    heads = [f"{head} {where}" for where in both for head in ("times", *(f"p{one}" for one in _SINGLES))]
    rows = [("ms", *heads)]
    parts: dict[str, list[Times]] = {str(kind): [phase.of(kind) for phase in both.values()] for kind in Kind}
    parts |= {name: [part(phase) for phase in both.values()] for name, part in PARTS.items()}
    for name, several in parts.items():
        rows.append((name, *(shown for one in several for shown in _row(one))))
    return table(rows)


def _row(times: Times) -> Iterator[str]:
    yield f"{len(times.ms):,}"
    yield from (f"{times.percentile(percent):,.0f}" for percent in _SINGLES)


def _summary(phase: ChangePhase, found: ChangesFound) -> dict[str, Any]:
    functions = ("dispatch", "deliver") if phase.subscribers else ("dispatch",)
    return {
        "changes": phase.count,
        "asked_per_s": phase.asked_per_s,
        "written_per_s": round(phase.written.per_s, 1),
        "behind_ms": _marks(phase.behind, PERCENTS),
        "done_after_ms": round(phase.done_after_ms),
        "handed_over_ms": phase.handed_over and _marks(phase.handed_over, PERCENTS),
        "cpu_ms": {name: round(phase.cpu_ms(name), 3) for name in functions},
        "billed_ms": {name: round(phase.billed_ms(name, found.memory_mb[name]), 3) for name in functions},
        "waited_ms": {name: round(phase.waited_ms(name), 3) for name in functions},
        "batch": {name: round(mean(phase.batches(name)), 2) for name in functions},
        "requests": {_name(kind): round(times, 4) for kind, times in phase.per_change().items()},
        "environments": {
            one.function: {
                "needed": round(one.needed, 2),
                "computing": round(one.computing, 2),
                "allowed": one.allowed,
            }
            for one in found.needs
            if one.subscribers == phase.subscribers
        },
        "emulator_read_ms": _marks(phase.reads, PERCENTS),
    }


def _marks(times: Times, percents: Sequence[int]) -> dict[str, int]:
    marks = {f"p{percent}": round(times.percentile(percent)) for percent in percents}
    return marks | {"most": round(times.ms[-1])}
