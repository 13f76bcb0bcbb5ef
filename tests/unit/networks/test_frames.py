"""A connection's frames against `h2` at the other end: the same requests there, the same answers here."""

import random
import time
from typing import Any

import hpack
from h2.events import DataReceived, RequestReceived, StreamEnded
from h2.settings import SettingCodes
from hypothesis import given, settings
from hypothesis import strategies as st

from fanfare.networks.http2.frames import ConnectionFault
from fanfare.networks.http2.hpack.decoder import HeaderDecoder
from fanfare.networks.http2.response_heads import ResponseHeads, _head
from fanfare.networks.push_requests import Batch, Progress
from fanfare.networks.result import Answered
from tests.unit.networks.in_memory import Paper, connection, server

tokens = st.text("0123456789abcdef", min_size=1, max_size=160).map(str.encode)
texts = st.text("abcdefghijklmnopqrstuvwxyz0123456789.-", min_size=1, max_size=300)
names = st.text("abcdefghij-", min_size=1, max_size=12)


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    number = draw(st.integers(1, 60))

    def each(of: st.SearchStrategy[bytes]) -> st.SearchStrategy[list[bytes]]:
        return st.lists(of, min_size=number, max_size=number)

    same = draw(st.booleans())
    path = st.just(draw(tokens)) if same else tokens
    paths: Any = [b"/" + token for token in draw(each(path))]
    bodies: Any = draw(st.binary(max_size=20_000) | each(st.binary(max_size=400)))
    if not isinstance(bodies, bytes) and draw(st.booleans()):
        paths = paths[0]
    own = [f"id-{i}".encode() for i in range(number)] if draw(st.booleans()) else []
    headers = tuple(draw(st.dictionaries(names.map("x{}".format), texts, max_size=5)).items())
    return Batch(headers, paths, bodies, "own-id" if own else "", own)


LIMITS = {
    SettingCodes.HEADER_TABLE_SIZE: st.sampled_from([0, 100, 4096, 65_536]),
    SettingCodes.INITIAL_WINDOW_SIZE: st.sampled_from([0, 1, 200, 65_535, 2**31 - 1]),
    SettingCodes.MAX_FRAME_SIZE: st.sampled_from([16_384, 20_000]),
    SettingCodes.MAX_CONCURRENT_STREAMS: st.sampled_from([1, 7, 100]),
}
limits = st.fixed_dictionaries({}, optional=LIMITS)


class Server:
    """h2 as a server that answers in any order and form, and keeps its requests."""

    def __init__(self, initial: dict[SettingCodes, int], draw: random.Random) -> None:
        self.h2 = server(initial)
        self.got: dict[int, tuple[dict[str, str], bytearray]] = {}
        self.said: dict[int, Answered] = {}
        self._whole: list[int] = []
        self._draw = draw

    def hear(self, data: bytes) -> None:
        for event in self.h2.receive_data(data):
            match event:
                case RequestReceived():
                    fields = [(str(name), str(value)) for name, value in event.headers]
                    assert len(dict(fields)) == len(fields)
                    self.got[event.stream_id] = (dict(fields), bytearray())
                case DataReceived():
                    self.got[event.stream_id][1].extend(event.data)
                    self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                case StreamEnded():
                    self._whole.append(event.stream_id)

    def answer_some(self) -> None:
        self._draw.shuffle(self._whole)
        number = self._draw.randrange(1, 20)
        for stream_id in self._whole[:number]:
            self._answer(stream_id)
        del self._whole[:number]

    def _answer(self, stream_id: int) -> None:
        draw, h2 = self._draw, self.h2
        status = draw.choice([200, 400, 503])
        fields = {"apns-id": f"{stream_id:08x}", "content-type": "x/y"} if draw.random() < 0.8 else {}
        text = bytes(self.got[stream_id][1][:50]) if draw.random() < 0.5 else b""
        if draw.random() < 0.2:
            h2.send_headers(stream_id, [(":status", "103"), ("link", str(stream_id))])
        h2.send_headers(stream_id, [(":status", str(status)), *fields.items()], end_stream=not text)
        if text:
            cut = draw.randrange(len(text) + 1)
            h2.send_data(stream_id, text[:cut], pad_length=draw.choice([None, 0, 20]))
            h2.send_data(stream_id, text[cut:], end_stream=True)
        self.said[stream_id] = Answered(status, fields, text)


@settings(max_examples=120)
@given(
    st.lists(batches(), min_size=1, max_size=3),
    limits,
    limits,
    st.randoms(use_true_random=False),
    st.booleans(),
)
def test_the_server_gets_what_was_sent_and_its_answers_come_back(
    sent: list[Batch],
    first: dict[SettingCodes, int],
    later: dict[SettingCodes, int],
    draw: random.Random,
    alone: bool,
) -> None:
    """For all limits, and while they change."""
    wire = Paper()
    ours, theirs = connection(wire, first_alone=alone), Server(first, draw)
    changes = [later, {SettingCodes.INITIAL_WINDOW_SIZE: 3}, {SettingCodes.INITIAL_WINDOW_SIZE: 500}]
    for batch in sent:
        batch.check()
        progress, before = Progress(batch, 0.0), len(theirs.got)
        turns = 0
        while progress.waiting or ours.open_streams:
            ours.begin(progress, time.monotonic())
            theirs.hear(wire.taken())
            theirs.answer_some()
            if turns > 3 and changes:
                theirs.h2.update_settings({key: value for key, value in changes.pop(0).items()})  # noqa: C416
            ours.receive(theirs.h2.data_to_send(), time.monotonic())
            assert not ours.ended
            turns += 1
        begun = sorted(list(theirs.got)[before:])
        assert len(begun) == len(batch)
        for place, stream_id in enumerate(begun):
            hold_to(batch, place, *theirs.got[stream_id])
        assert progress.results == [theirs.said[stream_id] for stream_id in begun]


def hold_to(batch: Batch, place: int, fields: dict[str, str], body: bytearray) -> None:
    expected = {":method": "POST", ":scheme": "https", ":authority": "example.com"} | dict(batch.headers)
    path = batch.paths if isinstance(batch.paths, bytes) else batch.paths[place]
    expected[":path"] = path.decode()
    if batch.own_name:
        expected["own-id"] = batch.own_values[place].decode()
    assert fields == expected
    assert bytes(body) == (batch.bodies if isinstance(batch.bodies, bytes) else batch.bodies[place])


fields = st.sampled_from(["apns-id", "date", "server", "x", "content-type"])
values = st.text("0123456789abcdef- \x00\xe9", max_size=40)


@given(st.lists(st.lists(st.tuples(fields, values, st.booleans()), max_size=4), min_size=2, max_size=12))
def test_an_answer_read_by_its_likeness_is_what_decoding_says(
    answers: list[list[tuple[str, str, bool]]],
) -> None:
    encoder, quick, thorough = hpack.Encoder(), ResponseHeads(), HeaderDecoder()
    encoder.header_table_size = 300
    for lines in answers:
        for again in range(2):
            written = [(b":status", b"200", False)]
            written += [(n.encode(), v.encode("latin-1") + bytes(again), s) for n, v, s in lines]
            block = encoder.encode(written)
            decoded = thorough.decode(block)
            try:
                expected = _head(decoded)
            except ConnectionFault:
                return
            assert quick.of(block) == expected
