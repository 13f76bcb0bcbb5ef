"""The rules by which a request that has nothing wrong is answered otherwise, or not at all."""

import time
from collections import defaultdict
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from local.fakes.exchange import NetworkAnswer
from local.fakes.interruptions import Fault, GoAway, Interruption, Reset
from local.fakes.lane import FakeEnvironment, FakeLane, FakeNetwork
from local.fakes.presets import PRESETS, network_of


class Rule(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The requests that a rule fits, their answers and side effects; docs/local.md has every field.

    Without `status` and `preset` the answer is the network's own success (to delay it, say).
    """

    token: str | None = None
    token_prefix: str = ""
    network: FakeNetwork | None = None
    environment: FakeEnvironment | None = None
    times: Annotated[int, Meta(ge=0)] | None = None
    status: Annotated[int, Meta(ge=200, le=599)] | None = None
    preset: str | None = None
    body: Any = None
    headers: dict[str, str] = {}
    timestamp: int | None = None
    timestamp_offset_ms: int | None = None
    delay_ms: Annotated[float, Meta(ge=0)] = 0
    cut: Interruption | None = None
    reset: int | str | None = None
    goaway: GoAway | None = None

    def __post_init__(self) -> None:
        if self.preset is not None:
            if self.preset not in PRESETS:
                raise ValueError(f"there is no preset {self.preset!r}: {', '.join(PRESETS)}")
            if self.status is not None or self.body is not None:
                raise ValueError("a preset has its own status and body")
            self.network = self.network or network_of(self.preset)
            if self.network is not network_of(self.preset):
                raise ValueError(f"{self.preset} is no answer of {self.network}")
        if sum(fault is not None for fault in (self.cut, self.reset, self.goaway)) > 1:
            raise ValueError("one of cut, reset and goaway at a time")
        if self.reset is not None:
            Reset.of(self.reset)

    def fits(self, lane: FakeLane, token: str) -> bool:
        return (
            self.times != 0
            and self._is_for(lane.network)
            and (self.environment is None or self.environment is lane.environment)
            and token.startswith(self.token_prefix)
        )

    def _is_for(self, network: FakeNetwork) -> bool:
        """Rules about pushes do not answer token requests: these have to be named."""
        return network is self.network if self.network else network is not FakeNetwork.OAUTH

    @property
    def fault(self) -> Fault | None:
        return self.cut or self.goaway or (None if self.reset is None else Reset.of(self.reset))

    def answer(self, success: NetworkAnswer) -> NetworkAnswer:
        """APNs' `apns-id` stays on every answer, as the real one's does; text bodies go out as they are."""
        preset = PRESETS.get(self.preset or "")
        if preset is None and self.status is None:
            return success
        kept = {name: value for name, value in success.headers.items() if name == "apns-id"} | self.headers
        if preset is not None:
            return NetworkAnswer(preset.status, self._dated(preset), {**preset.headers, **kept})
        assert self.status is not None
        if self.body is None:
            return NetworkAnswer(self.status, b"", kept)
        if isinstance(self.body, str):
            headers = {"content-type": "text/html; charset=UTF-8"} | kept
            return NetworkAnswer(self.status, self.body.encode(), headers)
        return NetworkAnswer.json(self.status, self.body, kept)

    def _dated(self, preset: NetworkAnswer) -> bytes:
        """APNs' 410 says since when, in ms: as told, else now."""
        if preset.status != 410:
            return preset.body
        since = self.timestamp
        if since is None:
            since = time.time_ns() // 1_000_000 + (self.timestamp_offset_ms or 0)
        return msgspec.json.encode(msgspec.json.decode(preset.body) | {"timestamp": since})


class Rules:
    """Those for the very token come before those for prefixes, old before new."""

    def __init__(self) -> None:
        self._by_token: defaultdict[str, list[Rule]] = defaultdict(list)
        self._by_prefix: list[Rule] = []

    def tell(self, rules: Sequence[Rule]) -> None:
        for rule in rules:
            if rule.token is None:
                self._by_prefix.append(rule)
            else:
                self._by_token[rule.token].append(rule)

    def forget(self) -> None:
        self._by_token.clear()
        self._by_prefix.clear()

    def take(self, lane: FakeLane, token: str | None) -> Rule | None:
        """The rule for this request, which is thereby used once."""
        wanted = token or ""
        for rules in (self._by_token.get(wanted, ()), self._by_prefix):
            for rule in rules:
                if rule.fits(lane, wanted):
                    if rule.times is not None:
                        rule.times -= 1
                    return rule
        return None
