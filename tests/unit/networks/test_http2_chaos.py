"""For every mixture of faults, the sender's results agree with the server's record."""

import random
from collections import Counter

from h2.errors import ErrorCodes
from h2.settings import SettingCodes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fanfare.networks.endpoint import Endpoint
from fanfare.networks.http2.http2_sender import Http2Sender
from fanfare.networks.http2.policy import Policy
from fanfare.networks.result import Answered
from tests.stopwatch import Stopwatch
from tests.unit.networks.conftest import Serve
from tests.unit.networks.h2_server import Got, Peer
from tests.unit.networks.test_http2 import hold_to_truth, kinds, pushes


class Chaos:
    """Draws a fault for each request, and sometimes one for the connection."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def __call__(self, peer: Peer) -> None:
        draw = random.Random(self._seed * 1000 + peer.number)
        while True:
            got = peer.one()
            match draw.choices(
                ["answer", "refuse", "fail", "silent", "limit", "goaway", "cut"], [80, 4, 4, 2, 6, 2, 2]
            ):
                case ["answer"]:
                    peer.answer(got, draw.choice([200, 400, 503]), b"x" * draw.choice([0, 20, 10_000]))
                case ["refuse"]:
                    peer.reset(got, ErrorCodes.REFUSED_STREAM)
                case ["fail"]:
                    if draw.random() < 0.5:
                        peer.execute(got)
                    peer.reset(got, ErrorCodes.INTERNAL_ERROR)
                case ["silent"]:
                    peer.execute(got)
                case ["limit"]:
                    peer.answer(got)
                    peer.settings(max_concurrent_streams=draw.choice([1, 2, 10, 50]))
                case ["goaway"]:
                    self._goaway(peer, got, draw)
                    return
                case _:
                    if draw.random() < 0.5:
                        peer.execute(got)
                    peer.cut(hard=draw.random() < 0.5)
                    return

    def _goaway(self, peer: Peer, got: Got, draw: random.Random) -> None:
        last = got.stream_id + 2 * draw.randrange(20)
        peer.goaway(last, b"session_timed_out")
        if draw.random() < 0.5:
            peer.execute(got)
            return
        peer.answer(got)
        while True:
            later = peer.one()
            if later.stream_id <= last:
                peer.answer(later)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 10_000),
    first_alone=st.booleans(),
    limit=st.sampled_from([1, 10, 100]),
    connections=st.sampled_from([1, 4]),
)
def test_no_wrong_word(
    serve: Serve, ca_file: str, seed: int, first_alone: bool, limit: int, connections: int
) -> None:
    server = serve(Chaos(seed), {SettingCodes.MAX_CONCURRENT_STREAMS: limit})
    policy = Policy(first_alone=first_alone, most_connections=connections, most_streams=20, request_s=0.3)
    sender = Http2Sender(Endpoint("127.0.0.1", server.port, ca_file), policy)
    try:
        with Stopwatch() as watch:
            results = sender.send(pushes(150, b"y" * 700), deadline_s=3)
    finally:
        sender.close()
    assert watch.s < 3.5
    hold_to_truth(results, server)
    assert Counter(server.executed).total() >= kinds(results)[Answered.__name__]
