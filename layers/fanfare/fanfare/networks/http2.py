"""Sends batches of requests to one endpoint over one HTTP/2 connection, and says what became of each request.

It retries nothing. What was never begun goes on over a new connection when the old one ends; the rest is the
caller's to decide.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from threading import Lock

from fanfare.domain.answer import Transport
from fanfare.domain.outcome_transport import BLAMING_GOAWAYS
from fanfare.networks.batch import Batch, Headers, Request
from fanfare.networks.connection import Connection
from fanfare.networks.endpoint import Endpoint, NoConnection
from fanfare.networks.result import NotProcessed, Result

CONNECT_S = 5.0
REQUEST_S = 15.0
PROBED_AFTER_S = 60
"""A connection that rested longer is first asked whether it is there: a frozen function hears nothing."""
PROBE_S = 1.0
REPLACED_AFTER_S = 300
"""NAT gateways forget a flow that rested 350 s."""
MOST_STREAMS = 100


class Http2Sender:
    def __init__(
        self,
        endpoint: Endpoint,
        *,
        first_alone: bool = True,
        request_s: float = REQUEST_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`first_alone`: on a new connection one request goes ahead, the rest when it is answered.

        `clock` measures rest: the wall's, since the monotonic one may stand still while a function is frozen.
        """
        self._endpoint = endpoint
        self._first_alone = first_alone
        self._request_s = request_s
        self._clock = clock
        self._lock = Lock()
        self._connection: Connection | None = None
        self._rests_since = 0.0
        self._blaming = 0

    def send(self, requests: Sequence[Request], *, headers: Headers, deadline_s: float) -> list[Result]:
        """A result for each request, in their order, after at most `deadline_s` (and a look-up of the name).

        `headers` are those that all requests share. One batch at a time: another waits, within its deadline.
        """
        batch = Batch(requests, headers, time.monotonic() + deadline_s)
        if self._lock.acquire(timeout=max(0.0, deadline_s)):
            try:
                self._send(batch)
            finally:
                self._lock.release()
        return batch.results

    def renew(self) -> None:
        """The next batch gets a new connection."""
        with self._lock:
            self._drop()

    close = renew

    def _send(self, batch: Batch) -> None:
        while batch.waiting and time.monotonic() < batch.deadline:
            try:
                connection = self._rested() or self._opened(batch.deadline)
            except NoConnection as error:
                batch.give_up(NotProcessed(error.why))
                return
            is_new = connection.answers == 0
            with ExitStack() as ending:
                ending.callback(connection.close)
                connection.exchange(batch, self._request_s)
                self._blaming = connection.blaming
                if connection.usable:
                    self._connection, self._rests_since = connection, self._clock()
                    ending.pop_all()
                    continue
            if self._blaming >= BLAMING_GOAWAYS:
                batch.give_up(NotProcessed(Transport.GOAWAY_ABOVE, self._blaming))
            elif is_new and connection.answers == 0:
                # Another connection would fare the same, and Apple takes rapid ones for an attack.
                batch.give_up(NotProcessed(Transport.CONNECT_FAILED))

    def _rested(self) -> Connection | None:
        """The connection of the batch before, if it is still good; it is kept anew after the next one."""
        connection, self._connection = self._connection, None
        if connection is None:
            return None
        rested_s = abs(self._clock() - self._rests_since)
        if rested_s > REPLACED_AFTER_S:
            good = False
        elif rested_s > PROBED_AFTER_S:
            good = connection.answers_ping(PROBE_S)
        else:
            good = connection.still_there()
        if not good:
            connection.close()
        return connection if good else None

    def _opened(self, deadline: float) -> Connection:
        """Raises NoConnection."""
        limit_s = min(CONNECT_S, deadline - time.monotonic())
        connection = Connection(
            self._endpoint.connect(limit_s),
            self._endpoint.authority,
            first_alone=self._first_alone,
            most_streams=MOST_STREAMS,
            blaming=self._blaming,
        )
        if not connection.greeted(min(CONNECT_S, deadline - time.monotonic())):
            connection.close()
            raise NoConnection(Transport.CONNECT_FAILED)
        return connection

    def _drop(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None
