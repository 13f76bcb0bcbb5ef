"""The input and the answers of one endpoint, as far as its code does not say so itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from fanfare.api.answers import kii_media_type as kii
from fanfare.domain.errors import FanfareError

type Endpoint = Callable[..., Any]

JSON = "application/json"


class AllowedCaller(Enum):
    """The callers that are let in: the less is asked of them, the further up."""

    WITHOUT_CREDENTIALS = "nobody has to say who they are"
    APP = "anybody who knows the app"
    SIGNED_IN = "users and the administrator"


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedBody:
    """A body. `type` is the type that the endpoint parses, `bytes` where it takes any content.

    `rules` are keywords of JSON schema that the type does not say.
    """

    type: Any
    example: Any = None
    media: tuple[str, ...] = (JSON,)
    required: bool = True
    rules: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DescribedAnswer:
    """A success. `type` None: nothing but the status; `headers` beyond those that all answers have."""

    status: int = 204
    type: Any = None
    media: tuple[str, ...] = (JSON,)
    headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """`who` may do it, in words. `errors` beyond those that follow from path, body and caller.

    `query` and `headers` are the names of parameters that the endpoint reads.
    """

    summary: str
    who: str
    caller: AllowedCaller = AllowedCaller.SIGNED_IN
    body: DescribedBody | None = None
    answers: tuple[DescribedAnswer, ...] = (DescribedAnswer(),)
    errors: tuple[type[FanfareError], ...] = ()
    query: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()


type Operations = Mapping[Endpoint, Operation]

__all__ = [
    "JSON",
    "AllowedCaller",
    "DescribedAnswer",
    "DescribedBody",
    "Endpoint",
    "Operation",
    "Operations",
    "kii",
]
