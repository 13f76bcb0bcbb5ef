"""The calls of an AWS client in this process, seen by botocore's own events."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

type Parameters = dict[str, Any]
type Answer = dict[str, Any]

_ASKED = "fanfare.asked"


@contextmanager
def watched(
    client: Any,
    *,
    before: Callable[[str, Parameters], object] = lambda operation, parameters: None,
    after: Callable[[str, Parameters, Answer], object] = lambda operation, parameters, answer: None,
) -> Iterator[None]:
    """Call `before` and `after` around each call of the client, with the operation's name.

    An error that `before` raises becomes the error of the call, which is not made. `after` may change the
    answer in place; the answer of a call that was refused has an `Error`.
    """

    def asked(params: Parameters, model: Any, context: dict[str, Any], **_: object) -> None:
        context[_ASKED] = params
        before(model.name, params)

    def answered(parsed: Answer, model: Any, context: dict[str, Any], **_: object) -> None:
        after(model.name, context[_ASKED], parsed)

    events = client.meta.events
    events.register("provide-client-params", asked)
    events.register("after-call", answered)
    try:
        yield
    finally:
        events.unregister("provide-client-params", asked)
        events.unregister("after-call", answered)
