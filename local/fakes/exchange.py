"""One request and its fate: the values between the servers' wire side and the networks' rules."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from local.fakes.interruptions import Fault

type Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class NetworkRequest:
    """Header names are lower case; pseudo headers and `host` are left out."""

    method: str
    path: str
    headers: Headers
    body: bytes
    fields: dict[str, str] = field(init=False)
    """The headers by name; of those with one name the last."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "fields", dict(self.headers))

    def header(self, name: str) -> str | None:
        return self.fields.get(name)

    @property
    def json(self) -> Any:
        """The body parsed, or its text where it is not JSON."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, RecursionError):
            return self.body.decode(errors="replace")


@dataclass(frozen=True, slots=True)
class NetworkAnswer:
    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @staticmethod
    def json(status: int, body: Any, headers: Mapping[str, str] | None = None) -> "NetworkAnswer":
        return NetworkAnswer(
            status, json.dumps(body).encode(), {"content-type": "application/json"} | dict(headers or {})
        )


class Note(Protocol):
    """The server's note of a request's fate. Before it is written, there was no answer."""

    def given(self, answer: NetworkAnswer) -> None:
        """The answer has gone out."""

    def not_processed(self) -> None:
        """The client was told that nothing was done with its request."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The server's orders, after a while: play the fault, if there is one, and answer."""

    answer: NetworkAnswer
    note: Note
    delay_s: float = 0
    fault: Fault | None = None


class Conversation(Protocol):
    """A network's side of one connection."""

    @property
    def max_streams(self) -> int:
        """The number of streams that the server allows at once; HTTP/2 announces each change."""
        ...

    @property
    def too_many(self) -> Fault:
        """The fate of a stream beyond that."""
        ...

    @property
    def silent(self) -> bool:
        """True while the network takes in everything and says nothing."""
        ...

    def reply(self, request: NetworkRequest) -> Reply: ...

    def answering(self, answer: NetworkAnswer) -> Fault | None:
        """To be called when an answer goes out: it may change `max_streams`, and end the connection."""
        ...
