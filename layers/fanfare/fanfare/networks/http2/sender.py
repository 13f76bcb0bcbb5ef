"""Sends batches of requests to one endpoint over HTTP/2, and says what became of each request.

It retries nothing. What was never begun goes on over another connection when one ends; the rest is the
caller's to decide.
"""

import time
from collections.abc import Callable
from threading import Lock

from fanfare.networks.batch import Batch, Progress
from fanfare.networks.endpoint import Endpoint
from fanfare.networks.http2.policy import Policy
from fanfare.networks.http2.pool import Pool
from fanfare.networks.result import Result

ONE_CONNECTION = Policy()


class Http2Sender:
    def __init__(
        self, endpoint: Endpoint, policy: Policy = ONE_CONNECTION, *, clock: Callable[[], float] = time.time
    ) -> None:
        """`clock` measures rest: the wall's, since the monotonic one may stand still in a frozen function."""
        self._lock = Lock()
        self._pool = Pool(endpoint, policy, clock)

    def send(self, batch: Batch, *, deadline_s: float) -> list[Result]:
        """A result for each request, in their order, after at most `deadline_s` (and a look-up of the name).

        One batch at a time: another waits, within its deadline. Raises ValueError for what cannot be written.
        """
        progress = Progress(batch, time.monotonic() + deadline_s)
        batch.check()
        if self._lock.acquire(timeout=max(0.0, deadline_s)):
            try:
                self._pool.exchange(progress)
            finally:
                self._lock.release()
        return progress.results

    def renew(self) -> None:
        """The next batch gets new connections."""
        with self._lock:
            self._pool.close()

    close = renew
