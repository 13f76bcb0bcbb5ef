"""What the fakes received, in memory, and the answers that they were told to give."""

import time
from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec

from local.fakes.exchange import Answer, Reply, Request


class Network(StrEnum):
    FCM = "fcm"
    APNS = "apns"
    OAUTH = "oauth"


class Environment(StrEnum):
    PRODUCTION = "production"
    SANDBOX = "sandbox"


class Cut(StrEnum):
    BEFORE_ANSWER = "before_answer"
    """The connection is closed, and the request stays without an answer."""
    HANG = "hang"
    """There is no answer, ever, and the connection stays."""


@dataclass(slots=True)
class Given:
    """An answer that went out. `reason`: APNs' reason, FCM's error code, OAuth's error; None for success."""

    status: int
    reason: str | None
    body: Any


@dataclass(slots=True)
class Received:
    """One request, as GET /received shows it. `time`: arrival, epoch ms. `answer`: None: none went out."""

    network: Network
    environment: Environment | None
    token: str | None
    headers: dict[str, str]
    body: Any
    time: float
    answer: Given | None = None


class Rule(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """How to answer the requests that it fits and that have nothing wrong; `times` None: for ever.

    Without `status` and `cut`, the answer is the network's own success (to delay it, say).
    """

    token: str | None = None
    token_prefix: str = ""
    network: Network | None = None
    environment: Environment | None = None
    status: int | None = None
    body: Any = None
    headers: dict[str, str] = {}
    delay_ms: float = 0
    times: int | None = None
    cut: Cut | None = None

    def fits(self, received: Received) -> bool:
        return (
            self.times != 0
            and self._is_for(received.network)
            and (self.environment is None or self.environment is received.environment)
            and (received.token or "").startswith(self.token_prefix)
        )

    def _is_for(self, network: Network) -> bool:
        """Rules about pushes do not answer token requests: these have to be named."""
        return network is self.network if self.network else network is not Network.OAUTH


class Book:
    """The record and the rules. Rules for the very token come before those for prefixes, old before new."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self._by_token: defaultdict[str, list[Rule]] = defaultdict(list)
        self._by_prefix: list[Rule] = []

    def tell(self, rules: list[Rule]) -> None:
        for rule in rules:
            if rule.token is None:
                self._by_prefix.append(rule)
            else:
                self._by_token[rule.token].append(rule)

    def reset(self) -> None:
        self.received.clear()
        self._by_token.clear()
        self._by_prefix.clear()

    def write(
        self, request: Request, network: Network, environment: Environment | None, token: str | None
    ) -> Received:
        now = time.time() * 1000
        received = Received(network, environment, token, dict(request.headers), request.json, now)
        self.received.append(received)
        return received

    def refuse(self, received: Received, answer: Answer) -> Reply:
        """The network's own no: no rule is asked."""
        return Reply(answer, given=_noting(received, answer))

    def accept(self, received: Received, success: Answer) -> Reply:
        """The network's own yes, unless a rule says otherwise."""
        rule = self._take(received)
        if rule is None:
            return Reply(success, given=_noting(received, success))
        if rule.cut is not None:
            return Reply(None, delay_s=rule.delay_ms / 1000, cut=rule.cut is Cut.BEFORE_ANSWER)
        answer = success if rule.status is None else _told(rule, rule.status, success)
        return Reply(answer, delay_s=rule.delay_ms / 1000, given=_noting(received, answer))

    def _take(self, received: Received) -> Rule | None:
        rules = (*self._by_token.get(received.token or "", ()), *self._by_prefix)
        rule = next((rule for rule in rules if rule.fits(received)), None)
        if rule is not None and rule.times is not None:
            rule.times -= 1
        return rule


def _told(rule: Rule, status: int, success: Answer) -> Answer:
    """APNs' `apns-id` stays on every answer, as the real one's does; text bodies go out as they are."""
    headers = {name: value for name, value in success.headers.items() if name == "apns-id"} | rule.headers
    if rule.body is None:
        return Answer(status, b"", headers)
    if isinstance(rule.body, str):
        return Answer(status, rule.body.encode(), {"content-type": "text/html; charset=UTF-8"} | headers)
    return Answer.json(status, rule.body, headers)


def _noting(received: Received, answer: Answer) -> Any:
    def given() -> None:
        body = _parsed(answer.body)
        received.answer = Given(answer.status, _reason(answer.status, body), body)

    return given


def _parsed(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body) if body else None
    except msgspec.DecodeError:
        return body.decode(errors="replace")


def _reason(status: int, body: Any) -> str | None:
    if status < 400 or not isinstance(body, dict):
        return None
    if "reason" in body:
        return str(body["reason"])
    error = body.get("error")
    if not isinstance(error, dict):
        return None if error is None else str(error)
    codes = (detail.get("errorCode") for detail in error.get("details", ()))
    return next((str(code) for code in codes if code), error.get("status"))
