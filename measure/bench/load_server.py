"""The load server: built from its C sources, started for one run, asked for its counts at the end."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local.processes import ROOT, NotReady, start
from measure.bench.job import Case

SOURCES = ROOT / "measure" / "bench" / "server"
LIBRARIES = ("-lnghttp2", "-lssl", "-lcrypto")
HEADERS = {"nghttp2": "nghttp2/nghttp2.h", "openssl": "openssl/ssl.h"}
_FLAGS = ("-std=gnu11", "-O2", "-Wall", "-Wextra")

OPTIONS: dict[Case, tuple[str, ...]] = {
    Case.BATCHED: ("--streams", "1000"),
    Case.SINGLE: ("--streams", "1000", "--record-per-answer"),
    Case.BUILT: ("--streams", "1000"),
    Case.FCM_LIKE: ("--streams", "100", "--delay-from", "60", "--delay-to", "180"),
}


class ServerNotBuilt(Exception):
    """The compiler's own words."""


@dataclass(frozen=True, slots=True)
class Tally:
    executed: int
    """Whole requests, answered with 200."""
    refused: int
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Certificate:
    chain: Path
    key: Path


class Running:
    """Its `tally` is there once it has ended."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.tally = Tally(0, 0, 0.0)


def compiler() -> str:
    return os.environ.get("CC", "cc")


def has_header(header: str) -> bool:
    command = [compiler(), "-E", "-x", "c", "-"]
    text = f"#include <{header}>\n"
    return subprocess.run(command, input=text, text=True, capture_output=True, check=False).returncode == 0


def can_be_built() -> bool:
    return shutil.which(compiler()) is not None and all(map(has_header, HEADERS.values()))


def build(program: Path) -> None:
    """Raises ServerNotBuilt."""
    program.parent.mkdir(parents=True, exist_ok=True)
    sources = [str(one) for one in sorted(SOURCES.glob("*.c"))]
    command = [compiler(), *_FLAGS, "-o", str(program), *sources, *LIBRARIES]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode:
        raise ServerNotBuilt(made.stderr)


@contextmanager
def running(program: Path, certificate: Certificate, options: Sequence[str], log: Path) -> Iterator[Running]:
    """On a free port of 127.0.0.1. Raises local.processes.NotReady."""
    command = [str(program), "--chain", str(certificate.chain), "--key", str(certificate.key), *options]
    child = start("the load server", command, log)
    try:
        child.wait_until(lambda: b"\n" in log.read_bytes(), limit_s=10)
        server = Running(json.loads(log.read_text(encoding="utf-8"))["port"])
        yield server
    finally:
        child.stop()
    server.tally = _tally(log.read_text(encoding="utf-8"))


def _tally(text: str) -> Tally:
    _, _, last = text.strip().rpartition("\n")
    if not last.startswith('{"executed"'):
        raise NotReady(f"the load server ended without a word of what it did:\n{text}")
    return Tally(**json.loads(last))
