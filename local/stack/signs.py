"""Signs of a stack at work: while they change, an awaited event may still come."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import requests

from local.processes import ROOT
from local.waiting import NO_ANSWER_S
from operate.template import load


def signs(stack: Mapping[str, Any]) -> object:
    """Pushes that the networks got, and invocations by events: a caller that waits adds nothing to them.

    `stack`: the content of stack.json.
    """
    lanes = requests.get(f"{stack['fakes']}/counts", timeout=NO_ANSWER_S).json()
    ran = requests.get(f"{stack['runner']}/metrics", timeout=NO_ANSWER_S).json()
    return [lane["requests"] for lane in lanes.values()], [ran[name] for name in _by_events()]


@cache
def _by_events() -> list[str]:
    functions = load(ROOT / "template.yaml").functions.values()
    return [one.name for one in functions if not one.routes]
