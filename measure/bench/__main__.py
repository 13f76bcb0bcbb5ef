"""`make bench`: our sender, its peers and h2load in turn against the load server, and their costs."""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence

from local.processes import ROOT, NotReady
from measure.bench import document, programs
from measure.bench.command import SenderFailed
from measure.bench.comparison import OURS, Figures, Run, figures, missing, objections, summary
from measure.bench.contenders import CONTENDERS
from measure.bench.contest import run
from measure.bench.cores import Cores
from measure.bench.load_server import ServerNotBuilt
from measure.bench.table import rounded, table
from measure.bench.workshop import Workshop

ROUNDS, REQUESTS = 5, 200_000


def main(arguments: Sequence[str]) -> int:
    options = _options(arguments)
    if absent := programs.missing():
        print(programs.advice(absent), file=sys.stderr)
        return 2
    if options.programs:
        return 0
    cores = Cores.of_this_machine()
    pushes = next(one.pushes(options.requests) for one in CONTENDERS if one.sender == OURS)
    try:
        workshop = Workshop.prepared(ROOT / ".local" / "bench")
    except ServerNotBuilt as error:
        print(f"The load server cannot be built:\n{error}", file=sys.stderr)
        return 1
    found = figures(runs(workshop, cores, options.rounds, options.requests))
    return report(found, document.about(options.rounds, pushes, cores))


def runs(workshop: Workshop, cores: Cores, rounds: int, requests: int) -> Iterator[Run]:
    """Round after round, so that a slow minute of the machine meets all alike."""
    for number in range(1, rounds + 1):
        for contender in CONTENDERS:
            began = time.monotonic()
            label = f"round {number}/{rounds}  {contender.sender:16} {contender.case:9}"
            try:
                done = run(workshop, cores, contender, requests)
            except (SenderFailed, NotReady) as error:
                print(f"{label} failed: {error}", flush=True)
                continue
            cpu, wall = (rounded(done.pushes / spent_s) for spent_s in (done.cpu_s, done.wall_s))
            print(
                f"{label} {cpu:>8} per CPU-s {wall:>8} per s  ({time.monotonic() - began:.1f} s)", flush=True
            )
            yield done


def report(found: Figures, about: str) -> int:
    """The table, the run's faults, one JSON object. A valid run is written down in docs/, too."""
    print(f"\n{about}\n\n{table(found)}\n")
    print("* against h2load with its records filled: h2load builds nothing.\n")
    if absent := missing(found):
        print(f"INVALID: nothing was measured for {', '.join(absent)}")
        print(json.dumps(summary(found, absent)))
        return 1
    said = objections(found)
    for one in said:
        print(f"INVALID: {one}")
    if not said:
        document.write(found, about)
        print(f"written: {document.PAGE.relative_to(ROOT)}, {document.PICTURE.relative_to(ROOT)}")
    print(json.dumps(summary(found, said)))
    return 1 if said else 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--rounds", type=_positive, default=ROUNDS)
    parser.add_argument(
        "--requests",
        type=_positive,
        default=REQUESTS,
        help="pushes of our sender in a round; some have a least",
    )
    parser.add_argument("--programs", action="store_true", help="only see whether everything is installed")
    return parser.parse_args(arguments)


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise ValueError(text)
    return number


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
