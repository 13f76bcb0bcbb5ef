"""A TLS connection over a non-blocking socket: large reads and writes, and the position of the data sent.

TLS runs over two memory BIOs, so that one system call carries many records of any size.
"""

import socket
import ssl
from collections import deque
from contextlib import suppress
from typing import Protocol

from fanfare.domain.outcome.answer import Transport
from fanfare.networks.endpoint import Address, NoConnection

RECORD_BYTES = 16_384
RECEIVED_AT_ONCE = 262_144
FULL_BYTES = 131_072
_TURNS = 4


class Closed(Exception):
    """The connection has ended, by either side or by a fault."""


class ByteTransport(Protocol):
    """The transport that a connection needs; tests use one in memory."""

    full: bool
    """True if the other side reads too slowly: more data would only pile up."""
    left: int
    """Highest mark of the data that has left. A TLS record leaves as a whole, or the other side cannot read
    it."""

    def put(self, data: bytes, mark: int = 0) -> None:
        """Append data to be written. `mark` is the highest stream ID that it begins."""

    def flush(self) -> None: ...


class TlsTransport:
    def __init__(self, address: Address, context: ssl.SSLContext, host: str) -> None:
        """Begin to connect; `shake_hands` continues."""
        family, kind, protocol, where = address
        self.open = False
        self.full = False
        self.left = 0
        self._deaf = False
        """True if the other side takes no more data, though it may have left some to read."""
        self._ended = False
        self._reached = False
        self._plain: list[bytes] = []
        """Data that was put and is in no record yet, with its size and its highest mark."""
        self._plain_bytes = self._mark = 0
        self._unsent = memoryview(b"")
        self._taken = 0
        """Bytes taken out of `_outgoing`, of which the socket has taken the first `_sent`."""
        self._sent = 0
        self._records: deque[tuple[int, int]] = deque()
        """End of a record, counted in all bytes, and its mark."""
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self._socket = socket.socket(family, kind, protocol)
        try:
            self._socket.setblocking(False)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket.connect(where)
        except BlockingIOError:
            pass
        except OSError as error:
            self._socket.close()
            raise NoConnection(Transport.CONNECT_FAILED) from error

    def fileno(self) -> int:
        return self._socket.fileno()

    @property
    def blocked(self) -> bool:
        """True if it waits for the socket to take more."""
        return not self._reached or bool(self._unsent)

    def shake_hands(self) -> None:
        """Continue to connect, as far as possible; `open` is set at the end. Raises NoConnection."""
        try:
            self._reach()
            self._receive(bytearray(RECORD_BYTES))
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._send()
                if self._ended or self._deaf:
                    raise NoConnection(Transport.CONNECT_FAILED) from None
                return
            self._send()
        except BlockingIOError:
            return
        except ssl.SSLCertVerificationError as error:
            self._send()
            raise NoConnection(Transport.TLS_UNTRUSTED) from error
        except ssl.SSLError as error:
            refused = "NO_APPLICATION_PROTOCOL" in (error.reason or "")
            raise NoConnection(Transport.NO_HTTP2 if refused else Transport.CONNECT_FAILED) from error
        except OSError as error:
            raise NoConnection(Transport.CONNECT_FAILED) from error
        if self._tls.selected_alpn_protocol() != "h2":
            raise NoConnection(Transport.NO_HTTP2)
        self.open = True

    def _reach(self) -> None:
        if not self._reached:
            error = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if error:
                raise OSError(error, "no connection")
            try:
                self._socket.getpeername()
            except OSError as unconnected:
                raise BlockingIOError from unconnected
            self._reached = True
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._send()

    def put(self, data: bytes, mark: int = 0) -> None:
        if self._plain_bytes + len(data) > RECORD_BYTES:
            self._seal()
        self._plain.append(data)
        self._plain_bytes += len(data)
        self._mark = mark or self._mark
        self.full = self._plain_bytes + self._outgoing.pending + len(self._unsent) >= FULL_BYTES

    def flush(self) -> None:
        self._seal()
        if self._outgoing.pending or self._unsent:
            self._send()
            while self._records and self._records[0][0] <= self._sent:
                self.left = max(self.left, self._records.popleft()[1])
            self.full = self._outgoing.pending + len(self._unsent) >= FULL_BYTES

    def _seal(self) -> None:
        """Make records of the data. A piece that spans several records counts as begun with the first of
        them."""
        if self._plain:
            view = memoryview(b"".join(self._plain))
            for start in range(0, len(view), RECORD_BYTES):
                self._tls.write(view[start : start + RECORD_BYTES])
                if self._mark:
                    self._records.append((self._taken + self._outgoing.pending, self._mark))
            self._plain.clear()
            self._plain_bytes = self._mark = 0

    def _send(self) -> None:
        while not self._deaf:
            if not self._unsent:
                data = self._outgoing.read()
                if not data:
                    return
                self._taken += len(data)
                self._unsent = memoryview(data)
            try:
                sent = self._socket.send(self._unsent)
            except BlockingIOError:
                return
            except OSError:
                self._deaf = True
                return
            self._sent += sent
            self._unsent = self._unsent[sent:]

    def read(self, buffer: bytearray) -> bytes:
        """Return the data that has arrived, decrypted; it may be empty. Raises Closed after the last of
        it."""
        pieces: list[bytes] = []
        for _ in range(_TURNS):
            more = self._receive(buffer)
            try:
                while self._incoming.pending:
                    pieces.append(self._tls.read(RECORD_BYTES))
            except ssl.SSLWantReadError:
                pass
            except OSError:  # close_notify, or data that is not TLS
                self._ended = True
            if not more:
                break
        if self._ended and not pieces:
            raise Closed
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _receive(self, buffer: bytearray) -> bool:
        """Read from the socket; True if there may be more. `buffer` is used during the call only."""
        if self._ended:
            return False
        try:
            size = self._socket.recv_into(buffer)
        except BlockingIOError:
            self._ended = self._deaf and self._reached
            return False
        except OSError:
            size = 0
        if size:
            self._incoming.write(memoryview(buffer)[:size])
        else:
            self._incoming.write_eof()
            self._ended = True
        return size == len(buffer)

    def close(self) -> None:
        """Write waiting data as far as the socket takes it, followed by TLS's closing alert, and close."""
        if self.open:
            self._seal()
            with suppress(OSError):
                self._tls.unwrap()
            self._send()
        self._socket.close()
