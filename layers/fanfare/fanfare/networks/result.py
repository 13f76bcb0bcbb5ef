"""What became of each request of a batch, and the way from there to its outcome."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from fanfare.domain.outcome.answer import Answer, Context, Provider, Silence, Transport
from fanfare.domain.outcome.consequence import Outcome
from fanfare.domain.outcome.judgement import NOTHING_KNOWN, judge


class Answered(NamedTuple):
    """The whole answer; header names are lower case, the body is cut at a bound.

    Answers that are equal may be one object. A frozen dataclass takes twice as long to make.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class NotProcessed:
    """The other side did nothing with it: sending again doubles nothing."""

    reason: Transport


@dataclass(frozen=True, slots=True)
class Unknown:
    """Written, at least in part, and never answered: it may have been done."""

    reason: Transport


@dataclass(frozen=True, slots=True)
class Withheld:
    """Never sent: nobody was asked, and the outcome says why."""

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
