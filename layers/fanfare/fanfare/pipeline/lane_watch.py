"""What an environment knows of the lanes between deliveries: pauses kept for seconds, answers untold."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from fanfare.domain.outcome import OutcomeKind
from fanfare.domain.policy import PAUSE_MS
from fanfare.pipeline.sending import Sent
from fanfare.runtime import logs, metrics
from fanfare.runtime.clock import Clock
from fanfare.store import lanes
from fanfare.store.lanes import Answers

KEPT_MS = 5_000
TELL_FROM_ANSWERS = 500
TELL_AFTER_MS = 60_000

type _Lane = tuple[str, str]
"""App and lane."""


@dataclass(slots=True)
class _Untold:
    since: int
    answers: Answers = field(default_factory=lambda: Answers(0, 0))


@dataclass(slots=True)
class LaneWatch:
    """Answers are told to the fleet with the first doubtful proof among them, in hundreds, or after a minute.

    A doubtful proof is told before it is sent to purge: purge then knows what it has to weigh it against.
    """

    clock: Clock
    _pauses: dict[_Lane, tuple[int, int]] = field(default_factory=dict)
    _untold: dict[_Lane, _Untold] = field(default_factory=dict)

    def paused_until(self, app: str, lane: str) -> int:
        """Epoch ms, as read at most KEPT_MS ago."""
        read_at, until = self._pauses.get((app, lane), (0, 0))
        now = self.clock()
        if now - read_at >= KEPT_MS:
            until = lanes.paused_until(app, lane)
            self._pauses[app, lane] = (now, until)
        return until

    def saw(self, app: str, sent: Sequence[Sent]) -> None:
        """Take note of an attempt's outcomes; pause the lanes whose credential was refused."""
        for lane in {one.lane for one in sent if one.lane is not None}:
            mine = [one.outcome for one in sent if one.lane == lane]
            refused = [one for one in mine if one.kind is OutcomeKind.PAUSE_ALARM_CREDENTIAL]
            if refused:
                self._pause(app, lane, refused[0].reason)
            self._count(app, lane, Answers(len(mine), sum(one.doubtful for one in mine)))

    def _pause(self, app: str, lane: str, why: str) -> None:
        now = self.clock()
        lanes.pause(app, lane, now + PAUSE_MS, why)
        self._pauses[app, lane] = (now, now + PAUSE_MS)
        metrics.count("LanePaused")
        logs.logger().error("a lane is paused", extra={"app": app, "lane": lane, "why": why})

    def _count(self, app: str, lane: str, new: Answers) -> None:
        now = self.clock()
        untold = self._untold.setdefault((app, lane), _Untold(since=now))
        untold.answers = Answers(untold.answers.all + new.all, untold.answers.doubtful + new.doubtful)
        enough = untold.answers.all >= TELL_FROM_ANSWERS or now - untold.since >= TELL_AFTER_MS
        if untold.answers.all and (untold.answers.doubtful or enough):
            lanes.add_answers(app, lane, untold.answers, now)
            self._untold[app, lane] = _Untold(since=now)
