"""Event patterns: which records of a stream a function wants to see."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

# A list in a pattern says "one of these" about a value; that a key is not there is told by this.
_MISSING = object()


class PatternError(Exception):
    """A pattern has a form that this reader does not understand."""


class Filter:
    """Patterns as in FilterCriteria: a record passes if one of them matches, or if there is none."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self._patterns = [json.loads(pattern) for pattern in patterns]

    def passes(self, record: dict[str, Any]) -> bool:
        return not self._patterns or any(_matches(pattern, record) for pattern in self._patterns)


def _matches(pattern: dict[str, Any], value: Any) -> bool:
    """Every key of the pattern must match; `$or` holds patterns of which one must."""
    for key, wanted in pattern.items():
        if key == "$or":
            if not any(_matches(one, value) for one in wanted):
                return False
            continue
        given = value.get(key, _MISSING) if isinstance(value, dict) else _MISSING
        if not (_matches(wanted, given) if isinstance(wanted, dict) else _one_of(wanted, given)):
            return False
    return True


def _one_of(conditions: Sequence[Any], given: Any) -> bool:
    """A value that is a list matches if one of its elements does."""
    values = given if isinstance(given, list) else [given]
    return any(_meets(condition, value) for condition in conditions for value in values)


def _meets(condition: Any, value: Any) -> bool:
    if not isinstance(condition, dict):
        # Python takes 1 for True; JSON does not.
        return bool(value is not _MISSING and condition == value and type(condition) is type(value))
    name, argument = next(iter(condition.items()))
    match name:
        case "exists":
            return bool(argument) is (value is not _MISSING and not isinstance(value, dict))
        case "anything-but":
            unwanted = argument if isinstance(argument, list) else [argument]
            return value is not _MISSING and not any(_meets(one, value) for one in unwanted)
        case "prefix":
            return isinstance(value, str) and value.startswith(argument)
        case "suffix":
            return isinstance(value, str) and value.endswith(argument)
        case "equals-ignore-case":
            return isinstance(value, str) and value.lower() == argument.lower()
        case _:
            # "numeric" among them: numbers are texts in DynamoDB's records, so AWS never matches them.
            raise PatternError(f"{name} is not understood here")
