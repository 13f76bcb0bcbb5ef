"""A run of the clock: the send in two sizes with fresh functions, then single pushes alone and beside it."""

import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

import boto3
import requests

from local.runner.journal import Invocation
from local.waiting import NO_ANSWER_S
from measure.cost.stage import CrowdAudience, MeasuredStack
from measure.load.arrivals import Arrivals
from measure.load.delays import Kind, LargeSend, LoadFound, Memory, Phase, Single, Times, beside, taken
from measure.load.large_sends import Readers, send, settle
from measure.load.memory import peak_memory
from measure.load.probe import Probe
from operate.client import Client

SINGLES = 30
"""Single pushes of each kind, alone and beside a large send."""

REPEATS = 3
"""Large sends that the functions make once more: whether a process keeps something of each."""

_WARM_UP = 6
_TELL_EVERY = 10
KEPT = 100_000
"""Requests that the networks keep: far more than come between two looks at the arrivals."""

type Say = Callable[[str], None]


def run(stage: MeasuredStack, recipients: int, say: Say) -> LoadFound:
    """Raises Missing, Spoiled."""
    small, large = (_audience(stage, size, say) for size in (recipients // 10, recipients))
    crowd, admin = large.crowd, large.admin
    readers = settle(Client(admin.site, crowd.app, admin.app_key), admin)
    switches = {"record": {"keep": KEPT}}
    requests.post(f"{stage.values['fakes']}/switches", json=switches, timeout=NO_ANSWER_S).raise_for_status()
    with Arrivals(str(stage.values["fakes"])) as arrivals:
        memory: dict[int, Memory] = {}
        sends: list[LargeSend] = []
        for audience in (small, large):
            _start_anew(stage, readers, arrivals)
            say(f"a send to {audience.recipients:,}")
            sends.append(send(audience, arrivals, say))
            stage.rest()
            memory[audience.recipients] = peak_memory(stage.pids())
        say(f"{REPEATS} more, with the same functions")
        for _ in range(REPEATS):
            send(large, arrivals, say)
        stage.rest()
        memory[(1 + REPEATS) * recipients] = peak_memory(stage.pids())
        say("single pushes alone")
        with _probe(stage) as alone:
            singles = list(islice(_told(readers.singles(arrivals), say), 2 * SINGLES))
        say(f"single pushes beside sends to {large.recipients:,}")
        with _probe(stage) as meanwhile:
            others, more = _together(large, readers, arrivals, say)
        stage.rest()
    invocations = stage.invocations()
    return LoadFound(
        sends[0],
        sends[1],
        memory,
        _phase(singles, invocations, alone),
        _phase(beside(more, others), invocations, meanwhile),
    )


def _probe(stage: MeasuredStack) -> Probe:
    return Probe(boto3.client("dynamodb"), stage.resources["AppsTable"])


def _phase(singles: Sequence[Single], invocations: Sequence[Invocation], probe: Probe) -> Phase:
    return Phase(singles, [taken(one, invocations) for one in singles], Times.of(probe.ms))


def _audience(stage: MeasuredStack, size: int, say: Say) -> CrowdAudience:
    audience = stage.audience(size, every=1)
    say(f"{size:,} users are there")
    return audience


def _start_anew(stage: MeasuredStack, readers: Readers, arrivals: Arrivals) -> None:
    """New processes, which have served single pushes and nothing else: their peaks are the send's own."""
    stage.cool(*stage.pids())
    for _ in islice(readers.singles(arrivals), _WARM_UP):
        pass
    stage.rest()


def _together(
    audience: CrowdAudience, readers: Readers, arrivals: Arrivals, say: Say
) -> tuple[list[LargeSend], list[Single]]:
    """One large send after another, until single pushes enough were made beside them."""
    sends: list[LargeSend] = []
    failed: list[Exception] = []
    enough = threading.Event()

    def keep_sending() -> None:
        try:
            while not enough.is_set():
                sends.append(send(audience, arrivals, say))
        except Exception as error:  # noqa: BLE001 - whatever it was, it is raised below
            failed.append(error)

    sender = threading.Thread(target=keep_sending, name="large sends")
    sender.start()
    singles: list[Single] = []
    try:
        for single in _told(readers.singles(arrivals), say):
            singles.append(single)
            if failed or _enough(beside(singles, tuple(sends))):
                break
    finally:
        enough.set()
        sender.join()
    if failed:
        raise failed[0]
    return sends, singles


def _enough(singles: Sequence[Single]) -> bool:
    return all(sum(one.kind is kind for one in singles) >= SINGLES for kind in Kind)


def _told(singles: Iterator[Single], say: Say) -> Iterator[Single]:
    for number, single in enumerate(singles, 1):
        yield single
        if number % _TELL_EVERY == 0:
            say(f"  {number} single pushes, the last after {single.ms:,.0f} ms")
