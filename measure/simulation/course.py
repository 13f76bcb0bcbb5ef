"""A send in steps of a tenth of a second: its cuts, reads and pushes, and the causes of its waits."""

from collections import defaultdict
from dataclasses import dataclass, field
from math import ceil, inf

from fanfare.domain.push import Pace as Queue
from measure.simulation import limits
from measure.simulation.bounds import Bounds, Speeds
from measure.simulation.plan import Plan
from measure.simulation.supply import LONG, Environments, Reads, Window
from measure.simulation.waiting import WaitingRecipients

STEP_S = 0.1


@dataclass(frozen=True, slots=True)
class Course:
    """Seconds are from the accepted send. `spans`: the cause of each wait, and its beginning."""

    first_s: float
    """When the first invocation ends, at the latest."""
    half_s: float
    most_s: float
    """Nine in ten pushes are handed over."""
    last_s: float
    spans: tuple[tuple[float, str], ...]
    deliver_environments: float
    fanout_environments: float
    again: float
    """Recipients on arcs that were read once more."""
    postponed: float
    """Recipients of deliveries that were put off unread."""
    requeued: float
    """Recipients of deliveries that went into the queue once more."""
    waits: int
    dead: float
    """Recipients with FCM devices that ended as dead letters."""
    idle_s: float
    """Seconds of environments that waited for the next window, all together."""


@dataclass(slots=True)
class _Run:
    plan: Plan
    pace: Speeds
    bounds: Bounds
    fcm: float
    """The share of recipients that are reached through FCM; the others through APNs, which has no quota."""
    now: float = 0.0
    step: int = 0
    coarse: list[float] = field(default_factory=list)
    fresh: float = 0.0
    ready: defaultdict[int, float] = field(default_factory=lambda: defaultdict(float))
    """Recipients of deliveries that came again, by how often they waited."""
    unaware: float = 0.0
    """Recipients that environments will still read in vain in this window: each learns of its end by one
    refused batch."""
    busy: float = 0.0
    """Environments of deliver that were at work at once in this window."""
    handed: float = 0.0
    again: float = 0.0
    postponed: float = 0.0
    requeued: float = 0.0
    held: float = 0.0
    """Devices on FCM that environments have read, and hold until the next window begins."""
    idle_s: float = 0.0
    marks: list[float] = field(default_factory=list)
    spans: list[tuple[float, str]] = field(default_factory=list)
    fanout: Environments = field(init=False)
    deliver: Environments = field(init=False)
    tables: dict[str, Reads] = field(init=False)
    window: Window = field(init=False)
    waiting: WaitingRecipients = field(init=False)

    def __post_init__(self) -> None:
        self.fanout = Environments(self.bounds.fanout, self.pace.fanout_start_s)
        self.deliver = Environments(self.bounds.deliver, self.pace.deliver_start_s)
        self.tables = {table: Reads() for table in self.pace.reads}
        self.window = Window(self.bounds.fcm_per_minute * limits.QUOTA_WINDOW_S / 60)
        self.waiting = WaitingRecipients(STEP_S)

    @property
    def invocations(self) -> int:
        return ceil(self.plan.deliveries / self.bounds.batch)

    @property
    def invocation_s(self) -> float:
        return self.plan.recipients / self.invocations * self.pace.recipient_s

    @property
    def waited_out(self) -> bool:
        """True if environments wait for the next window; those of small sends serve others meanwhile."""
        return self.plan.pace is Queue.BULK and self.window.waited_for(self.now)

    def begin(self) -> None:
        self.step = ceil(self.pace.dispatch_s / STEP_S)
        self.now = self.step * STEP_S
        if self.plan.levels:
            self.coarse = [0.0] * len(self.plan.levels)
            self.coarse[0] = float(self.plan.dispatched)
            self.fanout.began = self.now
        else:
            self.fresh, self.deliver.began = float(self.plan.recipients), self.now + self.bounds.window_s

    def over(self) -> bool:
        return not (self.fresh or self.held or any(self.coarse) or any(self.ready.values()) or self.waiting)

    def advance(self) -> None:
        if self.window.at(self.now):
            # While first deliveries are there, it is one of these that tells an environment.
            blind = 0.0 if self.fresh else self.busy
            self.unaware, self.busy = blind * self.bounds.batch * self.plan.on_arc, 0.0
            held, self.held = self.held, 0.0
            self._refused(held - self._hand(held), 0)
        self._cut()
        for waits, recipients in self.waiting.come(self.step).items():
            self.ready[waits] += recipients
        self._note(self._deliver())
        for mark in (0.0, 0.5, 0.9)[len(self.marks) :]:
            if self.handed > mark * self.plan.recipients:
                self.marks.append(self.now if mark == 0 else self.now + STEP_S)
        self.step += 1
        self.now = self.step * STEP_S

    def _cut(self) -> None:
        """Fanout takes coarse arcs in the order in which they came."""
        waiting = sum(self.coarse)
        if not waiting:
            return
        environments = min(self.fanout.ready(self.now), self.plan.fanout_messages)
        self.fanout.use(environments)
        seconds = environments * STEP_S
        for depth, level in enumerate(self.plan.levels):
            message_s = level.batches * self.pace.fanout_batch_s
            done = min(self.coarse[depth], seconds / message_s if message_s else inf)
            seconds -= done * message_s
            self.coarse[depth] = self.coarse[depth] - done if self.coarse[depth] - done > LONG else 0.0
            if depth + 1 < len(self.plan.levels):
                self.coarse[depth + 1] += done * level.children
            elif done:
                self.fresh += done * level.children * self.plan.on_arc
                if self.deliver.began is None:
                    self.deliver.began = self.now + self.bounds.window_s

    def _deliver(self) -> str:
        """Return the cause of the send's wait in this step."""
        self._put_off()
        wanted = self.fresh + sum(self.ready.values())
        if not wanted:
            return "FCM's quota" if self.waiting else "fanout"
        environments = min(self.deliver.ready(self.now), self.invocations)
        if self.waited_out:
            self.idle_s += min(environments, ceil(wanted * self.pace.recipient_s / STEP_S)) * STEP_S
            return "FCM's quota"
        rooms = {self._deliver_bound(): environments * STEP_S / self.pace.recipient_s}
        for table, units in self.pace.reads.items():
            rooms[f"reads of {table}"] = self.tables[table].at(self.now) * STEP_S / units if units else inf
        bound = min(rooms, key=lambda one: rooms[one])
        taken = min(wanted, rooms[bound])
        at_work = min(environments, ceil(taken * self.pace.recipient_s / STEP_S))
        self.deliver.use(at_work)
        self.busy = max(self.busy, at_work)
        for table, units in self.pace.reads.items():
            self.tables[table].use(taken * units / STEP_S)
        again = wanted > self.fresh
        self._send(taken / wanted)
        if any(self.coarse) and taken == wanted:
            return "fanout"
        return bound if self.fresh or not (again or self.waiting) else "FCM's quota"

    def _deliver_bound(self) -> str:
        ready = self.deliver.ready(self.now)
        if not ready:
            return "start of environments"
        if ready >= self.invocations:
            return "deliver's work"
        return "concurrency of deliver" if ready >= self.bounds.deliver else "growth of pollers"

    def _put_off(self) -> None:
        """While the window is known to be used up, returning devices wait again, and nothing is read."""
        if self.window.left or self.waited_out:
            return
        for waits, recipients in list(self.ready.items()):
            read = min(recipients, self.unaware)
            self.unaware -= read
            self.ready[waits] = read
            self.postponed += recipients - read
            self._wait(recipients - read, waits + 1)

    def _send(self, part: float) -> None:
        """Send to that part of the devices that are there."""
        first = self.fresh * part
        self.fresh = self.fresh - first if part < 1 else 0.0
        self.handed += first * (1 - self.fcm)
        self._refused(first * self.fcm - self._hand(first * self.fcm), 0)
        for waits, recipients in list(self.ready.items()):
            mine = recipients * part
            self.ready[waits] = recipients - mine if part < 1 else 0.0
            self.again += mine
            self._refused(mine * self.fcm - self._hand(mine * self.fcm), waits)

    def _hand(self, devices: float) -> float:
        """To FCM, as far as the window has room; how many."""
        granted = self.window.take(devices)
        self.handed += granted
        return granted

    def _refused(self, devices: float, waited: int) -> None:
        """FCM's devices for which the window had no room."""
        if devices <= LONG:
            return
        if self.waited_out:
            self.held += devices
        else:
            self._wait(devices / self.fcm, waited + 1)

    def _wait(self, recipients: float, waits: int) -> None:
        if recipients > LONG:
            self.requeued += recipients
            self.waiting.wait(recipients, waits, self.now, self.window.ends - self.now)

    def _note(self, binding: str) -> None:
        if not self.spans or self.spans[-1][1] != binding:
            self.spans.append((self.now, binding))


def course(plan: Plan, pace: Speeds, bounds: Bounds, fcm: float) -> Course:
    run = _Run(plan, pace, bounds, fcm, spans=[(0.0, "dispatch")])
    run.begin()
    while not run.over():
        run.advance()
    begun, half, most = (*run.marks, *[run.now] * (3 - len(run.marks)))
    first = min(begun + run.invocation_s, run.now)
    return Course(
        first_s=first,
        half_s=max(first, half),
        most_s=max(first, most),
        last_s=run.now,
        spans=tuple(run.spans),
        deliver_environments=run.deliver.reached,
        fanout_environments=run.fanout.reached,
        again=run.again,
        postponed=run.postponed,
        requeued=run.requeued,
        waits=run.waiting.most,
        dead=run.waiting.dead,
        idle_s=run.idle_s,
    )
