"""The costs of an environment before it is warm: its start, and the work of its first invocation."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from math import ceil
from statistics import median

from local.runner.journal import Invocation, Used
from measure.cost import bill, prices
from measure.cost.bill import Line, Service
from measure.cost.recorded import asked
from measure.cost.stage import MeasuredStack
from operate.template import Template

ROUNDS = 5
WARM = 3
"""Invocations that the first one is compared with."""


@dataclass(frozen=True, slots=True)
class Cold:
    """`init` is the start, `first` the extra time of the first invocation: clients, connections, tokens."""

    init: Used
    first: Used
    secrets: float = 0.0
    """Parameters that the first invocation has SSM decrypt."""

    def billed_ms(self, memory_mb: int) -> int:
        """A start gets a whole processor for any amount of memory."""
        return ceil(self.init.ms) + bill.billed_ms(self.first, memory_mb)

    @property
    def cpu_ms(self) -> float:
        return self.init.cpu_ms + self.first.cpu_ms


def colds(stage: MeasuredStack, act: Callable[[], object], functions: tuple[str, ...]) -> dict[str, Cold]:
    """Medians over rounds. `act` invokes each of the functions."""
    rounds, secrets = [], Counter[str]()
    for _ in range(ROUNDS):
        stage.rest()
        stage.cool(*functions)
        journals = [_journal(stage, act)]
        requests = asked(stage.tape, stage.template, stage.resources)
        secrets.update(one.caller for one in requests if one.service == "ssm")
        journals += [_journal(stage, act) for _ in range(WARM)]
        rounds.append(met([one for journal in journals for one in journal]))
    return {
        name: replace(_middle([one[name] for one in rounds]), secrets=secrets[name] / ROUNDS)
        for name in functions
    }


def met(invocations: Iterable[Invocation]) -> dict[str, Cold]:
    """Return the costs of the starts among the invocations, by function."""
    by_function: defaultdict[str, list[Invocation]] = defaultdict(list)
    for one in invocations:
        by_function[one.function].append(one)
    return {
        name: Cold(first.init, _longer(first, others))
        for name, (first, *others) in by_function.items()
        if first.init is not None and others
    }


def lines(reached: Mapping[str, float], cold: Mapping[str, Cold], template: Template) -> list[Line]:
    """The starts of the environments that a send reaches."""
    found = []
    for name, count in reached.items():
        memory = template.functions[name].memory
        started = count * bill.duration(cold[name].billed_ms(memory), memory)
        found.append(Line(Service.LAMBDA, f"{name}: INIT and first use", 0, started))
        decrypted = count * cold[name].secrets
        if decrypted:
            dollars = decrypted * prices.KMS_REQUEST
            found.append(Line(Service.KMS, f"{name}: Decrypt at first use", decrypted, dollars))
    return found


def _journal(stage: MeasuredStack, act: Callable[[], object]) -> list[Invocation]:
    stage.start_record()
    act()
    stage.rest()
    return stage.end_record()


def _longer(first: Invocation, others: list[Invocation]) -> Used:
    return Used(
        max(0.0, first.handler.ms - median(one.handler.ms for one in others)),
        max(0.0, first.handler.cpu_ms - median(one.handler.cpu_ms for one in others)),
    )


def _middle(several: list[Cold]) -> Cold:
    return Cold(
        Used(median(one.init.ms for one in several), median(one.init.cpu_ms for one in several)),
        Used(median(one.first.ms for one in several), median(one.first.cpu_ms for one in several)),
    )
