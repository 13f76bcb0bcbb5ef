"""Send batches of requests to one endpoint over HTTP/2, and return the result of each request.

Nothing is retried. Requests that were never begun move to another connection when theirs ends; the caller
decides about all others.
"""

import time
from collections.abc import Callable
from threading import Lock, Semaphore

from fanfare.networks.endpoint import Endpoint
from fanfare.networks.http2.policy import Policy
from fanfare.networks.http2.pool import Pool
from fanfare.networks.push_requests import Batch, Progress
from fanfare.networks.result import Result

ONE_CONNECTION = Policy()


class Http2Sender:
    def __init__(
        self, endpoint: Endpoint, policy: Policy = ONE_CONNECTION, *, clock: Callable[[], float] = time.time
    ) -> None:
        """`clock` measures rest. It is the wall clock, since the monotonic one may stand still in a frozen
        function."""
        self._endpoint = endpoint
        self._policy = policy
        self._clock = clock
        self._room = Semaphore(policy.most_batches)
        self._changing = Lock()
        self._idle: list[Pool] = []
        """Idle pools. The last one used is taken first, so that few connections serve few batches."""
        self._retired: set[Pool] = set()
        self._busy: set[Pool] = set()

    def send(self, batch: Batch, *, deadline_s: float) -> list[Result]:
        """Return a result for each request, in order, after at most `deadline_s` and a look-up of the name.

        The policy limits the number of batches at a time; others wait, within their deadlines. Raises
        ValueError for requests that cannot be written.
        """
        progress = Progress(batch, time.monotonic() + deadline_s)
        batch.check()
        if self._room.acquire(timeout=max(0.0, deadline_s)):
            try:
                self._exchange(progress)
            finally:
                self._room.release()
        return progress.results

    def renew(self) -> None:
        """Use new connections for later batches; one that is being sent keeps its own to its end."""
        with self._changing:
            self._retired |= self._busy
            idle, self._idle = self._idle, []
        for pool in idle:
            pool.close()

    close = renew

    def _exchange(self, progress: Progress) -> None:
        with self._changing:
            pool = self._idle.pop() if self._idle else Pool(self._endpoint, self._policy, self._clock)
            self._busy.add(pool)
        try:
            pool.exchange(progress)
        finally:
            with self._changing:
                self._busy.discard(pool)
                retired = pool in self._retired
                self._retired.discard(pool)
                if not retired:
                    self._idle.append(pool)
            if retired:
                pool.close()
