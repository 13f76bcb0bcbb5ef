"""The common part of all fake networks: they write down, ask the rules, and take their time."""

from typing import Any

from local.fakes.exchange import NetworkAnswer, Reply
from local.fakes.keyring import Keyring
from local.fakes.lane import FakeLane
from local.fakes.record import Received, Record
from local.fakes.rules import Rules
from local.fakes.switches import Switches


class Networks:
    """The state behind all servers."""

    def __init__(self, keyring: Keyring) -> None:
        self.keyring = keyring
        self.record = Record()
        self.rules = Rules()
        self.switches = Switches()

    def change(self, told: dict[str, Any]) -> None:
        """Raises msgspec.ValidationError for switches that there are not, and changes nothing then."""
        self.switches.change(told)
        self.record.keep(self.switches.record.keep)

    def reset(self) -> None:
        """Everything as in the beginning; access tokens that were issued stay valid."""
        self.record.forget()
        self.rules.forget()
        self.keyring.reset()
        self.switches.reset()
        self.record.keep(self.switches.record.keep)

    def refuse(self, received: Received, answer: NetworkAnswer) -> Reply:
        """The network's own no: no rule is asked."""
        return Reply(answer, received, self._latency_s(received.lane))

    def accept(self, received: Received, success: NetworkAnswer) -> Reply:
        """The network's own yes, unless a rule says otherwise."""
        latency_s = self._latency_s(received.lane)
        rule = self.rules.take(received.lane, received.token)
        if rule is None:
            return Reply(success, received, latency_s)
        return Reply(rule.answer(success), received, latency_s + rule.delay_ms / 1000, rule.fault)

    def _latency_s(self, lane: FakeLane) -> float:
        return self.switches.latency_ms(lane) / 1000
