"""A project's quota of messages: a bucket that is filled up at once when its time is over."""

import time

from local.fakes.switches import MessageQuota


class QuotaBucket:
    def __init__(self) -> None:
        self._quota: MessageQuota | None = None
        self._left = 0
        self._filled_at = 0.0

    def take(self, quota: MessageQuota | None) -> bool:
        """False: there is nothing left. Another quota than before begins with a full bucket."""
        if quota is None:
            self._quota = None
            return True
        now = time.monotonic()
        over = quota.per_s is not None and now - self._filled_at >= quota.per_s
        if quota is not self._quota or over:
            self._quota, self._left, self._filled_at = quota, quota.messages, now
        if not self._left:
            return False
        self._left -= 1
        return True
