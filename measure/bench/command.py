"""The start of a sender, and the reading of its last line."""

import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from local.processes import ROOT
from measure.bench import job
from measure.bench.comparison import OURS, PYCURL, REFERENCE
from measure.bench.job import Task

NODE_APN, AIOAPNS, FIREBASE, HTTPX = "@parse/node-apn", "aioapns", "firebase-admin", "httpx"

_PEER_PYTHON = str(ROOT / ".venv-bench" / "bin" / "python")
_MODULES = {
    OURS: (sys.executable, "ours"),
    PYCURL: (_PEER_PYTHON, "pycurl_multi"),
    AIOAPNS: (_PEER_PYTHON, "aioapns_pool"),
    FIREBASE: (_PEER_PYTHON, "firebase"),
    HTTPX: (_PEER_PYTHON, "httpx_async"),
}
_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0}


class SenderFailed(Exception):
    """A sender failed at its task, or claims more than the server saw."""


@dataclass(frozen=True, slots=True)
class SenderUse:
    """All pushes of a sender, and the time of those that count."""

    sent: int
    wall_s: float
    cpu_s: float | None = None
    """None if it cannot tell: then it is its whole process."""


type Reading = Callable[[str], SenderUse]


def command(sender: str, task: Task, body: Path) -> tuple[list[str], Reading]:
    if sender == REFERENCE:
        return _h2load(task, body), h2load_says
    if sender == NODE_APN:
        return [
            "node",
            str(ROOT / "measure" / "bench" / "clients" / "node_apn" / "send.js"),
            _for_node(task),
        ], said
    python, module = _MODULES[sender]
    return [python, "-m", f"measure.bench.clients.{module}", task.to_json()], said


def said(output: str) -> SenderUse:
    """The last line of our modules."""
    return SenderUse(**json.loads(output.splitlines()[-1]))


def h2load_says(output: str) -> SenderUse:
    """Raises Failed."""
    finished = re.search(r"^finished in ([0-9.]+)(us|ms|s),", output, re.MULTILINE)
    codes = re.search(r"^status codes: (\d+) 2xx", output, re.MULTILINE)
    if not finished or not codes:
        raise SenderFailed(f"h2load said something else: {output[-300:]}")
    return SenderUse(sent=int(codes[1]), wall_s=float(finished[1]) * _UNITS[finished[2]])


def _h2load(task: Task, body: Path) -> list[str]:
    words = [
        "h2load",
        "-t",
        "1",
        "-n",
        str(task.requests),
        "-c",
        str(task.connections),
        "-m",
        str(task.streams),
    ]
    words += ["-d", str(body)]
    words += [word for name, value in task.headers for word in ("-H", f"{name}: {value}")]
    return [*words, f"{task.url}{job.path(task.case, 0)}"]


def _for_node(task: Task) -> str:
    """The task, and the part of the job that the other languages' modules read from job.py."""
    of_the_job = {
        "key_id": job.KEY_ID,
        "team_id": job.TEAM_ID,
        "topic": job.TOPIC,
        "document": job.document(task.case, 0),
    }
    return json.dumps(json.loads(task.to_json()) | of_the_job)
