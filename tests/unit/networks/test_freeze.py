"""After a freeze during which its connections were cut, a function delivers without an error."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.unit.networks.conftest import Serve
from tests.unit.networks.h2_server import H2Server, Peer

PUSHES = 100
FUNCTION = f"""
import json
import sys
from collections import Counter
from fanfare.networks.push_requests import Batch
from fanfare.networks.endpoint import Endpoint
from fanfare.networks.http2.policy import Policy
from fanfare.networks.http2.http2_sender import Http2Sender

endpoint = Endpoint("127.0.0.1", int(sys.argv[1]), sys.argv[2])
sender = Http2Sender(endpoint, Policy(most_connections=2, request_s=2))
print("{{}}", flush=True)
for _ in sys.stdin:
    batch = Batch((), [b"/%d" % number for number in range({PUSHES})], b"body")
    results = sender.send(batch, deadline_s=30)
    print(json.dumps(Counter(type(result).__name__ for result in results)), flush=True)
sender.close()
"""


class Function:
    """A process that sends a batch for each line, and prints the results."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert self.hear() == {}

    def hear(self) -> dict[str, int]:
        assert self._process.stdout is not None
        heard: dict[str, int] = json.loads(self._process.stdout.readline())
        return heard

    def invoke(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()

    def freeze(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)


@contextmanager
def function(server: H2Server, ca_file: str) -> Iterator[Function]:
    command = [sys.executable, "-c", FUNCTION, str(server.port), ca_file]
    environment = {"PYTHONPATH": ":".join(path for path in sys.path if path)}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            yield Function(process)
        finally:
            process.kill()


@pytest.mark.parametrize("hard", [False, True])
def test_frozen_at_rest(serve: Serve, ca_file: str, hard: bool) -> None:
    frozen, cut = threading.Event(), threading.Event()

    def script(peer: Peer) -> None:
        if peer.number > 1:
            peer.serve()
        for _ in range(PUSHES):
            peer.answer(peer.one())
        assert frozen.wait(60)
        peer.cut(hard=hard)
        cut.set()

    server = serve(script)
    with function(server, ca_file) as process:
        process.invoke()
        assert process.hear() == {"Answered": PUSHES}
        process.freeze()
        frozen.set()
        assert cut.wait(60)
        process.thaw()
        process.invoke()
        assert process.hear() == {"Answered": PUSHES}
    assert len(server.peers) == 2


def test_frozen_in_the_middle_of_a_batch(serve: Serve, ca_file: str) -> None:
    """Results of requests under way are unknown; the next batch is not affected."""
    held, frozen = threading.Event(), threading.Event()

    def script(peer: Peer) -> None:
        if peer.number > 1:
            peer.serve()
        peer.answer(peer.one())
        taken = peer.take(20)
        held.set()
        assert frozen.wait(60)
        peer.execute(taken[0])
        peer.cut(hard=True)

    server = serve(script)
    with function(server, ca_file) as process:
        process.invoke()
        assert held.wait(60)
        process.freeze()
        frozen.set()
        time.sleep(0.1)
        process.thaw()
        told = process.hear()
        assert set(told) <= {"Answered", "Unknown"}
        assert sum(told.values()) == PUSHES
        assert told["Unknown"] >= 20
        process.invoke()
        assert process.hear() == {"Answered": PUSHES}
