"""The result of each request of a batch, and its translation into an outcome."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from fanfare.domain.outcome.answer import Answer, Context, Provider, Silence, Transport
from fanfare.domain.outcome.consequence import Outcome
from fanfare.domain.outcome.judgement import NOTHING_KNOWN, judge


class Answered(NamedTuple):
    """A complete answer. Header names are in lower case; the body is cut at a limit.

    Equal answers may be one object. A frozen dataclass would take twice as long to make.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class NotProcessed:
    """The other side did not process the request: sending it again cannot double it."""

    reason: Transport


@dataclass(frozen=True, slots=True)
class Unknown:
    """Written, at least in part, and not answered: the request may have been processed."""

    reason: Transport


@dataclass(frozen=True, slots=True)
class Withheld:
    """Never sent; `outcome` gives the reason."""

    outcome: Outcome

    @property
    def reason(self) -> str:
        return self.outcome.reason


type Result = Answered | NotProcessed | Unknown | Withheld


def outcome_of(provider: Provider, result: Result, context: Context = NOTHING_KNOWN) -> Outcome:
    match result:
        case Answered():
            return judge(provider, Answer(result.status, result.headers, result.body), context)
        case NotProcessed() | Unknown():
            return judge(provider, Silence(result.reason), context)
        case Withheld():
            return result.outcome
