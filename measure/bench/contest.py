"""One run: a load server of its own, one sender's process against it, and the words of both afterwards."""

import os
import resource
import subprocess
from collections.abc import Sequence

from local.processes import ROOT
from measure.bench import load_server
from measure.bench.command import SenderFailed, SenderUse, command
from measure.bench.comparison import Run
from measure.bench.contenders import Contender
from measure.bench.cores import Cores, pinned
from measure.bench.job import LEAST_BODY, Task
from measure.bench.workshop import Workshop

_LIMIT_S = 180


def run(workshop: Workshop, cores: Cores, contender: Contender, requests: int) -> Run:
    """Raises Failed, and local.processes.NotReady."""
    options = [*load_server.OPTIONS[contender.case], "--least-body", str(LEAST_BODY)]
    pushes = contender.pushes(requests)
    with (
        pinned(cores.server),
        load_server.running(workshop.program, workshop.certificate, options, workshop.log) as server,
        pinned(cores.sender),
    ):
        task = Task(
            case=contender.case,
            port=server.port,
            ca_file=str(workshop.ca_file),
            apns_key_file=str(workshop.apns_key),
            requests=pushes,
            connections=contender.connections,
            streams=contender.streams,
        )
        words, reading = command(contender.sender, task, workshop.body(contender.case))
        before = _children_cpu_s()
        used = reading(_output(words))
        whole_cpu_s = _children_cpu_s() - before
    _check(used, pushes, server.tally)
    cpu_s = whole_cpu_s if used.cpu_s is None else used.cpu_s
    return Run(contender.sender, contender.case, pushes, cpu_s, used.wall_s, server.tally.cpu_s)


def _check(used: SenderUse, pushes: int, tally: load_server.Tally) -> None:
    """The server's count is the one that is believed."""
    if (tally.executed, tally.refused) != (used.sent, 0) or used.sent < pushes:
        raise SenderFailed(
            f"it says {used.sent} of {pushes}; the server answered {tally.executed}, refused {tally.refused}"
        )


def _output(words: Sequence[str]) -> str:
    try:
        done = subprocess.run(
            words,
            cwd=ROOT,
            env=dict(os.environ) | {"PYTHONPATH": str(ROOT / "layers" / "fanfare")},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise SenderFailed(f"not done after {_LIMIT_S} s") from error
    if done.returncode:
        raise SenderFailed((done.stderr.strip().splitlines() or [f"ended with {done.returncode}"])[-1])
    return done.stdout


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
