"""A row for each way in which a server may misbehave: no wrong result, no hang, no growth."""

import json
import subprocess
import sys
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from fanfare.domain.outcome.answer import Transport
from fanfare.networks.endpoint import Endpoint
from fanfare.networks.http2.http2_sender import Http2Sender
from fanfare.networks.http2.policy import Policy
from fanfare.networks.push_requests import Batch
from fanfare.networks.result import Answered, NotProcessed, Result, Unknown
from local.waiting import while_moving
from tests.stopwatch import Stopwatch
from tests.unit.networks import misbehaving_server
from tests.unit.networks.misbehaving_server import MALFORMED, WAYS

PUSHES = 120
DEADLINE_S = 5.0
GROWTH = 6_000_000
"""Maximum growth in bytes: a batch's results, one buffer of 256 KB, and TLS's memory for two or three
connections."""


@dataclass(frozen=True, slots=True)
class Servers:
    folder: Path
    ports: dict[str, int]
    ca_file: str

    def log(self, way: str) -> list[str]:
        return (self.folder / f"{list(WAYS).index(way)}.txt").read_text().splitlines()


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory, ca_folder: Path, ca_file: str) -> Iterator[Servers]:
    folder = tmp_path_factory.mktemp("servers")
    program = misbehaving_server.__file__
    assert program is not None
    command = [
        sys.executable,
        program,
        str(folder),
        str(ca_folder / "fakes.pem"),
        str(ca_folder / "fakes.key"),
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield Servers(folder, json.loads(process.stdout.readline()), ca_file)
        process.kill()


def path(number: int) -> str:
    return f"/3/device/{number:04x}"


def words(results: list[Result]) -> Counter[str]:
    return Counter(type(r).__name__ if isinstance(r, Answered) else str(r.reason) for r in results)


def send(servers: Servers, way: str, sender: Http2Sender, body: bytes, deadline_s: float) -> list[Result]:
    batch = Batch((("apns-topic", "t"),), [path(i).encode() for i in range(PUSHES)], body)
    with Stopwatch() as watch:
        results = sender.send(batch, deadline_s=deadline_s)
    assert watch.s < deadline_s + 1.0, "it came back late"
    assert len(results) == PUSHES
    return results


def heard(servers: Servers, way: str) -> str:
    """Return the first farewell of the first connection, as soon as the server has read it."""
    first: list[str] = []

    def read() -> bool:
        first[:] = [one for one in servers.log(way) if one.startswith("goaway") and one.endswith(" 1")]
        return bool(first)

    return first[0] if while_moving(read, lambda: None, still_s=20) else ""


def hold_to_the_file(results: list[Result], log: list[str]) -> None:
    done = Counter(line.removeprefix("executed ") for line in log if line.startswith("executed"))
    assert not [one for one, times in done.items() if times > 1], "executed twice"
    for number, result in enumerate(results):
        match result:
            case Answered():
                assert done[path(number)] == 1, "called answered, and was never executed"
            case NotProcessed():
                assert done[path(number)] == 0, "called not processed, and was executed"
            case Unknown():
                pass


# For each way: the permitted results, and the fewest requests with an answer.
ROWS: dict[str, tuple[set[str], int]] = {
    "behaves": (set(), PUSHES),
    "no table for headers": (set(), PUSHES),
    "a table that shrinks and grows": (set(), PUSHES),
    "the limit falls to 1 at the start": (set(), PUSHES),
    "the limit falls below what is open, and rises": (set(), PUSHES),
    "the limit falls to 0 for ever": ({Transport.NOT_SENT, Transport.READ_TIMEOUT}, 1),
    "windows smaller than a body": (set(), PUSHES),
    "windows that fall below 0": (set(), PUSHES),
    "a window that never opens": ({Transport.READ_TIMEOUT, Transport.NOT_SENT, Transport.CONNECT_FAILED}, 0),
    "continuation, padding, priority, trailers, 1xx, unknown frames": (set(), PUSHES),
    "answers byte by byte": (set(), PUSHES),
    "answers in any order": ({Transport.READ_TIMEOUT}, PUSHES - 2),
    "refuses some streams": ({Transport.REFUSED_STREAM}, PUSHES // 2),
    "resets some streams, half of them executed": ({Transport.RST_STREAM}, PUSHES // 2),
    "resets a stream in the middle of its answer": ({Transport.RST_STREAM}, 0),
    "one in ten answers comes too late": ({Transport.READ_TIMEOUT}, PUSHES - PUSHES // 8),
    "answers what was given up": ({Transport.READ_TIMEOUT}, 60),
    "goaway, and what was accepted goes on": ({Transport.GOAWAY_ABOVE}, 80),
    "goaway twice": ({Transport.GOAWAY_ABOVE, Transport.GOAWAY_COVERED}, 70),
    "goaway, then silence": ({Transport.GOAWAY_ABOVE, Transport.GOAWAY_COVERED, Transport.READ_TIMEOUT}, 60),
    "goaway instead of any answer": ({Transport.GOAWAY_ABOVE, Transport.CONNECT_FAILED}, 0),
    "goaways that blame device tokens": ({Transport.GOAWAY_ABOVE}, 3),
    "cut in the middle of a frame": ({Transport.RESET_AFTER_WRITE}, 60),
    "reset by the network": ({Transport.RESET_AFTER_WRITE}, 60),
    "half closed: it answers, and hears nothing more": ({Transport.RESET_AFTER_WRITE}, 60),
    "one answer a connection": ({Transport.RESET_AFTER_WRITE}, 2),
    "silent from the start": ({Transport.CONNECT_FAILED}, 0),
    "silent after the settings": ({Transport.READ_TIMEOUT, Transport.CONNECT_FAILED}, 0),
    "never reads": ({Transport.READ_TIMEOUT, Transport.NOT_SENT, Transport.CONNECT_FAILED}, 0),
    "a flood of pings": ({Transport.PROTOCOL_ERROR}, 60),
    "a flood of settings": ({Transport.PROTOCOL_ERROR}, 60),
    "a flood of priorities": ({Transport.PROTOCOL_ERROR}, 60),
    "a flood of unknown frames": ({Transport.PROTOCOL_ERROR}, 60),
    "a flood of resets": ({Transport.PROTOCOL_ERROR}, 60),
    "a flood of windows": ({Transport.PROTOCOL_ERROR}, 60),
    "a flood of continuations": ({Transport.PROTOCOL_ERROR}, 60),
    "a flood of empty data": ({Transport.PROTOCOL_ERROR}, 60),
    "interim answers without end": ({Transport.PROTOCOL_ERROR}, 60),
    "a huge list of headers": ({Transport.PROTOCOL_ERROR}, 60),
    "a body without end": (set(), PUSHES),
    "a body beyond its window": ({Transport.PROTOCOL_ERROR}, 60),
    "a ping before the settings": ({Transport.CONNECT_FAILED}, 0),
}
ROWS |= {name: ({Transport.PROTOCOL_ERROR}, 60) for name in MALFORMED}

CODES = dict.fromkeys(
    (
        "a flood of pings",
        "a flood of settings",
        "a flood of priorities",
        "a flood of unknown frames",
        "a flood of resets",
        "a flood of windows",
        "a flood of continuations",
        "a flood of empty data",
        "interim answers without end",
        "a huge list of headers",
    ),
    11,
)
CODES |= {"a body beyond its window": 3, "a ping before the settings": 1}
CODES |= {name: code for name, (_, code) in MALFORMED.items()}


def test_every_way_has_its_row() -> None:
    assert set(ROWS) == set(WAYS)


@pytest.mark.parametrize("way", ROWS)
def test_no_wrong_word_no_hang_no_growth(servers: Servers, way: str) -> None:
    allowed, least = ROWS[way]
    timely = Transport.READ_TIMEOUT not in allowed
    policy = Policy(first_alone=way != "never reads", request_s=DEADLINE_S if timely else 0.35)
    sender = Http2Sender(Endpoint("127.0.0.1", servers.ports[way], servers.ca_file), policy)
    body = b"x" * 100_000 if way == "never reads" else b"x" * 300
    tracemalloc.start()
    try:
        results = send(servers, way, sender, body, 1.0 if Transport.NOT_SENT in allowed else DEADLINE_S)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        sender.close()
    if way in CODES:
        assert heard(servers, way) == f"goaway {CODES[way]} on connection 1"
    hold_to_the_file(results, servers.log(way))
    said = words(results)
    assert set(said) <= {"Answered", *allowed}, said
    assert said["Answered"] >= least, said
    assert peak < GROWTH
