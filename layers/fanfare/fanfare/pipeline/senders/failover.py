"""One attempt's way out where up to two credentials are live: the newest, and the other if it is refused.

A refused credential is looked up again at once, since it may have been replaced. Who was refused with it is
sent to again with what is live then: a refusal is an answer, so nothing is doubled. Only when all that is
live was refused does the caller see a refusal, and the lane rests.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from fanfare.domain.addressee import Addressee
from fanfare.domain.outcome.answer import Context, Provider, Transport
from fanfare.domain.outcome.consequence import Outcome, OutcomeKind
from fanfare.domain.push import Push
from fanfare.networks.credentials import Credential, key_id
from fanfare.networks.failures import CredentialError
from fanfare.networks.result import Answered, NotProcessed, Result, outcome_of
from fanfare.pipeline.senders.sender import CredentialSender, LaneSender
from fanfare.runtime import logs, metrics, secrets
from fanfare.runtime.clock import Clock

RESTS_MS = 300_000
"""For this time a refused credential comes second; then it is tried first again, with one push."""

_MAY_BLAME = frozenset({400, 401, 403, 404})
_NOT_SENT = NotProcessed(Transport.NOT_SENT)


@dataclass(eq=False, slots=True)
class LiveKey:
    """A live credential's sender, and its answers in this environment."""

    provider: Provider
    sender: CredentialSender
    credential: Credential | None
    """None where there is none that could be read."""
    proven: bool = False
    rests_until: int = 0


@dataclass(slots=True)
class LiveSender:
    app: str
    ways: Callable[[int | None], Sequence[LiveKey]]
    """Return the live credentials, newest first, at most so many seconds old; the same objects each time.

    None: as it is kept.
    """
    clock: Clock
    _live: Sequence[LiveKey] = field(init=False)
    _way: LiveKey = field(init=False)
    _tried: list[LiveKey] = field(default_factory=list)
    _renewed: list[LiveKey] = field(default_factory=list)
    _refusal: Answered | CredentialError | None = None
    """The last word, once all that is live was refused."""

    def __post_init__(self) -> None:
        self._live = self.ways(None)
        self._way = self._first_of(self._live)

    @property
    def lane(self) -> str:
        return self._way.sender.lane

    def sublane(self, addressee: Addressee, outcome: Outcome) -> str:
        return self._way.sender.sublane(addressee, outcome)

    def prepare(self, deadline_s: float) -> None:
        ends = time.monotonic() + deadline_s
        self._using(lambda sender: sender.prepare(max(0.0, ends - time.monotonic())))

    def send(
        self, push: Push, addressees: Sequence[Addressee], deadline_s: float, *, apart: bool
    ) -> list[Result]:
        if isinstance(self._refusal, CredentialError):
            raise self._refusal
        ends = time.monotonic() + deadline_s
        results: dict[int, Result] = {}
        left = list(range(len(addressees)))
        while left and self._refusal is None:
            # An unproven credential gets one push first, if there is another one to turn to.
            part = left if self._way.proven or len(self._live) == 1 else left[:1]
            some = [addressees[place] for place in part]
            try:
                answers = self._using(partial(_send, push, some, ends, apart))
            except CredentialError as error:
                self._refusal = error if error.outcome.blames_credential else None
                if not results:
                    raise
                break
            blaming: list[tuple[Outcome, Result]] = []
            for place, answer in zip(part, answers, strict=True):
                outcome = self._blaming(answer)
                if outcome is None:
                    results[place] = answer
                else:
                    blaming.append((outcome, answer))
            left = [place for place in left if place not in results]
            self._learn(blaming, answers)
        # Requests that the caller may send again; the others already have an answer.
        last_word = self._refusal if isinstance(self._refusal, Answered) else _NOT_SENT
        return [results.get(place, last_word) for place in range(len(addressees))]

    def _using[T](self, use: Callable[[LaneSender], T]) -> T:
        """By the first credential that is not refused before a push goes out. Raises CredentialError."""
        while True:
            try:
                return use(self._way.sender)
            except CredentialError as error:
                if not self._turns_away(error.outcome):
                    raise

    def _learn(self, blaming: Sequence[tuple[Outcome, Result]], answers: Sequence[Result]) -> None:
        """After a part was sent: the credential is proven, or stale, or refused, perhaps as the last word."""
        refused = next((one for one in blaming if one[0].blames_credential), None)
        if refused is not None:
            if not self._turns_away(refused[0]) and isinstance(refused[1], Answered):
                self._refusal = refused[1]
        elif blaming:
            self._way.sender.renew()
            self._renewed.append(self._way)
        elif any(isinstance(one, Answered) for one in answers):
            self._way.proven, self._way.rests_until = True, 0

    def _blaming(self, result: Result) -> Outcome | None:
        """The outcome, where it blames the credential."""
        if not isinstance(result, Answered) or result.status not in _MAY_BLAME:
            return None
        context = Context(credential_attempt=2 if self._way in self._renewed else 1)
        outcome = outcome_of(self._way.provider, result, context)
        blames = outcome.blames_credential or outcome.kind is OutcomeKind.RETRY_FRESH_CREDENTIAL
        return outcome if blames else None

    def _turns_away(self, outcome: Outcome) -> bool:
        """Turn from a refused credential to one that was not tried yet: whether there is one."""
        if not outcome.blames_credential:
            return False
        self._refused(self._way, outcome.reason)
        self._tried.append(self._way)
        self._live = self.ways(secrets.ASKED_S)
        untried = [way for way in self._live if way not in self._tried]
        # When none is left: the lane that rests is the one that the next attempt would begin with.
        self._way = self._first_of(untried or self._live)
        return bool(untried)

    def _refused(self, way: LiveKey, why: str) -> None:
        now = self.clock()
        if way.rests_until <= now:
            metrics.count("CredentialRefused")
            key = None if way.credential is None else key_id(way.credential)
            said = {"app": self.app, "lane": way.sender.lane, "key": key, "why": why}
            logs.logger().error("a credential is refused", extra=said)
        way.rests_until, way.proven = now + RESTS_MS, False
        way.sender.renew()  # its connections are closed, its tokens forgotten

    def _first_of(self, ways: Sequence[LiveKey]) -> LiveKey:
        now = self.clock()
        return min(ways, key=lambda way: way.rests_until > now)


def _send(
    push: Push, addressees: Sequence[Addressee], ends: float, apart: bool, sender: LaneSender
) -> list[Result]:
    return sender.send(push, addressees, max(0.0, ends - time.monotonic()), apart=apart)
