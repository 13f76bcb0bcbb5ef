"""The judgement of a hostile request: no 5xx, and a refusal leaves all tables, queues and buckets alone."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import process_time
from typing import Any
from urllib.parse import unquote

from fanfare.api import unrouted
from fanfare.domain.errors import NotImplementedHere
from fanfare.runtime import clients
from local.aws.watched import watched
from local.rehearsal.api import RehearsedAnswer
from local.rehearsal.snapshot import Snapshot
from local.rehearsal.stage import Stage
from tests.fuzz.api.case import Case

KEY_BYTES = {"pk": 2_048, ":pk": 2_048, "sk": 1_024, ":from": 1_024, ":to": 1_024}
"""DynamoDB's own limits, by the names under which keys are sent."""

MOST_CPU_S = 4.3
"""Maximum time on a whole core, in seconds. Functions have 15 seconds, and with 512 MB 0.29 of a core."""


class Guilty(AssertionError):
    """A request had a forbidden effect."""


class Judge:
    def __init__(self, stage: Stage, state: Snapshot) -> None:
        self._stage = stage
        self._state = state

    def hear(self, case: Case) -> RehearsedAnswer:
        """Judge a request; raises Guilty. The changes of a successful request are undone."""
        before = process_time()
        with bounded_keys() as beyond:
            try:
                answer = self._stage.ask(case.part, case.method, case.target, case.body, case.headers)
            except Exception as error:
                raise Guilty(f"raised {error!r}\n{case}") from error
        took = process_time() - before
        changed = self._state.changed()
        if changed:
            self._state.restore()
        if answer.status >= 500 and not (answer.status == 501 and _is_of_kii_only(case.target)):
            raise Guilty(f"answered {answer.status} {answer.body[:200]!r}\n{case}")
        if answer.status >= 400 and changed:
            raise Guilty(f"answered {answer.status} and changed {changed}\n{case}")
        if took > MOST_CPU_S:
            raise Guilty(f"took {took:.1f} s of a whole core\n{case}")
        if beyond:
            raise Guilty(f"reached DynamoDB with {beyond}\n{case}")
        return answer


def _is_of_kii_only(target: str) -> bool:
    """True if the path is one of Kii's that this server lacks; no value makes it so."""
    path = re.sub("/+", "/", unquote(target.partition("?")[0])).rstrip("/")
    return isinstance(unrouted.refusal(path, ()), NotImplementedHere)


@contextmanager
def bounded_keys() -> Iterator[list[str]]:
    """Collect the keys that functions send and DynamoDB would refuse, even if an emulator takes them."""
    beyond: list[str] = []

    def look(operation: str, parameters: Mapping[str, Any]) -> None:
        beyond.extend(f"{operation} {found}" for found in _beyond(parameters))

    with watched(clients.dynamodb(), before=look):
        yield beyond


def _beyond(value: Any) -> Iterator[str]:
    match value:
        case dict():
            for name, one in value.items():
                match one:
                    case {"S": str(text)} if name in KEY_BYTES:
                        size = len(text.encode("utf-8", "surrogatepass"))
                        if not 1 <= size <= KEY_BYTES[name]:
                            yield f"{name} of {size} bytes"
                    case _:
                        yield from _beyond(one)
        case list() | tuple():
            for one in value:
                yield from _beyond(one)
