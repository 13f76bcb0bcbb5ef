"""Every device that a delivery found is counted exactly once, in all courses of its attempts."""

from collections import Counter
from dataclasses import dataclass, replace

from hypothesis import given
from hypothesis import strategies as st

from fanfare.domain.addressee import Addressee
from fanfare.domain.content import Content, FcmContent, of_message
from fanfare.domain.device import Device, Environment
from fanfare.domain.outcome.consequence import Outcome, OutcomeKind
from fanfare.domain.push import Delivery, Push
from fanfare.domain.retry_state import DIGEST_BYTES, OpenGroup
from fanfare.pipeline.deliver import attempt
from fanfare.pipeline.deliver.devices import Sent, Share, Waiting
from fanfare.store.ledger import Lease, State

DEVICES = [Addressee(f"u{number}", Device.fcm(f"t{number}"), Environment.PRODUCTION) for number in range(6)]
MAX_TRIES = 3
LANE = "lane"
BESIDE = {"possibly_doubled"}
"""Counts that tell more of devices that are counted elsewhere."""

OUTCOMES = [
    Outcome(kind=OutcomeKind.DELIVERED, reason="ok"),
    Outcome(kind=OutcomeKind.PURGE_TOKEN, reason="Unregistered"),
    Outcome(kind=OutcomeKind.DROP_PAYLOAD_ERROR, reason="too_large"),
    Outcome(kind=OutcomeKind.RETRY_AFTER_DELAY, reason="busy"),
    Outcome(kind=OutcomeKind.RETRY_AFTER_DELAY, reason="timeout", unknown=True),
    Outcome(kind=OutcomeKind.RETRY_AFTER_DELAY, reason="paused", spends_attempt=False),
    Outcome(kind=OutcomeKind.PAUSE_ALARM_CREDENTIAL, reason="refused"),
    Outcome(kind=OutcomeKind.SUSPECT, reason="BadDeviceToken"),
    Outcome(kind=OutcomeKind.RETRY_AFTER_DELAY, reason="old_410", outlived=True, whole_lane=False),
]


@dataclass(slots=True)
class Row:
    """The state of the delivery that the ledger keeps between attempts."""

    delivery: Delivery
    counts: Counter[str]
    open: tuple[OpenGroup, ...] | None = None
    state: State = State.OPEN
    takes: int = 0
    ends: int = 0
    killed: int = 0
    killed_before: int = 0

    def lease(self) -> Lease:
        self.takes += 1
        return Lease(
            delivery=self.delivery,
            claim="",
            open=self.open,
            counts=self.counts,
            failures=(),
            takes=self.takes,
            ends=self.ends,
            killed=self.killed,
            killed_before=self.killed_before,
        )

    def end(self, lease: Lease, result: attempt.Result) -> None:
        self.killed += lease.retakes
        self.ends = self.takes
        self.counts, self.open, self.state = result.counts, tuple(result.groups), result.state
        match result.state:
            case State.OPEN:
                following = attempt.next_attempt(self.delivery, result.groups, MAX_TRIES, ())
                self.delivery = replace(following, not_before=0)
            case State.DEAD:
                self.killed_before = self.killed
                self.delivery = self.delivery.next_round()

    @property
    def accounted(self) -> int:
        left = sum(len(group.digests) for group in self.open or ()) // DIGEST_BYTES
        counted = sum(count for name, count in self.counts.items() if name not in BESIDE)
        return left + counted


PUSH = Push(
    app="a",
    id="m",
    payloads=of_message("m", "a", Content(fcm=FcmContent(data={"k": "v"})), topic=None, sender=None, at=0),
    at=0,
    user="u",
)
EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["answers", "killed", "given_up"]),
        st.sets(st.integers(0, len(DEVICES) - 1)),
        st.lists(st.sampled_from([*OUTCOMES, None]), min_size=len(DEVICES), max_size=len(DEVICES)),
        st.sampled_from([frozenset(), frozenset({LANE})]),
        st.booleans(),
    ),
    max_size=12,
)
"""Events of an attempt: devices that are gone or have moved, answers (None:
the lane rests), lanes that a probe finds down, and the state of the breaker."""


@given(EVENTS)
def test_the_counts_and_the_open_devices_are_the_devices_that_were_found(
    events: list[tuple[str, set[int], list[Outcome | None], frozenset[str], bool]],
) -> None:
    row = Row(Delivery(push=PUSH), Counter())
    found_first: int | None = None
    now = 0
    for name, gone, answers, down, breaker_open in events:
        if row.state is State.DONE:
            break
        now += 100_000_000
        there = [one for number, one in enumerate(DEVICES) if number not in gone]
        lease = row.lease()
        if name == "killed":
            continue
        gathered = attempt.audience(lease, there, now=now, max_tries=MAX_TRIES)
        if lease.open is None:
            found_first = len(there)
        if name == "given_up":
            row.end(lease, attempt.given_up(lease, gathered, MAX_TRIES))
        else:
            share = Share([], [], down)
            for due in gathered.due:
                outcome = answers[DEVICES.index(due.addressee)]
                if outcome is None:
                    share.waiting.append(Waiting(due, 1_000, "paused", LANE))
                else:
                    share.sent.append(Sent(due, outcome, LANE, now, breaker_open=breaker_open))
            row.end(lease, attempt.result(lease, gathered, share, now=now, max_tries=MAX_TRIES))
        assert row.accounted == found_first
