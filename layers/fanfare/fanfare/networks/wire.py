"""Bytes over a TLS socket, both ways at once, and never waiting longer than told."""

import select
import ssl
from math import ceil

_RECORD = 16_384
_RECORDS_A_TURN = 16
_FULL = 131_072


class Closed(Exception):
    """The connection is at its end, through either side or through a fault."""


class Wire:
    def __init__(self, secured: ssl.SSLSocket) -> None:
        secured.setblocking(False)
        self.taken = 0
        """All bytes ever taken for writing."""
        self.written = 0
        """Those of them that left: a TLS record is written whole, or the other side cannot read it."""
        self._socket = secured
        self._poll = select.poll()
        self._poll.register(secured, 0)
        self._waiting = bytearray()
        self._deaf = (
            False  # the other side takes nothing any more, though it may have left us something to read
        )
        self._ended = False
        self._more = False

    @property
    def full(self) -> bool:
        """The other side reads too slowly: more would only pile up."""
        return len(self._waiting) >= _FULL

    def take(self, data: bytes) -> None:
        self._waiting += data
        self.taken += len(data)

    def turn(self, limit_s: float) -> bytes:
        """Write what waits and read what has come, after a wait for either. Raises Closed."""
        writable = self._write()
        self._poll.modify(self._socket, self._events(writable))
        self._poll.poll(0 if self._more else ceil(max(0.0, limit_s) * 1000))
        self._write()
        return self._read() if self._deaf or not self.full else b""

    def close(self, farewell: bytes = b"") -> None:
        """`farewell` goes out only behind all else that was taken, and without waiting."""
        if not self._waiting:
            self.take(farewell)
            self._write()
        self._poll.unregister(self._socket)
        self._socket.close()

    def _events(self, writable: bool) -> int:
        # Who does not take what we write gets no more answers out of us either.
        reading = 0 if self.full else select.POLLIN
        return reading | (select.POLLOUT if writable else 0)

    def _write(self) -> bool:
        """Whether more could go out once the socket takes it."""
        while self._waiting and not self._deaf:
            try:
                sent = self._socket.send(self._waiting[:_RECORD])
            except ssl.SSLWantWriteError:
                return True
            except ssl.SSLWantReadError:
                return False
            except OSError:
                self._deaf = True
                return False
            del self._waiting[:sent]
            self.written += sent
        return False

    def _read(self) -> bytes:
        if self._ended:
            raise Closed
        data = bytearray()
        self._more = False
        for _ in range(_RECORDS_A_TURN):
            try:
                piece = self._socket.recv(_RECORD)
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                self._ended = self._deaf
                break
            except OSError:
                piece = b""
            if not piece:
                self._ended = True
                break
            data += piece
        else:
            self._more = True
        if self._ended and not data:
            raise Closed
        self._more = self._more or self._ended
        return bytes(data)
