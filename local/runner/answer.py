"""The results of an invocation."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Reason(StrEnum):
    """The reason of a failed invocation."""

    RAISED = "raised"  # by the handler, or while its module was imported
    TIMED_OUT = "timed out"
    EXITED = "exited"  # the process ended, of itself or killed


@dataclass(frozen=True, slots=True)
class Returned:
    value: Any


@dataclass(frozen=True, slots=True)
class Failed:
    reason: Reason
    error_type: str
    message: str


type Answer = Returned | Failed
