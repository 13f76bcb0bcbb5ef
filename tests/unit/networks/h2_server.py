"""A small HTTP/2 server over TLS on loopback that follows a test's script, faults included.

A thread for each connection runs the script. The server records its treatment of each request, so that a test
can check the sender's results.
"""

import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import DataReceived, RequestReceived, StreamEnded, StreamReset
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes, Settings
from hyperframe.frame import GoAwayFrame

LIMIT_S = 5.0


class Gone(Exception):
    """The client closed the connection."""


@dataclass(slots=True)
class Got:
    stream_id: int
    path: str
    headers: dict[str, str]
    body: bytearray = field(default_factory=bytearray)


class Peer:
    """The server's end of one connection."""

    def __init__(self, secured: ssl.SSLSocket, number: int, server: "H2Server") -> None:
        self.number = number
        self.server = server
        self.open: dict[int, Got] = {}
        self.most_open = 0
        self.resets: list[int] = []
        self._ready: list[Got] = []
        self._socket = secured
        self.h2 = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        initial = {SettingCodes.MAX_CONCURRENT_STREAMS: 100, **server.settings}
        self.h2.local_settings = Settings(client=False, initial_values=initial)
        # h2 applies these only when settings change later.
        self.h2.max_inbound_frame_size = self.h2.local_settings.max_frame_size
        self.h2.decoder.max_allowed_table_size = self.h2.local_settings.header_table_size
        self.h2.initiate_connection()
        self.flush()

    def flush(self) -> None:
        self.raw(self.h2.data_to_send())

    def raw(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise Gone from error

    def settings(self, **values: int) -> None:
        self.h2.update_settings({SettingCodes[name.upper()]: value for name, value in values.items()})
        self.flush()

    def take(self, number: int, limit_s: float = LIMIT_S) -> list[Got]:
        """Return the next complete requests. Raises Gone, or TimeoutError if they do not come."""
        self._socket.settimeout(limit_s)
        while len(self._ready) < number:
            self.listen()
        taken, self._ready = self._ready[:number], self._ready[number:]
        return taken

    def one(self) -> Got:
        return self.take(1)[0]

    def listen(self) -> None:
        try:
            data = self._socket.recv(65_536)
        except TimeoutError:
            raise
        except OSError as error:
            raise Gone from error
        if not data:
            raise Gone
        for event in self.h2.receive_data(data):
            match event:
                case RequestReceived():
                    headers = {str(name): str(value) for name, value in event.headers}
                    self.open[event.stream_id] = Got(event.stream_id, headers[":path"], headers)
                    self.most_open = max(self.most_open, len(self.open))
                case DataReceived():
                    self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                    self.open[event.stream_id].body += event.data
                case StreamEnded():
                    self._ready.append(self.open[event.stream_id])
                case StreamReset():
                    self.resets.append(event.stream_id)
                    self.open.pop(event.stream_id, None)
        self.flush()

    def answer(
        self, got: Got, status: int = 200, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> None:
        self.execute(got)
        self.open.pop(got.stream_id, None)
        lines = [(":status", str(status)), *(headers or {}).items()]
        self.h2.send_headers(got.stream_id, lines, end_stream=not body)
        while body and self.h2.local_flow_control_window(got.stream_id) < len(body):
            self.flush()
            self.listen()
        if body:
            self.h2.send_data(got.stream_id, body, end_stream=True)
        self.flush()

    def execute(self, got: Got) -> None:
        """Execute the push, even if the client never gets the answer."""
        with self.server.lock:
            self.server.executed.append(got.path)

    def reset(self, got: Got, code: int = ErrorCodes.REFUSED_STREAM) -> None:
        self.open.pop(got.stream_id, None)
        self.h2.reset_stream(got.stream_id, code)
        self.flush()

    def goaway(self, last_stream_id: int, debug: bytes = b"") -> None:
        """Send GOAWAY by hand: h2 ends a connection with its first one, a server does not."""
        frame = GoAwayFrame(0, last_stream_id=last_stream_id, additional_data=debug)
        self.raw(frame.serialize())

    def serve(self) -> None:
        """Answer all requests until the client leaves."""
        while True:
            self.answer(self.one())

    def until_gone(self) -> None:
        """Read without answering."""
        self._socket.settimeout(LIMIT_S)
        while True:
            self.listen()

    def cut(self, *, hard: bool = False) -> None:
        """End the connection, with a reset if `hard`."""
        if hard:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self._socket.close()


type Script = Callable[[Peer], None]


class H2Server:
    def __init__(
        self, tls: ssl.SSLContext, script: Script, settings: dict[SettingCodes, int] | None = None
    ) -> None:
        self.settings = settings or {}
        self.executed: list[str] = []
        self.peers: list[Peer] = []
        self.complaints: list[str] = []
        """Protocol errors of the client, and surprises of the script."""
        self.lock = threading.Lock()
        self._tls = tls
        self._script = script
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._acceptor = threading.Thread(target=self._accept)

    def __enter__(self) -> Self:
        self._acceptor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._acceptor.join(LIMIT_S)
        for thread in self._threads:
            thread.join(LIMIT_S + 1)
            assert not thread.is_alive(), "a connection of the server did not end"
        assert not self.complaints, self.complaints

    def _accept(self) -> None:
        while True:
            try:
                raw, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._connected, args=(raw, len(self._threads) + 1))
            self._threads.append(thread)
            thread.start()

    def _connected(self, raw: socket.socket, number: int) -> None:
        raw.settimeout(LIMIT_S)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            secured = self._tls.wrap_socket(raw, server_side=True)
        except OSError:
            raw.close()
            return
        peer = None
        try:
            peer = Peer(secured, number, self)
            self.peers.append(peer)
            self._script(peer)
        except Gone:
            pass
        except (ProtocolError, TimeoutError) as error:
            self.complaints.append(f"connection {number}: {error!r}")
        finally:
            secured.close()
