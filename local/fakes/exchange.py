"""One request and what becomes of it: the values between the servers' wire side and the networks' rules."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

type Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Request:
    """Header names are lower case; pseudo headers and `host` are left out."""

    method: str
    path: str
    headers: Headers
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name), None)

    @property
    def json(self) -> Any:
        """The body parsed, or its text where it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return self.body.decode(errors="replace")


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @staticmethod
    def json(status: int, body: Any, headers: Mapping[str, str] | None = None) -> "Answer":
        return Answer(
            status, json.dumps(body).encode(), {"content-type": "application/json"} | dict(headers or {})
        )


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server is to do: answer (now or later), cut the connection, or stay silent (neither)."""

    answer: Answer | None
    delay_s: float = 0
    cut: bool = False
    given: Callable[[], None] = lambda: None
    """To be called when the answer has gone out."""


class Conversation(Protocol):
    """A network's side of one connection."""

    @property
    def max_streams(self) -> int:
        """How many streams the server allows at once by now; HTTP/2 announces each change."""
        ...

    def reply(self, request: Request) -> Reply: ...
