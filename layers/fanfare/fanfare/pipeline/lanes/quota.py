"""A network's quota, shared by the fleet: reserved in blocks, so that most pushes cost no request."""

from dataclasses import dataclass, field
from threading import Lock

from fanfare.domain.push import Pace
from fanfare.domain.verdict import FIRST_DELAY_MS
from fanfare.runtime import logs
from fanfare.runtime.clock import Clock
from fanfare.store import lanes
from fanfare.store.row import REFUSED

BLOCK = 500
"""Quota is reserved in blocks of this size, one write each. Pushes ahead of their block are owed."""

BULK_SHARE = 0.9
"""Share of a window for large sends. The rest is left to small ones: they do not wait for a large one."""

USERS_SHARE = 0.2
"""Share of a window for sends of users: theirs wait when it is used up, the servers' do not."""

WINDOW_MS = 10_000

PATIENCE_MS = FIRST_DELAY_MS
"""A large send that is refused waits for a window that begins before the first back-off would end. That costs
less than to look for the devices again; and how many environments use up the quota need not be known to some
percent. Small sends do not wait: their environments serve others meanwhile."""

_WINDOWS_A_MINUTE = 60_000 // WINDOW_MS

type _Lane = tuple[str, str, bool]
"""App, lane, and True if it counts pushes of users."""


@dataclass(slots=True)
class Quota:
    """The pushes that a lane may carry, by windows of ten seconds.

    An environment is at most one block ahead of the table.
    """

    clock: Clock
    per_minute: int
    _owed: dict[_Lane, int] = field(default_factory=dict)
    _closed: dict[tuple[_Lane, Pace], int] = field(default_factory=dict)
    _counting: Lock = field(default_factory=Lock)

    def grant(self, app: str, lane: str, wanted: int, pace: Pace, *, by_user: bool = False) -> int:
        """Return the number of pushes that may go now; the rest may go from the next window on."""
        with self._counting:
            return self._grant((app, lane, by_user), wanted, pace)

    def _grant(self, counted: _Lane, wanted: int, pace: Pace) -> int:
        app, lane, by_user = counted
        if self.wait_ms(app, lane, pace, by_user=by_user):
            return 0
        owed = self._owed.get(counted, 0)
        taken = (owed + wanted) // BLOCK * BLOCK
        if not taken:
            self._owed[counted] = owed + wanted
            return wanted
        now = self.clock()
        window = now // WINDOW_MS
        share = BULK_SHARE if pace is Pace.BULK else 1
        whole = self.per_minute // _WINDOWS_A_MINUTE
        limit = max(1, int(whole * share))
        of_users = max(1, int(whole * USERS_SHARE)) if by_user else None
        try:
            granted = lanes.take_quota(
                app, lane, window, taken, limit, expires=now // 1000 + 3600, of_users=of_users
            )
        except REFUSED:  # the network itself will say when it is too much
            logs.logger().exception("the quota is not known", extra={"app": app, "lane": lane})
            return wanted
        if granted == taken:
            self._owed[counted] = owed + wanted - taken
            return wanted
        self._closed[counted, pace] = (window + 1) * WINDOW_MS
        self._owed[counted] = max(0, owed - granted)
        return max(0, granted - owed)

    def wait_ms(self, app: str, lane: str, pace: Pace, *, by_user: bool = False) -> int:
        """Return the time in ms until the next window if this one is used up, else 0."""
        return max(0, self._closed.get(((app, lane, by_user), pace), 0) - self.clock())
