"""The sender against other projects' servers: nghttp2, nginx, Node and granian, each on loopback."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

from fanfare.networks.endpoint import Endpoint
from fanfare.networks.http2.http2_sender import Http2Sender
from fanfare.networks.http2.policy import Policy
from fanfare.networks.push_requests import Batch
from fanfare.networks.result import Answered
from local.waiting import Patience

PUSHES = 1500
HEADERS = (
    ("authorization", "bearer " + "x" * 300),
    ("apns-topic", "com.example.app"),
    ("apns-priority", "10"),
)
BODY = b'{"aps":{"alert":"' + b"x" * 280 + b'"}}'
SBIN = f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin"
"""Debian keeps servers in folders that only root's PATH contains."""

NGINX = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} ssl http2;
    ssl_certificate {chain};
    ssl_certificate_key {key};
    keepalive_requests 400;
    location /3/device/ {{ return 200 "$request_uri"; }}
  }}
}}
"""
NODE = """
const http2 = require('node:http2'), fs = require('node:fs');
const [port, cert, key] = process.argv.slice(2);
const server = http2.createSecureServer({cert: fs.readFileSync(cert), key: fs.readFileSync(key)});
server.on('stream', (stream, headers) => {
  let size = 0;
  stream.on('data', (piece) => { size += piece.length; });
  stream.on('end', () => {
    stream.respond({':status': 200, 'apns-id': headers['apns-id'], 'x-size': String(size)});
    stream.end(headers[':path']);
  });
});
server.listen(Number(port), '127.0.0.1');
"""
GRANIAN = """
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    size, more = 0, True
    while more:
        message = await receive()
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    own = dict(scope["headers"]).get(b"apns-id", b"")
    answer = [(b"apns-id", own), (b"x-size", str(size).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": answer})
    await send({"type": "http.response.body", "body": scope["path"].encode()})
"""


@pytest.fixture
def certificate(ca_folder: Path) -> tuple[str, str]:
    return str(ca_folder / "fakes.pem"), str(ca_folder / "fakes.key")


def found(program: str) -> str:
    path = shutil.which(program, path=SBIN)
    if path is None:
        pytest.skip(f"{program} is not on this machine")
    return path


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


@contextmanager
def running(command: Sequence[str], port: int, log: Path, folder: Path) -> Iterator[None]:
    """Run the server until the test is over; it is ended by its own process."""
    with log.open("w") as out, subprocess.Popen(command, stdout=out, stderr=out, cwd=folder) as process:
        try:
            patience = Patience(process.pid, limit_s=15)
            while True:
                assert process.poll() is None, log.read_text()
                assert not patience.over, log.read_text()
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    time.sleep(0.05)
            yield
        finally:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()


def path(number: int) -> str:
    return f"/3/device/{number:064x}"


def exchange(port: int, ca_file: str, check: Callable[[int, Answered], bool]) -> None:
    """Send twice over the same connections, with an ID for each push, and then bodies larger than any
    window."""
    policy = Policy(most_connections=3, most_streams=200)
    sender = Http2Sender(Endpoint("127.0.0.1", port, ca_file), policy)
    try:
        for body, pushes in ((BODY, PUSHES), (BODY, PUSHES), (b"y" * 200_000, 8)):
            paths = [path(i).encode() for i in range(pushes)]
            ids = [f"{i:08x}-0000-4000-8000-000000000000".encode() for i in range(pushes)]
            left = dict(enumerate(paths))
            for _ in range(10):  # a server may leave: unprocessed requests are sent again
                places = list(left)
                batch = Batch(HEADERS, [paths[i] for i in places], body, "apns-id", [ids[i] for i in places])
                for i, result in zip(places, sender.send(batch, deadline_s=20), strict=True):
                    if isinstance(result, Answered):
                        del left[i]
                        assert check(i, result), result
                        if "x-size" in result.headers:
                            assert result.headers["x-size"] == str(len(body))
                            assert result.headers["apns-id"].encode() == ids[i]
                if not left:
                    break
            assert not left
    finally:
        sender.close()


def says_its_path(number: int, answer: Answered) -> bool:
    return answer.status == 200 and answer.body == path(number).encode()


def test_nghttp2(tmp_path: Path, ca_file: str, certificate: tuple[str, str]) -> None:
    """nghttp2's own server knows no such path, and answers with a page."""
    chain, key = certificate
    port = free_port()
    command = [
        found("nghttpd"),
        "-a",
        "127.0.0.1",
        "-d",
        str(tmp_path),
        "--trailer",
        "done: yes",
        str(port),
        key,
        chain,
    ]
    with running(command, port, tmp_path / "log", tmp_path):
        exchange(port, ca_file, lambda _, answer: answer.status == 404 and b"404" in answer.body)


def test_nghttp2_with_no_table_and_small_windows(
    tmp_path: Path, ca_file: str, certificate: tuple[str, str]
) -> None:
    chain, key = certificate
    port = free_port()
    limits = [
        "--header-table-size=0",
        "--window-bits=10",
        "--connection-window-bits=16",
        "-m",
        "7",
        "-b",
        "30",
    ]
    command = [found("nghttpd"), "-a", "127.0.0.1", "-d", str(tmp_path), *limits, str(port), key, chain]
    with running(command, port, tmp_path / "log", tmp_path):
        exchange(port, ca_file, lambda _, answer: answer.status == 404)


def test_nginx(tmp_path: Path, ca_file: str, certificate: tuple[str, str]) -> None:
    """nginx closes a connection with GOAWAY after 400 requests."""
    chain, key = certificate
    port = free_port()
    configuration = tmp_path / "nginx.conf"
    configuration.write_text(NGINX.format(folder=tmp_path, port=port, chain=chain, key=key))
    command = [found("nginx"), "-p", str(tmp_path), "-c", str(configuration)]
    with running(command, port, tmp_path / "log", tmp_path):
        exchange(port, ca_file, says_its_path)


def test_node(tmp_path: Path, ca_file: str, certificate: tuple[str, str]) -> None:
    port = free_port()
    script = tmp_path / "server.js"
    script.write_text(NODE)
    with running([found("node"), str(script), str(port), *certificate], port, tmp_path / "log", tmp_path):
        exchange(port, ca_file, says_its_path)


@pytest.mark.skipif(find_spec("granian") is None, reason="granian is not in this environment")
def test_granian(tmp_path: Path, ca_file: str, certificate: tuple[str, str]) -> None:
    """granian uses hyper's HTTP/2, in Rust."""
    port = free_port()
    (tmp_path / "served.py").write_text(GRANIAN)
    chain, key = certificate
    options = ["--interface", "asgi", "--http", "2", "--host", "127.0.0.1", "--port", str(port)]
    tls = ["--ssl-certificate", chain, "--ssl-keyfile", key]
    command = [sys.executable, "-m", "granian", *options, *tls, "served:app"]
    with running(command, port, tmp_path / "log", tmp_path):
        exchange(port, ca_file, says_its_path)
