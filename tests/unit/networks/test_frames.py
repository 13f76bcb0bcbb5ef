"""The frames of a connection, held against `h2` at the other end: same requests there, same answers here."""

import time
from typing import Any

import hpack
from h2.events import DataReceived, RequestReceived, StreamEnded
from h2.settings import SettingCodes
from hypothesis import given, settings
from hypothesis import strategies as st

from fanfare.networks.batch import Batch, Progress
from fanfare.networks.http2.frames import ConnectionFault
from fanfare.networks.http2.header_decoder import HeaderDecoder
from fanfare.networks.http2.response_heads import ResponseHeads, _head
from fanfare.networks.result import Answered
from tests.unit.networks.in_memory import Paper, connection, server

tokens = st.text("0123456789abcdef", min_size=1, max_size=160).map(str.encode)
texts = st.text("abcdefghijklmnopqrstuvwxyz0123456789.-", min_size=1, max_size=300)
names = st.text("abcdefghij-", min_size=1, max_size=12)


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    number = draw(st.integers(1, 60))
    each = {"min_size": number, "max_size": number}
    same = draw(st.booleans())
    path = st.just(draw(tokens)) if same else tokens
    paths: Any = [b"/" + token for token in draw(st.lists(path, **each))]
    bodies: Any = draw(st.binary(max_size=20_000) | st.lists(st.binary(max_size=400), **each))
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


@settings(max_examples=120, deadline=None)
@given(
    st.lists(batches(), min_size=1, max_size=3), limits, limits, st.randoms(use_true_random=False), st.booleans()
)
def test_the_server_gets_what_was_sent_and_its_answers_come_back(
    sent: list[Batch], first: dict[SettingCodes, int], later: dict[SettingCodes, int], draw: Any, alone: bool
) -> None:
    """Whatever its limits, and while they change."""
    wire = Paper()
    ours, theirs = connection(wire, first_alone=alone), server(first)
    received: dict[int, tuple[dict[str, str], bytearray]] = {}
    whole: list[int] = []

    def carry() -> None:
        for event in theirs.receive_data(wire.taken()):
            match event:
                case RequestReceived():
                    fields = [(str(name), str(value)) for name, value in event.headers]
                    assert len(dict(fields)) == len(fields)
                    received[event.stream_id] = (dict(fields), bytearray())
                case DataReceived():
                    received[event.stream_id][1].extend(event.data)
                    theirs.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                case StreamEnded():
                    whole.append(event.stream_id)
        ours.receive(theirs.data_to_send(), time.monotonic())
        assert not ours.ended

    expected: dict[bytes, tuple[int, dict[str, str], bytes]] = {}

    def answer(stream_id: int, number: int) -> None:
        _, body = received[stream_id]
        status = draw.choice([200, 400, 503])
        fields = {"apns-id": f"{number:08x}", "content-type": "x/y"} if draw.random() < 0.8 else {}
        text = bytes(body[:50]) if draw.random() < 0.5 else b""
        if draw.random() < 0.2:
            theirs.send_headers(stream_id, [(":status", "103"), ("link", str(number))])
        theirs.send_headers(stream_id, [(":status", str(status)), *fields.items()], end_stream=not text)
        if text:
            padding = draw.choice([None, 0, 20])
            cut = draw.randrange(len(text) + 1)
            theirs.send_data(stream_id, text[:cut], pad_length=padding)
            theirs.send_data(stream_id, text[cut:], end_stream=True)
        expected[stream_id.to_bytes(4)] = (status, fields, text)

    changed = False
    for batch in sent:
        batch.check()
        progress = Progress(batch, 0.0)
        before = len(received)
        for _ in range(100_000):
            carry()
            ours.begin(progress, time.monotonic())
            if not progress.waiting and not ours.open_streams:
                break
            carry()
            if not changed and len(received) > 5:
                theirs.update_settings(later | {SettingCodes.INITIAL_WINDOW_SIZE: 3})
                theirs.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 500})
                changed = True
            elif first.get(SettingCodes.INITIAL_WINDOW_SIZE) == 0 and not changed:
                theirs.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 100})
                first = {}
            draw.shuffle(whole)
            for stream_id in whole[: draw.randrange(1, 20)]:
                answer(stream_id, stream_id)
                whole.remove(stream_id)
        begun = list(received)[before:]
        assert len(begun) == len(batch)
        for place, stream_id in enumerate(sorted(begun)):
            fields, body = received[stream_id]
            path = batch.paths if isinstance(batch.paths, bytes) else batch.paths[place]
            assert fields.pop(":path") == path.decode()
            assert bytes(body) == (batch.bodies if isinstance(batch.bodies, bytes) else batch.bodies[place])
            if batch.own_name:
                assert fields.pop("own-id") == batch.own_values[place].decode()
            pseudo = {":method": "POST", ":scheme": "https", ":authority": "example.com"}
            assert fields == pseudo | dict(batch.headers)
            assert progress.results[place] == Answered(*expected[stream_id.to_bytes(4)])


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
