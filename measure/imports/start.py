"""Fresh processes that import something, and their time for it."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

MODULES = "; import sys; print(len(sys.modules))"


class ImportFailed(Exception):
    """The build cannot be imported here."""


@dataclass(frozen=True, slots=True)
class ImportSubject:
    """`code` is run with `path` as the only places to import from, apart from the standard library."""

    code: str
    path: Sequence[Path] = ()

    def command(self, *options: str, more: str = "") -> list[str]:
        """-I and -S: no variable, no site-packages; -B: no byte-code is written, as Lambda cannot."""
        path = [str(one.resolve()) for one in self.path]
        code = f"import sys; sys.path[:0] = {path!r}; {self.code}{more}"
        return [sys.executable, "-I", "-S", "-B", *options, "-c", code]


NOTHING = ImportSubject("pass")
"""The interpreter itself: the costs of every import are those beyond it."""


def cpu_ms(subject: ImportSubject) -> float:
    """CPU time of one process, its own and the system's. Raises ImportFailed."""
    command = subject.command()
    process = os.posix_spawn(command[0], command, _ENVIRONMENT)
    _, status, used = os.wait4(process, 0)
    if status:
        raise ImportFailed(f"{subject.code}: see above")
    return 1000 * (used.ru_utime + used.ru_stime)


def modules(subject: ImportSubject) -> int:
    """The number of modules after it, the interpreter's own among them. Raises ImportFailed."""
    return int(_run(subject.command(more=MODULES)).stdout)


def more_ms(subject: ImportSubject, late: str) -> float:
    """CPU time that a later import takes in the process that has the subject's. Raises ImportFailed."""
    watched = f"; import time; begun = time.process_time(); import {late}; print(time.process_time() - begun)"
    return 1000 * float(_run(subject.command(more=watched)).stdout)


def self_ms(subject: ImportSubject) -> dict[str, float]:
    """Module -> wall time of its own code, while everything was imported. Raises ImportFailed."""
    took: dict[str, float] = {}
    for line in _run(subject.command("-X", "importtime")).stderr.splitlines():
        head, _, rest = line.partition(":")
        own, _, name = rest.partition("|")
        if head == "import time" and own.strip().isdigit():
            took[name.rpartition("|")[2].strip()] = int(own) / 1000
    return took


def beside(
    subjects: Mapping[str, ImportSubject], other: ImportSubject, rounds: int
) -> Iterator[tuple[str, float, float]]:
    """(name, milliseconds, milliseconds of `other`) of every subject once in each round.

    `other` runs before and after each, and counts with the mean of both: a machine's pace changes within a
    round. One round before them warms the caches.
    """
    for subject in (*subjects.values(), other):
        cpu_ms(subject)
    before = cpu_ms(other)
    for _ in range(rounds):
        for name, subject in subjects.items():
            took, after = cpu_ms(subject), cpu_ms(other)
            yield name, took, (before + after) / 2
            before = after


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command, env=_ENVIRONMENT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ImportFailed(done.stderr)
    return done


_ENVIRONMENT = {"PATH": os.defpath, "AWS_DEFAULT_REGION": "us-east-1"}
