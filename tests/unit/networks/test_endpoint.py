"""A connection is verified and speaks HTTP/2, or fails with the reason."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fanfare.domain.outcome.answer import Transport
from fanfare.networks.endpoint import Endpoint
from fanfare.networks.http2.http2_sender import Http2Sender
from fanfare.networks.push_requests import Batch
from fanfare.networks.result import NotProcessed, Result
from local.fakes import authority
from tests.stopwatch import Stopwatch


@contextmanager
def listening(
    tls: ssl.SSLContext | None, says: bytes = b"", *, holds_s: float = 0.0, host: str = "127.0.0.1"
) -> Iterator[int]:
    """Run a server that sends something after the handshake and closes; without TLS it sends nothing."""

    def run() -> None:
        while True:
            try:
                raw, _ = listener.accept()
            except OSError:
                return
            with raw:
                raw.settimeout(2)
                try:
                    talking = tls.wrap_socket(raw, server_side=True) if tls else raw
                    with talking:
                        talking.sendall(says)
                        time.sleep(holds_s)
                except OSError:
                    continue

    listener = socket.create_server((host, 0))
    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(60)
        assert not thread.is_alive()


def sent_to(endpoint: Endpoint, deadline_s: float = 1.0) -> list[Result]:
    sender = Http2Sender(endpoint)
    with Stopwatch() as watch:
        results = sender.send(Batch((), [b"/"] * 2, b""), deadline_s=deadline_s)
    assert watch.s < deadline_s + 0.5
    sender.close()
    return results


def never(why: Transport) -> list[Result]:
    return [NotProcessed(why)] * 2


def test_an_unknown_authority_is_not_trusted(server_tls: ssl.SSLContext) -> None:
    with listening(server_tls) as port:
        assert sent_to(Endpoint("127.0.0.1", port)) == never(Transport.TLS_UNTRUSTED)


def test_another_name_is_not_trusted(server_tls: ssl.SSLContext, ca_file: str) -> None:
    with listening(server_tls, host="127.0.0.2") as port:
        assert sent_to(Endpoint("127.0.0.2", port, ca_file)) == never(Transport.TLS_UNTRUSTED)


@pytest.mark.parametrize("protocols", [["http/1.1"], []])
def test_without_http2_there_is_no_connection(ca_folder: Path, ca_file: str, protocols: list[str]) -> None:
    tls = authority.server_context(ca_folder / "fakes.pem", ca_folder / "fakes.key", ["http/1.1"])
    if not protocols:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(ca_folder / "fakes.pem", ca_folder / "fakes.key")
    with listening(tls) as port:
        assert sent_to(Endpoint("127.0.0.1", port, ca_file)) == never(Transport.NO_HTTP2)


@pytest.mark.parametrize("says", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b""])
def test_without_tls_there_is_no_connection(ca_file: str, says: bytes) -> None:
    with listening(None, says) as port:
        assert sent_to(Endpoint("127.0.0.1", port, ca_file)) == never(Transport.CONNECT_FAILED)


def test_a_handshake_that_hangs_is_left_in_time(ca_file: str) -> None:
    with listening(None, holds_s=0.8) as port:
        assert sent_to(Endpoint("127.0.0.1", port, ca_file), 0.3) == never(Transport.CONNECT_TIMEOUT)


@pytest.mark.parametrize("says", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n" * 9, b"\0\0\0\x04\0\0\0\0\0"])
def test_a_server_that_leaves_after_the_handshake(
    server_tls: ssl.SSLContext, ca_file: str, says: bytes
) -> None:
    with listening(server_tls, says) as port:
        results = sent_to(Endpoint("127.0.0.1", port, ca_file))
    assert results[1] == NotProcessed(Transport.CONNECT_FAILED)


def test_a_server_that_says_nothing_after_the_handshake(server_tls: ssl.SSLContext, ca_file: str) -> None:
    with listening(server_tls, holds_s=0.8) as port:
        assert sent_to(Endpoint("127.0.0.1", port, ca_file), 0.3) == never(Transport.CONNECT_FAILED)


def test_nobody_listens(ca_file: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert sent_to(Endpoint("127.0.0.1", port, ca_file)) == never(Transport.CONNECT_FAILED)


def test_a_name_that_does_not_exist(monkeypatch: pytest.MonkeyPatch, ca_file: str) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert sent_to(Endpoint("nowhere.invalid", 443, ca_file)) == never(Transport.DNS_FAILURE)


@pytest.mark.parametrize(
    ("url", "host", "port", "authority"),
    [
        ("https://api.push.apple.com", "api.push.apple.com", 443, "api.push.apple.com"),
        ("https://api.push.apple.com:443/", "api.push.apple.com", 443, "api.push.apple.com"),
        ("https://127.0.0.1:4305", "127.0.0.1", 4305, "127.0.0.1:4305"),
        ("https://[::1]:4305", "::1", 4305, "[::1]:4305"),
    ],
)
def test_an_endpoint_from_its_url(url: str, host: str, port: int, authority: str) -> None:
    endpoint = Endpoint.of(url)
    assert (endpoint.host, endpoint.port, endpoint.authority) == (host, port, authority)


@pytest.mark.parametrize(
    "url",
    [
        "http://api.push.apple.com",
        "api.push.apple.com",
        "",
        "https://",
        "https://x/path",
        "https://u@x",
        "https://x?y",
    ],
)
def test_only_https_is_an_endpoint(url: str) -> None:
    with pytest.raises(ValueError, match="not https"):
        Endpoint.of(url)
