"""The load server, where it can be built: the form of its answers, and its refusals."""

import datetime
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import h2.connection
import httpx
import pytest
from h2.events import SettingsAcknowledged, StreamEnded

from local.fakes import authority
from local.waiting import NO_ANSWER_S
from measure.bench import load_server
from measure.bench.job import APNS_HEADERS, FCM_HEADERS, Case, body, path
from measure.bench.load_server import OPTIONS, Certificate, Running

APPLICATION_DATA = 23
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")

type Serving = Callable[..., AbstractContextManager[Running]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not load_server.can_be_built():
        pytest.skip("the load server cannot be built: a C compiler, libnghttp2-dev or libssl-dev is missing")
    folder = tmp_path_factory.mktemp("load_server")
    load_server.build(folder / "load_server")
    authority.create(folder, datetime.datetime.now(datetime.UTC))
    return folder


@pytest.fixture
def serving(folder: Path) -> Serving:
    @contextmanager
    def serve(*options: str) -> Iterator[Running]:
        certificate = Certificate(folder / "fakes.pem", folder / "fakes.key")
        log = folder / "log"
        with load_server.running(folder / "load_server", certificate, options, log) as server:
            yield server

    return serve


@pytest.fixture
def context(folder: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(folder / "ca.pem"))


def client(server: Running, context: ssl.SSLContext) -> httpx.Client:
    return httpx.Client(http2=True, http1=False, verify=context, base_url=f"https://127.0.0.1:{server.port}")


@pytest.mark.parametrize("case", [Case.BATCHED, Case.SINGLE, Case.FCM_LIKE])
def test_each_answer_has_an_apns_id_of_its_own(serving: Serving, context: ssl.SSLContext, case: Case) -> None:
    headers = FCM_HEADERS if case is Case.FCM_LIKE else APNS_HEADERS
    with serving(*OPTIONS[case]) as server, client(server, context) as http:
        answers = [http.post(path(case, n), content=body(case, n), headers=headers) for n in range(5)]

    assert {answer.status_code for answer in answers} == {200}
    ids = [answer.headers["apns-id"] for answer in answers]
    assert all(UUID.fullmatch(one) for one in ids)
    assert len(set(ids)) == 5
    if case is Case.FCM_LIKE:
        assert [answer.json()["name"].rpartition("/")[2] for answer in answers] == ids
    assert (server.tally.executed, server.tally.refused) == (5, 0)


def test_an_apns_id_that_was_given_comes_back(serving: Serving, context: ssl.SSLContext) -> None:
    given = "123e4567-e89b-42d3-a456-426614174000"
    headers = (*APNS_HEADERS, ("apns-id", given))
    with serving() as server, client(server, context) as http:
        answer = http.post(path(Case.BATCHED, 1), content=body(Case.BATCHED, 1), headers=headers)

    assert answer.headers["apns-id"] == given


@pytest.mark.parametrize(("case", "records"), [(Case.BATCHED, range(1, 3)), (Case.SINGLE, range(20, 22))])
def test_answers_fill_a_record_or_have_one_each(
    serving: Serving, context: ssl.SSLContext, case: Case, records: range
) -> None:
    with serving(*OPTIONS[case]) as server:
        counted = records_for(20, server.port, context)

    assert counted in records


def test_an_answer_comes_after_the_delay(serving: Serving, context: ssl.SSLContext) -> None:
    with (
        serving("--delay-from", "60", "--delay-to", "70") as server,
        client(server, context) as http,
    ):
        began = time.monotonic()
        http.post(path(Case.BATCHED, 1), content=body(Case.BATCHED, 1), headers=APNS_HEADERS)

    assert time.monotonic() - began >= 0.06


def test_a_request_that_is_not_whole_is_refused(serving: Serving, context: ssl.SSLContext) -> None:
    device, content = path(Case.BATCHED, 1), body(Case.BATCHED, 1)
    broken = [
        ("GET", device, content, APNS_HEADERS, "MethodNotAllowed"),
        ("POST", device[:-1], content, APNS_HEADERS, "BadPath"),
        ("POST", "/v1/projects/bench", content, APNS_HEADERS, "BadPath"),
        ("POST", device, content, APNS_HEADERS[1:], "MissingProviderToken"),
        ("POST", device, content, APNS_HEADERS[:1], "MissingTopic"),
        ("POST", device, b"", APNS_HEADERS, "PayloadEmpty"),
        ("POST", device, content[:100], APNS_HEADERS, "PayloadEmpty"),
        ("POST", device, content[:-1], APNS_HEADERS, "BadPayload"),
        ("POST", device, content * 14, APNS_HEADERS, "PayloadTooLarge"),
    ]
    with serving("--least-body", "250") as server, client(server, context) as http:
        answers = [
            http.request(method, where, content=what, headers=headers)
            for method, where, what, headers, _ in broken
        ]

    assert {answer.status_code for answer in answers} == {400}
    assert [answer.json()["reason"] for answer in answers] == [reason for *_, reason in broken]
    assert (server.tally.executed, server.tally.refused) == (0, len(broken))


class Wire:
    """A TLS connection with HTTP/2 on it that counts records."""

    def __init__(self, port: int, context: ssl.SSLContext) -> None:
        context.set_alpn_protocols(["h2"])
        self.received = b""
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname="127.0.0.1")
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=NO_ANSWER_S)
        while self._wants_more():
            self._hear()

    def write(self, data: bytes) -> None:
        self._tls.write(data)
        self._socket.sendall(self._outgoing.read())

    def read(self) -> bytes:
        while True:
            try:
                return self._tls.read(65536)
            except ssl.SSLWantReadError:
                self._hear()

    def close(self) -> None:
        self._socket.close()

    def _wants_more(self) -> bool:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return True
        finally:
            self._socket.sendall(self._outgoing.read())
        return False

    def _hear(self) -> None:
        data = self._socket.recv(65536)
        assert data, "the server closed the connection"
        self.received += data
        self._incoming.write(data)


def records_for(pushes: int, port: int, context: ssl.SSLContext) -> int:
    """Send this number of pushes in one TLS record, and count the records that come back."""
    http = h2.connection.H2Connection()
    with closing(Wire(port, context)) as wire:
        http.initiate_connection()
        wire.write(http.data_to_send())
        while not any(isinstance(event, SettingsAcknowledged) for event in http.receive_data(wire.read())):
            pass
        wire.received = b""
        for number in range(pushes):
            stream = http.get_next_available_stream_id()
            head = [(":method", "POST"), (":scheme", "https"), (":authority", "127.0.0.1")]
            http.send_headers(stream, [*head, (":path", path(Case.BATCHED, number)), *APNS_HEADERS])
            http.send_data(stream, body(Case.BATCHED, number), end_stream=True)
        wire.write(http.data_to_send())
        ended = 0
        while ended < pushes:
            ended += sum(isinstance(event, StreamEnded) for event in http.receive_data(wire.read()))
        return application_records(wire.received)


def application_records(raw: bytes) -> int:
    count = 0
    while raw:
        count += raw[0] == APPLICATION_DATA
        raw = raw[5 + int.from_bytes(raw[3:5]) :]
    return count
