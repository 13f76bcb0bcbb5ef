"""What an environment knows of the lanes between deliveries: pauses, quota, breaker, answers untold."""

from collections.abc import Container, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock

from fanfare.domain import breaker, outage
from fanfare.domain.outcome import Outcome, OutcomeKind
from fanfare.domain.push import Pace
from fanfare.pipeline.lane_pauses import KEPT_MS, Admission, LanePauses
from fanfare.pipeline.quota import PATIENCE_MS, Quota
from fanfare.pipeline.sent import Sent, Waiting
from fanfare.runtime import logs, metrics
from fanfare.runtime.clock import Clock
from fanfare.store import lanes
from fanfare.store.lanes import Answers
from fanfare.store.row import REFUSED

TELL_FROM_ANSWERS = 500
KEPT_UNTOLD_MS = 60_000
"""Answers that nobody was told of for so long are forgotten: as answers of now they would hide a mistake."""

NO_QUOTA = 2**53

_NONE = Answers(0, 0)

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
    fcm_quota_per_minute: int = NO_QUOTA
    _pauses: LanePauses = field(init=False)
    _quota: Quota = field(init=False)
    _recent: dict[_Lane, tuple[int, Answers]] = field(default_factory=dict)
    """When it was read, and what the fleet was answered."""
    _untold: dict[_Lane, _Untold] = field(default_factory=dict)
    _telling: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self._pauses = LanePauses(self.clock)
        self._quota = Quota(self.clock, self.fcm_quota_per_minute)

    def wait_ms(self, app: str, lane: str, pace: Pace, *, by_user: bool = False) -> int:
        """How long there is no use in looking for the lane's devices."""
        quota_ms = self._quota.wait_ms(app, lane, pace, by_user=by_user)
        near = pace is Pace.BULK and quota_ms <= PATIENCE_MS
        return max(self._pauses.wait_ms(app, lane), 0 if near else quota_ms)

    def admit(self, app: str, lane: str) -> Admission:
        return self._pauses.admit(app, lane)

    def came_through(self, app: str, lane: str, outcomes: Sequence[Outcome]) -> bool:
        """Whether the probe of a lane on trial did. The fleet is told, and need not wait for all else."""
        with self._telling:
            if not outage.alive(outcomes, hopeless=self._hopeless(app, lane)):
                return False
            try:
                self._pauses.alive(app, lane)
            except REFUSED:  # it is told once more when the attempt has ended
                logs.logger().exception("an open lane is not told", extra={"app": app, "lane": lane})
            return True

    def untried(self, app: str, lane: str) -> None:
        """Who was admitted for a probe made none."""
        with self._telling, suppress(*REFUSED):  # then the fleet waits for it half a minute
            self._pauses.give_back(app, lane)

    def grant(
        self, app: str, lane: str, wanted: int, pace: Pace, *, by_user: bool = False
    ) -> tuple[int, int]:
        """How many of so many pushes the lane's quota has room for, and how long the rest waits, in ms."""
        granted = self._quota.grant(app, lane, wanted, pace, by_user=by_user)
        return granted, self._quota.wait_ms(app, lane, pace, by_user=by_user)

    def breaker_open(self, app: str, lane: str) -> bool:
        """Whether the lane's proofs come too thick to be true, as read at most KEPT_MS ago."""
        if self._pauses.hopeless(app, lane):
            return True
        read_at, answers = self._recent.get((app, lane), (0, _NONE))
        now = self.clock()
        if now - read_at >= KEPT_MS:
            try:
                answers = lanes.recent_answers(app, lane, now)
            except REFUSED:  # purge looks again, in any case
                return False
            self._recent[app, lane] = (now, answers)
        return breaker.tripped(answers.all, answers.doubtful)

    def saw(
        self, app: str, sent: Sequence[Sent], waiting: Sequence[Waiting], down: Container[str] = ()
    ) -> None:
        """Take note of attempts: pause the lanes that are down or refused, open those that answer again.

        `down`: the lanes that a probe of theirs found so.
        """
        with self._telling:
            self._saw(app, sent, waiting, down)

    def _saw(self, app: str, sent: Sequence[Sent], waiting: Sequence[Waiting], down: Container[str]) -> None:
        for lane in {one.lane for one in sent if one.lane is not None}:
            mine = [one for one in sent if one.lane == lane]
            answered = [one for one in mine if one.answered]
            self._count(app, lane, Answers(len(answered), sum(one.outcome.doubtful for one in answered)))
        seen: list[Sent | Waiting] = [*sent, *waiting]
        for lane in {one.lane for one in seen if one.lane is not None}:
            outcomes = [one.outcome for one in seen if one.lane == lane and one.outcome is not None]
            probed = lane in down
            hopeless = any(one.doubtful for one in outcomes) and self._hopeless(app, lane)
            failed_probes = self._pauses.failed_probes(app, lane) if probed else None
            why = outage.stop(outcomes, failed_probes, hopeless=hopeless)
            if why is not None:
                self._pauses.stop(app, lane, why, probed=probed)
                continue
            if outage.alive(outcomes, hopeless=hopeless):
                self._pauses.alive(app, lane)
            refused = sum(one.kind is OutcomeKind.PAUSE_ALARM_CREDENTIAL for one in outcomes)
            if refused:
                metrics.count("DevicesRefused", refused)

    def _hopeless(self, app: str, lane: str) -> bool:
        """As the lane's pause and what `breaker_open` last read say."""
        if self._pauses.hopeless(app, lane):
            return True
        read_at, answers = self._recent.get((app, lane), (0, _NONE))
        of_now = self.clock() - read_at < breaker.WINDOW_MS
        return of_now and breaker.hopeless(answers.all, answers.doubtful)

    def _count(self, app: str, lane: str, new: Answers) -> None:
        now = self.clock()
        untold = self._untold.get((app, lane))
        if untold is None or now - untold.since >= KEPT_UNTOLD_MS:
            untold = self._untold[app, lane] = _Untold(since=now)
        untold.answers = Answers(untold.answers.all + new.all, untold.answers.doubtful + new.doubtful)
        if untold.answers.doubtful or untold.answers.all >= TELL_FROM_ANSWERS:
            lanes.add_answers(app, lane, untold.answers, now)
            self._untold[app, lane] = _Untold(since=now)
