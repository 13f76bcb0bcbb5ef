"""What an environment knows of the lanes between deliveries: pauses kept for seconds, answers untold."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from fanfare.domain import breaker
from fanfare.domain.outcome import OutcomeKind
from fanfare.domain.policy import PAUSE_MS
from fanfare.pipeline.sending import Sent
from fanfare.runtime import logs, metrics
from fanfare.runtime.clock import Clock
from fanfare.store import lanes
from fanfare.store.lanes import Answers

KEPT_MS = 5_000
TELL_FROM_ANSWERS = 500
KEPT_UNTOLD_MS = 60_000
"""Answers that nobody was told of for so long are forgotten: as answers of now they would hide a mistake."""

type _Lane = tuple[str, str]
"""App and lane."""


@dataclass(slots=True)
class _Untold:
    since: int
    answers: Answers = field(default_factory=lambda: Answers(0, 0))


@dataclass(slots=True)
class LaneWatch:
    """Answers are told to the fleet in hundreds, or with the first doubtful proof among them.

    A doubtful proof is told before it is sent to purge: purge then knows what it has to weigh it against.
    """

    clock: Clock
    _pauses: dict[_Lane, tuple[int, int]] = field(default_factory=dict)
    _breakers: dict[_Lane, tuple[int, bool]] = field(default_factory=dict)
    _untold: dict[_Lane, _Untold] = field(default_factory=dict)

    def paused_until(self, app: str, lane: str) -> int:
        """Epoch ms, as read at most KEPT_MS ago."""
        read_at, until = self._pauses.get((app, lane), (0, 0))
        now = self.clock()
        if now - read_at >= KEPT_MS:
            until = lanes.paused_until(app, lane)
            self._pauses[app, lane] = (now, until)
        return until

    def breaker_open(self, app: str, lane: str) -> bool:
        """Whether the lane's proofs come too thick to be true, as read at most KEPT_MS ago."""
        read_at, is_open = self._breakers.get((app, lane), (0, False))
        now = self.clock()
        if now - read_at >= KEPT_MS:
            answers = lanes.recent_answers(app, lane, now)
            is_open = breaker.tripped(answers.all, answers.doubtful)
            self._breakers[app, lane] = (now, is_open)
        return is_open

    def saw(self, app: str, sent: Sequence[Sent]) -> None:
        """Take note of an attempt's outcomes; pause the lanes whose credential was refused."""
        for lane in {one.lane for one in sent if one.lane is not None}:
            mine = [one for one in sent if one.lane == lane]
            refused = [one for one in mine if one.outcome.kind is OutcomeKind.PAUSE_ALARM_CREDENTIAL]
            if refused:
                self._pause(app, lane, refused[0].outcome.reason)
            answered = [one for one in mine if one.answered]
            self._count(app, lane, Answers(len(answered), sum(one.outcome.doubtful for one in answered)))

    def _pause(self, app: str, lane: str, why: str) -> None:
        now = self.clock()
        lanes.pause(app, lane, now + PAUSE_MS, why)
        self._pauses[app, lane] = (now, now + PAUSE_MS)
        metrics.count("LanePaused")
        logs.logger().error("a lane is paused", extra={"app": app, "lane": lane, "why": why})

    def _count(self, app: str, lane: str, new: Answers) -> None:
        now = self.clock()
        untold = self._untold.get((app, lane))
        if untold is None or now - untold.since >= KEPT_UNTOLD_MS:
            untold = self._untold[app, lane] = _Untold(since=now)
        untold.answers = Answers(untold.answers.all + new.all, untold.answers.doubtful + new.doubtful)
        if untold.answers.doubtful or untold.answers.all >= TELL_FROM_ANSWERS:
            lanes.add_answers(app, lane, untold.answers, now)
            self._untold[app, lane] = _Untold(since=now)
