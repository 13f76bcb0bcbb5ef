"""A connection and its transport: opened in time, read, written, and closed when either ends."""

import selectors
import ssl

from fanfare.domain.outcome.answer import Transport
from fanfare.networks.endpoint import Address, Endpoint, NoConnection
from fanfare.networks.http2.connection import Connection
from fanfare.networks.http2.policy import PROBE_S, Policy
from fanfare.networks.http2.tls import Closed, TlsTransport
from fanfare.networks.push_requests import Progress


class Link:
    def __init__(self, endpoint: Endpoint, address: Address, context: ssl.SSLContext, policy: Policy) -> None:
        """Begin to connect. Raises NoConnection."""
        self.deadline = 0.0
        """Time by which the connection has to be ready, while it is not."""
        self.others: list[Address] = []
        """Addresses to try if this one does not answer."""
        self.fresh = True
        """True if it was opened for the present batch."""
        self.rests_since = 0.0
        self.authorization = ("", 0.0)
        """The value that authorizes its pushes, and its first use; both times are of the sender's clock."""
        self.failed: Transport | None = None
        """Reason why the connection was never made."""
        self.hung_up_on_request = False
        """True if the server ended it while a request was open."""
        self.watched = 0
        """The events that the pool's selector waits for."""
        self.connection: Connection | None = None
        self._authority = endpoint.authority
        self._policy = policy
        self._transport = TlsTransport(address, context, endpoint.host)

    def fileno(self) -> int:
        return self._transport.fileno()

    @property
    def ready(self) -> bool:
        return self.connection is not None and self.connection.ready

    @property
    def hopeful(self) -> bool:
        """True if requests may go over it, now or soon."""
        return self.failed is None and (self.connection is None or self.connection.usable)

    @property
    def over(self) -> bool:
        """True if nothing more can arrive on it."""
        if self.failed is not None:
            return True
        connection = self.connection
        return connection is not None and (
            connection.ended or not (connection.usable or connection.open_streams)
        )

    @property
    def answers(self) -> int:
        return self.connection.answers if self.connection else 0

    @property
    def open_streams(self) -> int:
        return self.connection.open_streams if self.connection else 0

    @property
    def events(self) -> int:
        """Events to wait for. Nothing is read while the server does not take our data."""
        reading = 0 if self._transport.full else selectors.EVENT_READ
        return reading | (selectors.EVENT_WRITE if self._transport.blocked else 0)

    def begin(self, progress: Progress, now: float) -> None:
        """Send as many waiting requests as possible."""
        emptied = True
        while emptied and self.connection is not None:
            if self.connection.usable or self.connection.open_streams:
                self.connection.begin(progress, now)
            # Requests that a full transport stopped go on as soon as it has emptied; nothing else wakes them.
            full = self._transport.full
            self._transport.flush()
            emptied = full and not self._transport.full

    def turn(self, buffer: bytearray, now: float) -> None:
        """Read and handle the data that has arrived, and write waiting data. `buffer` is used during the call
        only."""
        if self.over:
            return
        try:
            if self.connection is None:
                self._transport.shake_hands()
                if not self._transport.open:
                    return
                self.connection = self._connection()
            self._transport.flush()
            data = self._transport.read(buffer)
            if data:
                self.connection.receive(data, now)
            self._transport.flush()
        except NoConnection as error:
            self.failed = error.why
        except Closed:
            assert self.connection is not None
            self.hung_up_on_request = self.connection.open_streams > 0
            self.connection.end(Transport.RESET_AFTER_WRITE)

    def probe(self, now: float) -> None:
        assert self.connection is not None
        self.connection.probe(now)
        self.deadline = now + PROBE_S
        self._transport.flush()

    def due(self) -> float | None:
        """Return the time of the next time-out, None if there is none."""
        if not self.ready and self.hopeful:
            return self.deadline
        oldest = self.connection.oldest() if self.connection else None
        return None if oldest is None else oldest + self._policy.request_s

    def give_up_late(self, now: float) -> None:
        if self.connection is not None:
            self.connection.give_up_begun_before(now - self._policy.request_s)
        if not self.ready and self.hopeful and now >= self.deadline:
            if self.connection is None:
                self.failed = Transport.CONNECT_TIMEOUT
            else:
                self.connection.end(Transport.RESET_AFTER_WRITE)

    def rest(self) -> None:
        if self.connection is not None:
            self.connection.rest()
            self._transport.flush()

    def close(self) -> None:
        if self.connection is not None:
            self.connection.leave()
        self._transport.close()

    def _connection(self) -> Connection:
        policy = self._policy
        return Connection(
            self._transport,
            self._authority,
            first_alone=policy.first_alone,
            most_streams=policy.most_streams,
        )
