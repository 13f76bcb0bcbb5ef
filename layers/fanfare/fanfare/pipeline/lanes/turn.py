"""The lanes as an environment knows them between deliveries: pauses, quota, and their sublanes."""

from collections.abc import Container, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import Protocol

from fanfare.domain import lane_health
from fanfare.domain.outcome.consequence import Outcome, OutcomeKind
from fanfare.domain.push import Pace
from fanfare.pipeline.lanes.evidence import SublaneWatch, TokenAnswer
from fanfare.pipeline.lanes.pauses import Admission, LanePauses
from fanfare.pipeline.lanes.quota import PATIENCE_MS, Quota
from fanfare.runtime import logs, metrics
from fanfare.runtime.clock import Clock
from fanfare.store.row import REFUSED

NO_QUOTA = 2**53


class Seen(Protocol):
    """A device of an attempt: its lane, and its outcome if the network was asked."""

    @property
    def lane(self) -> str | None: ...
    @property
    def outcome(self) -> Outcome | None: ...


class SentOnLane(Seen, TokenAnswer, Protocol):
    pass


@dataclass(slots=True)
class LaneWatch:
    """State of all lanes of all apps that the environment serves."""

    clock: Clock
    fcm_quota_per_minute: int = NO_QUOTA
    _pauses: LanePauses = field(init=False)
    _quota: Quota = field(init=False)
    _sublanes: SublaneWatch = field(init=False)
    _telling: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self._pauses = LanePauses(self.clock)
        self._quota = Quota(self.clock, self.fcm_quota_per_minute)
        self._sublanes = SublaneWatch(self.clock)

    def wait_ms(self, app: str, lane: str, pace: Pace, *, by_user: bool = False) -> int:
        """Return the time, in ms, in which a search for the lane's devices would be of no use."""
        quota_ms = self._quota.wait_ms(app, lane, pace, by_user=by_user)
        near = pace is Pace.BULK and quota_ms <= PATIENCE_MS
        return max(self._pauses.wait_ms(app, lane), 0 if near else quota_ms)

    def admit(self, app: str, lane: str) -> Admission:
        return self._pauses.admit(app, lane)

    def probed(self, app: str, lane: str, outcome: Outcome) -> bool:
        """Open or pause the lane for the fleet by the outcome of a probe; return True if the lane answers."""
        with self._telling:
            why = lane_health.after_probe(outcome, self._pauses.failed_probes(app, lane) or 0)
            try:
                if why is None:
                    self._pauses.alive(app, lane)
                else:
                    self._pauses.stop(app, lane, why, probed=True)
            except REFUSED:  # that the lane is open is told once more when the attempt has ended
                logs.logger().exception("a probe is not told", extra={"app": app, "lane": lane})
            return why is None

    def untried(self, app: str, lane: str) -> None:
        """Give back a probe that was not made."""
        with self._telling, suppress(*REFUSED):  # then the fleet waits for it half a minute
            self._pauses.give_back(app, lane)

    def is_paused(self, app: str, lane: str) -> bool:
        """Return True if this environment or another has paused the lane by now."""
        with self._telling:
            try:
                return self._pauses.is_paused(app, lane)
            except REFUSED:  # then a probe says whether it should be
                return False

    def put_on_trial(self, app: str, lane: str, why: str) -> None:
        """Let nothing be sent on the lane before a probe."""
        with self._telling:
            try:
                self._pauses.put_on_trial(app, lane, why)
            except REFUSED:  # the next attempt finds out for itself
                logs.logger().exception("a lane is not put on trial", extra={"app": app, "lane": lane})

    def grant(
        self, app: str, lane: str, wanted: int, pace: Pace, *, by_user: bool = False
    ) -> tuple[int, int]:
        """Return the number of pushes that the lane's quota has room for, and the wait of the rest, in ms."""
        granted = self._quota.grant(app, lane, wanted, pace, by_user=by_user)
        return granted, self._quota.wait_ms(app, lane, pace, by_user=by_user)

    def breaker_open(self, app: str, sublane: str) -> bool:
        """Return True if so many users get doubtful answers that a mistake of ours is the likely cause."""
        return self._sublanes.breaker_open(app, sublane)

    def saw(
        self, app: str, sent: Sequence[SentOnLane], waiting: Sequence[Seen], down: Container[str] = ()
    ) -> None:
        """Take note of attempts: pause the lanes that are refused or out of reach.

        `down`: the lanes that are paused already.
        """
        with self._telling:
            self._saw(app, sent, waiting, down)
        self._sublanes.saw(app, sent)

    def _saw(
        self, app: str, sent: Sequence[SentOnLane], waiting: Sequence[Seen], down: Container[str]
    ) -> None:
        seen: list[Seen] = [*sent, *waiting]
        for lane in {one.lane for one in seen if one.lane is not None}:
            outcomes = [one.outcome for one in seen if one.lane == lane and one.outcome is not None]
            why = None if lane in down else lane_health.stop(outcomes)
            if why is not None:
                self._pauses.stop(app, lane, why, probed=False)
                continue
            if lane_health.alive(outcomes):
                self._pauses.alive(app, lane)
            refused = sum(one.kind is OutcomeKind.PAUSE_ALARM_CREDENTIAL for one in outcomes)
            if refused:
                metrics.count("DevicesRefused", refused)
