"""Pauses of lanes, as one environment knows them, and the probes that it has out."""

import random
from dataclasses import dataclass, field

from fanfare.domain.lane_health import PROBE_MS, Stop
from fanfare.domain.verdict import JITTER
from fanfare.runtime import logs, metrics
from fanfare.runtime.clock import Clock
from fanfare.store import lanes
from fanfare.store.lanes import Pause

KEPT_MS = 5_000

type _Lane = tuple[str, str]
"""App and lane."""


@dataclass(frozen=True, slots=True)
class Admission:
    """The answer to an attempt that wants to send on a lane. With `probe` it has to send a probe first."""

    wait_ms: int = 0
    probe: bool = False


GO = Admission()


@dataclass(slots=True)
class LanePauses:
    clock: Clock
    _known: dict[_Lane, tuple[int, Pause | None]] = field(default_factory=dict)
    """Moment of the last read, and its result."""
    _probing: dict[_Lane, Pause] = field(default_factory=dict)

    def wait_ms(self, app: str, lane: str) -> int:
        """Return the rest of the pause in ms, as read at most KEPT_MS ago."""
        pause = self._pause(app, lane)
        return 0 if pause is None else max(0, pause.until - self.clock())

    def admit(self, app: str, lane: str) -> Admission:
        pause = self._pause(app, lane)
        if pause is None:
            return GO
        now = self.clock()
        if pause.until > now:
            return Admission(pause.until - now)
        held = lanes.take_probe(app, lane, pause, now + PROBE_MS)
        if held is None:
            self._known.pop((app, lane), None)
            return Admission(max(1, self.wait_ms(app, lane)))
        self._known[app, lane] = (now, held)
        self._probing[app, lane] = held
        return Admission(probe=True)

    def failed_probes(self, app: str, lane: str) -> int | None:
        """Return the number of failed probes before this environment's own; None if it makes none."""
        held = self._held(app, lane)
        return None if held is None else held.failed_probes

    def give_back(self, app: str, lane: str) -> None:
        """Give back a probe that was not made."""
        held = self._probing.pop((app, lane), None)
        if held is not None:
            self._known.pop((app, lane), None)
            lanes.give_back_probe(app, lane, held, self.clock())

    def is_paused(self, app: str, lane: str) -> bool:
        """Return True if the lane is paused now, by the table."""
        if self.wait_ms(app, lane) > 0:
            return True
        self._known.pop((app, lane), None)
        return self.wait_ms(app, lane) > 0

    def put_on_trial(self, app: str, lane: str, why: str) -> None:
        """Have the lane probed before the next send: write a pause that is over at once."""
        pause = Pause(self.clock(), why)
        lanes.pause(app, lane, pause)
        self._known[app, lane] = (pause.until, pause)

    def stop(self, app: str, lane: str, why: Stop, *, probed: bool) -> None:
        """Pause the lane for the fleet; `probed`: because a probe of this environment failed."""
        held = self._held(app, lane) if probed else None
        now = self.clock()
        until = now + int(why.pause_ms * (1 + JITTER * random.random()))
        pause = Pause(until, why.why, 0 if held is None else held.failed_probes + 1)
        lanes.pause(app, lane, pause, held)
        if held is not None:
            del self._probing[app, lane]
        self._known[app, lane] = (now, pause)
        metrics.count("LanePaused" if why.refused else "LaneDown")
        told = {"app": app, "lane": lane, "why": why.why, "failed_probes": pause.failed_probes}
        logs.logger().error("a lane is paused", extra=told)

    def alive(self, app: str, lane: str) -> None:
        """Note that the network answered: a probe that was out has come through."""
        held = self._probing.get((app, lane))
        if held is not None:
            lanes.resume(app, lane, held)
            del self._probing[app, lane]
            self._known[app, lane] = (self.clock(), None)
            logs.logger().info("a lane is open again", extra={"app": app, "lane": lane, "why": held.why})

    def _held(self, app: str, lane: str) -> Pause | None:
        """Return the probe that is out. One without a told end is forgotten: the fleet goes on without it."""
        held = self._probing.get((app, lane))
        if held is not None and held.until <= self.clock():
            del self._probing[app, lane]
            return None
        return held

    def _pause(self, app: str, lane: str) -> Pause | None:
        now = self.clock()
        read_at, pause = self._known.get((app, lane), (0, None))
        # A pause that is over is looked at again: another environment may be probing.
        over = pause is not None and read_at < pause.until <= now
        if over or now - read_at >= KEPT_MS:
            pause = lanes.pause_of(app, lane)
            self._known[app, lane] = (now, pause)
        return pause
