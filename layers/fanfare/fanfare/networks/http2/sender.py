"""Sends batches of requests to one endpoint over HTTP/2, and says what became of each request.

It retries nothing. What was never begun goes on over another connection when one ends; the rest is the
caller's to decide.
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
        """`clock` measures rest: the wall's, since the monotonic one may stand still in a frozen function."""
        self._endpoint = endpoint
        self._policy = policy
        self._clock = clock
        self._room = Semaphore(policy.most_batches)
        self._changing = Lock()
        self._idle: list[Pool] = []
        """The one that was used last is used first: few connections serve few batches."""
        self._retired: set[Pool] = set()
        self._busy: set[Pool] = set()

    def send(self, batch: Batch, *, deadline_s: float) -> list[Result]:
        """A result for each request, in their order, after at most `deadline_s` (and a look-up of the name).

        So many batches at a time as the policy says; another waits, within its deadline. Raises ValueError
        for what cannot be written.
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
        """Later batches get new connections; one that is under way keeps its own until its end."""
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
