"""Sublanes as an environment sees them: it tells the fleet of answered users, and asks for the breaker."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Protocol

from fanfare.domain.breaker import WINDOW_MS
from fanfare.domain.doubt import HOUR_MS
from fanfare.pipeline.lanes.pauses import KEPT_MS
from fanfare.runtime.clock import Clock
from fanfare.store import sublanes
from fanfare.store.row import REFUSED

TELL_FROM_USERS = 500
TELL_AFTER_MS = 60_000
WORTH_TELLING = 10
"""With fewer users than this there is nothing to weigh doubtful answers against: they are not told alone."""

type _Sublane = tuple[str, str]
"""App and sublane."""


class TokenAnswer(Protocol):
    """One answer of a network about a device token, or the lack of one."""

    @property
    def user(self) -> str: ...
    @property
    def sublane(self) -> str: ...
    @property
    def at(self) -> int:
        """The moment of the send, epoch ms."""

    @property
    def speaks_of_token(self) -> bool:
        """True if the network judged the token."""

    @property
    def doubtful(self) -> bool: ...
    @property
    def handed_over(self) -> bool: ...


@dataclass(slots=True)
class _Untold:
    since: int
    users: set[str] = field(default_factory=set)


@dataclass(slots=True)
class SublaneWatch:
    """Answers are told in hundreds, after a minute, or before the first doubtful answer goes to purge, which
    weighs it against them.
    """

    clock: Clock
    _untold: dict[_Sublane, _Untold] = field(default_factory=dict)
    _finest: dict[_Sublane, tuple[int, int]] = field(default_factory=dict)
    """The minute, and the finest level of its sketch that had room."""
    _handed: dict[_Sublane, int] = field(default_factory=dict)
    """The hour for which a hand-over is noted."""
    _recent: dict[_Sublane, tuple[int, bool]] = field(default_factory=dict)
    """Moment of the last look at the breaker, and its state."""
    _telling: Lock = field(default_factory=Lock)

    def breaker_open(self, app: str, sublane: str) -> bool:
        """True if the sublane's breaker was open at most KEPT_MS ago."""
        now = self.clock()
        read_at, is_open = self._recent.get((app, sublane), (0, False))
        if now - read_at >= KEPT_MS:
            try:
                is_open = sublanes.answers(app, sublane, now).breaker_open
            except REFUSED:  # purge looks again, in any case
                return False
            self._recent[app, sublane] = (now, is_open)
        return is_open

    def saw(self, app: str, sent: Sequence[TokenAnswer]) -> None:
        """Take note of an attempt's answers. Silences and faults tell nothing about device tokens."""
        by_sublane: dict[str, list[TokenAnswer]] = {}
        for one in sent:
            if one.speaks_of_token:
                by_sublane.setdefault(one.sublane, []).append(one)
        with self._telling:
            for sublane, some in by_sublane.items():
                self._note_hand_over(app, sublane, some)
                self._count(app, sublane, some)

    def _note_hand_over(self, app: str, sublane: str, some: Sequence[TokenAnswer]) -> None:
        """Note a hand-over once for each hour: without this evidence no second strike deletes anything."""
        hours: dict[int, dict[str, None]] = {}
        for one in some:
            if one.handed_over:
                hours.setdefault(one.at // HOUR_MS, {})[one.user] = None
        for hour, users in hours.items():
            if self._handed.get((app, sublane), -1) < hour:
                sublanes.handed_over(app, sublane, list(users), hour * HOUR_MS)
                self._handed[app, sublane] = hour

    def _count(self, app: str, sublane: str, some: Sequence[TokenAnswer]) -> None:
        now = self.clock()
        untold = self._untold.get((app, sublane))
        if untold is not None and now - untold.since >= TELL_AFTER_MS:
            if len(untold.users) >= WORTH_TELLING and now - untold.since < WINDOW_MS:
                self._tell(app, sublane, untold.users, untold.since)
            untold = None
        if untold is None:
            untold = self._untold[app, sublane] = _Untold(since=now)
        untold.users.update(one.user for one in some)
        doubted = any(one.doubtful for one in some)
        if doubted or len(untold.users) >= TELL_FROM_USERS:
            self._tell(app, sublane, untold.users, now)
            self._untold[app, sublane] = _Untold(since=now)

    def _tell(self, app: str, sublane: str, users: set[str], at: int) -> None:
        minute = at // 60_000
        known, finest = self._finest.get((app, sublane), (minute, 0))
        finest = sublanes.add_answered(app, sublane, users, at, finest if known == minute else 0)
        self._finest[app, sublane] = (minute, finest)
