"""A run: changes without and with subscribers, then small pushes alone and beside changes."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice

import boto3
import requests

from local.stack.stack import TEMPLATE
from local.waiting import NO_ANSWER_S
from measure.changes import received, stream
from measure.changes.buckets import SubscribedBucket, buckets
from measure.changes.rates import OBJECTS, ChangePhase, ChangesFound, Incomplete, RequestKind, needs
from measure.cost.stage import MeasuredStack
from measure.load import delays as load
from measure.load.arrivals import Arrivals
from measure.load.clocked_run import KEPT
from measure.load.delays import Kind, Single, Times, taken
from measure.load.large_sends import Readers, settle
from measure.load.probe import Probe
from measure.spoiled import Spoiled
from operate.template import load as load_template

WARM_UP, WARM_UP_PER_S = 100, 100
"""Changes, so many a second: every process that is needed starts, every lane of the stream has some."""
SINGLES = 30
"""Small pushes of each kind, alone; beside changes as many as there is time for."""
_TELL_S = 2.0

type Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ChangesPlan:
    """Changes a second; how many of them without subscribers, and how many with."""

    per_s: int
    quiet: int
    told: int


def run(stage: MeasuredStack, plan: ChangesPlan, say: Say) -> ChangesFound:
    """Raises Incomplete, Spoiled, NotWritten, Missing."""
    nobody = stage.client()
    admin = nobody.administrator(stage.values["client_id"], stage.values["client_secret"])
    quiet, told = buckets(stage, nobody, admin)
    phases = [
        _measured(stage, quiet, plan.quiet, plan.per_s, say),
        _measured(stage, told, plan.told, plan.per_s, say),
    ]
    alone, meanwhile = _small_pushes(stage, settle(nobody, admin), quiet, plan, say)
    found = [need for phase in phases for need in needs(phase, load_template(TEMPLATE))]
    memory = {name: function.memory for name, function in stage.template.functions.items()}
    return ChangesFound(phases, found, memory, alone, meanwhile)


def _measured(
    stage: MeasuredStack, bucket: SubscribedBucket, changes: int, per_s: int, say: Say
) -> ChangePhase:
    fakes, devices = str(stage.values["fakes"]), len(bucket.devices)
    say(f"a bucket with {devices} subscribers: {WARM_UP} changes to warm up")
    _forget(stage)
    bucket.writer.write(f"{bucket.name}-warm", WARM_UP, WARM_UP_PER_S, say)
    _rest(stage, WARM_UP, say)
    say(f"{changes:,} changes, {per_s} a second")
    received.record_anew(fakes, 2 * changes * devices)
    _forget(stage)
    with _probe(stage) as probe:
        written = bucket.writer.write(f"{bucket.name}-measured", changes, per_s, say)
        _rest(stage, changes, say)
    on_stream = stream.of_series(stage.emulator, stage.resources[OBJECTS], written.series)
    asked, reads = _asked(stage), Times.of(probe.ms)
    phase = ChangePhase(devices, per_s, written, on_stream, stage.invocations(), asked, reads)
    if failed := sum(one.failed for one in phase.invocations):
        raise Incomplete(f"{failed} invocations failed, see {stage.folder}/logs")
    return replace(phase, handed_over=_judged(phase, received.came(fakes), bucket))


def _judged(phase: ChangePhase, pushes: Sequence[received.Came], bucket: SubscribedBucket) -> Times | None:
    if wrong := received.wrong(pushes, phase.written.changes, bucket.devices):
        raise Spoiled(f"{len(wrong):,} pushes are wrong or missing: {'; '.join(wrong[:3])}")
    at = {(one.object_id, one.event): one.at for one in phase.on_stream}
    waited = [one.at - at[one.object_id, one.event] for one in pushes if one.object_id and one.event]
    return Times.of(waited) if waited else None


def _small_pushes(
    stage: MeasuredStack, readers: Readers, bucket: SubscribedBucket, plan: ChangesPlan, say: Say
) -> tuple[load.Phase, load.Phase]:
    """Alone, and while changes are written into the bucket, of which nobody is told."""
    received.record_anew(str(stage.values["fakes"]), KEPT)
    with Arrivals(str(stage.values["fakes"])) as arrivals:
        say("small pushes alone")
        for _ in islice(
            readers.singles(arrivals), 2 * len(Kind)
        ):  # functions have the app's credentials then
            pass
        with _probe(stage) as probe:
            singles = list(islice(readers.singles(arrivals), SINGLES * len(Kind)))
        stage.rest()
        alone = _phase(stage, singles, probe)
        _forget(stage)
        say(f"small pushes beside {plan.per_s} changes a second")
        with _probe(stage) as probe:
            singles = _beside(readers, arrivals, bucket, plan, say)
        _rest(stage, plan.quiet, say)
    return alone, _phase(stage, singles, probe)


def _beside(
    readers: Readers, arrivals: Arrivals, bucket: SubscribedBucket, plan: ChangesPlan, say: Say
) -> list[Single]:
    """Those that were accepted while the changes were written."""
    singles: list[Single] = []
    with ThreadPoolExecutor(1) as thread:
        series = f"{bucket.name}-beside"
        writing = thread.submit(bucket.writer.write, series, plan.quiet, plan.per_s, say)
        for single in readers.singles(arrivals):
            singles.append(single)
            if writing.done():
                break
        written = writing.result()
    found = [one for one in singles if written.began <= one.accepted < written.ended]
    if {one.kind for one in found} != set(Kind):
        raise Spoiled("the changes were written before a small push of each kind was made: give more SECONDS")
    return found


def _phase(stage: MeasuredStack, singles: Sequence[Single], probe: Probe) -> load.Phase:
    invocations = stage.invocations()
    return load.Phase(singles, [taken(one, invocations) for one in singles], Times.of(probe.ms))


def _probe(stage: MeasuredStack) -> Probe:
    return Probe(boto3.client("dynamodb"), stage.resources["AppsTable"])


def _forget(stage: MeasuredStack) -> None:
    """The runner's invocations and the proxy's counts begin anew."""
    for url in (f"{stage.values['runner']}/invocations", f"{stage.values['aws']}/_fanfare/requests"):
        requests.delete(url, timeout=NO_ANSWER_S).raise_for_status()


def _asked(stage: MeasuredStack) -> Counter[RequestKind]:
    """Return the functions' requests to AWS since _forget."""
    logical = {physical: name for name, physical in stage.resources.items()}
    counted = requests.get(f"{stage.values['aws']}/_fanfare/requests", timeout=NO_ANSWER_S).json()
    found: Counter[RequestKind] = Counter()
    for one in counted:
        if one["caller"] in stage.template.functions:
            what = f"{one['operation']} {logical.get(one['table'], one['table'])}".strip()
            found[RequestKind(one["caller"], one["service"], what)] += one["count"]
    return found


def _rest(stage: MeasuredStack, changes: int, say: Say) -> None:
    """Wait until all changes since _forget are worked off, and say meanwhile how far that is."""
    told = time.monotonic()

    def done() -> bool:
        nonlocal told
        if stage.idle():
            return True
        if time.monotonic() - told >= _TELL_S:
            told = time.monotonic()
            records = Counter({"dispatch": 0})
            for one in stage.invocations():
                records[one.function] += one.records
            taken_by = ", ".join(f"{name} {count:,}" for name, count in records.items())
            say(f"  taken of {changes:,}: {taken_by}")
        return False

    stage.until(done)
