"""A client of the fakes' HTTP/2 that is driven frame by frame."""

import json
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    RemoteSettingsChanged,
    ResponseReceived,
    StreamEnded,
    StreamReset,
)
from h2.settings import SettingCodes, Settings
from hyperframe.frame import Frame, GoAwayFrame

from local.fakes import credentials
from local.waiting import NO_ANSWER_S
from tests.e2e.fakes.client import DEVICE, PORTS, SEND, Fakes

_STATUS: Any = ":status"


class _Client(H2Connection):
    """h2 accepts nothing after a GOAWAY; this subclass reads the rest (RFC 9113, 6.8)."""

    def _receive_goaway_frame(self, frame: GoAwayFrame) -> tuple[list[Frame], list[Event]]:
        event = ConnectionTerminated()
        event.error_code = ErrorCodes(frame.error_code)
        event.last_stream_id, event.additional_data = frame.last_stream_id, frame.additional_data
        return [], [event]


@dataclass(slots=True)
class Wire:
    """A client that is driven frame by frame, and keeps all events."""

    socket: ssl.SSLSocket
    wire: H2Connection
    events: list[Event] = field(default_factory=list)

    def fcm(self, bearer: str, token: str = "t") -> int:
        """A message for FCM."""
        stream_id = self.wire.get_next_available_stream_id()
        headers = [
            (":method", "POST"),
            (":scheme", "https"),
            (":authority", "localhost"),
            (":path", SEND.partition(f":{PORTS.fcm}")[2]),
            ("authorization", f"Bearer {bearer}"),
            ("content-type", "application/json"),
        ]
        self.wire.send_headers(stream_id, headers)
        self.wire.send_data(stream_id, f'{{"message":{{"token":"{token}"}}}}'.encode(), end_stream=True)
        self.flush()
        return stream_id

    def push(self, fakes: Fakes, *, token: str = DEVICE, bearer: str | None = None, end: bool = True) -> int:
        stream_id = self.wire.get_next_available_stream_id()
        headers = [
            (":method", "POST"),
            (":scheme", "https"),
            (":authority", "localhost"),
            (":path", f"/3/device/{token}"),
            ("authorization", f"bearer {bearer or fakes.usual_token}"),
            ("apns-topic", credentials.APNS_TOPIC),
            ("apns-push-type", "alert"),
        ]
        self.wire.send_headers(stream_id, headers)
        self.wire.send_data(stream_id, b'{"aps":{}}', end_stream=end)
        self.flush()
        return stream_id

    def overlook_limit(self) -> None:
        """Open more streams than the server allows."""
        self.wire.remote_settings[SettingCodes.MAX_CONCURRENT_STREAMS] = 1000
        self.wire.remote_settings.acknowledge()

    def flush(self) -> None:
        self.socket.sendall(self.wire.data_to_send())

    def read_until(self, kind: type[Event], count: int = 1) -> list[Any]:
        """The events of a kind, once there are as many; fails when the server sends nothing for 3 seconds."""
        while len(found := [event for event in self.events if isinstance(event, kind)]) < count:
            self._read()
        return found

    def _read(self) -> None:
        data = self.socket.recv(65536)
        assert data, f"closed, after {self.events}"
        self.events += self.wire.receive_data(data)
        self.flush()

    def read_to_the_end(self) -> None:
        """All that comes until the server closes; fails when it sends nothing for 3 seconds."""
        try:
            while data := self.socket.recv(65536):
                self.events += self.wire.receive_data(data)
        except (ssl.SSLEOFError, ConnectionResetError):
            pass

    def farewells(self) -> list[tuple[int, int, bytes]]:
        """Last stream ID, error code and debug data of each GOAWAY."""
        return [
            (event.last_stream_id or 0, int(event.error_code or 0), event.additional_data or b"")
            for event in self.events
            if isinstance(event, ConnectionTerminated)
        ]

    def resets(self) -> dict[int, int]:
        return {
            event.stream_id: int(event.error_code or 0)
            for event in self.events
            if isinstance(event, StreamReset)
        }

    def max_streams(self) -> list[int]:
        """As the server announced it, one after the other."""
        changes = [event for event in self.events if isinstance(event, RemoteSettingsChanged)]
        code = SettingCodes.MAX_CONCURRENT_STREAMS
        return [event.changed_settings[code].new_value for event in changes if code in event.changed_settings]

    def answer(self, stream_id: int) -> tuple[str, str | None]:
        """Status and reason, once they are there."""
        while not any(isinstance(one, StreamEnded) and one.stream_id == stream_id for one in self.events):
            self._read()
        content = b"".join(
            one.data for one in self.events if isinstance(one, DataReceived) and one.stream_id == stream_id
        )
        return self.statuses()[stream_id], json.loads(content)["reason"] if content else None

    def statuses(self) -> dict[int, str]:
        answers = [event for event in self.events if isinstance(event, ResponseReceived)]
        return {answer.stream_id: str(dict(answer.headers)[_STATUS]) for answer in answers}


@contextmanager
def connected(
    fakes: Fakes, *, alpn: list[str] | None, window: int = 65535, port: int = PORTS.apns_production
) -> Iterator[Wire]:
    trust = ssl.create_default_context(cafile=fakes.state / "ca.pem")
    if alpn is not None:
        trust.set_alpn_protocols(alpn)
    address = ("127.0.0.1", port)
    with (
        socket.create_connection(address, timeout=NO_ANSWER_S) as plain,
        trust.wrap_socket(plain, server_hostname="localhost") as encrypted,
    ):
        wire = _Client(H2Configuration(header_encoding="utf-8"))
        wire.local_settings = Settings(initial_values={SettingCodes.INITIAL_WINDOW_SIZE: window})
        wire.initiate_connection()
        client = Wire(encrypted, wire)
        client.flush()
        yield client
