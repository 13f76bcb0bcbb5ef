"""The single things that clients do, each measured with warm functions: reads, writes and costs."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any
from uuid import uuid4

from measure.cost.charge import Charge
from measure.cost.measure import Measured, measured
from measure.cost.stage import MeasuredStack
from operate.client import Client

TIMES = 5
_PIPELINE = frozenset({"dispatch", "fanout", "deliver"})

_SHOWN = {"title": "Kick-off", "body": "The match of the day has begun."}
MESSAGE = {
    "data": {"story": "4711", "section": "sport"},
    "gcm": {"enabled": True, "notification": _SHOWN},
    "apns": {"enabled": True, "alert": _SHOWN},
}
"""The content of the send: a title, a line of text, two fields of data."""


@dataclass(frozen=True, slots=True)
class Act:
    """`reads` and `writes` are requests beyond authentication, the most of several times, of transactions and
    batches each part; units are means, with authentication.
    """

    name: str
    reads: int
    writes: int
    later_reads: int
    """Those among the reads that come after the answer: by dispatch, fanout and deliver."""
    read_units: float
    write_units: float
    dollars: float


def acts(stage: MeasuredStack) -> Iterator[Act]:
    nobody = stage.client()
    admin = nobody.administrator(stage.values["client_id"], stage.values["client_secret"])
    user = _pseudo_user(nobody)
    token = _token()
    user.install("ANDROID", token)
    for topic in ("lonely", "few"):
        admin.call("PUT", f"/topics/{topic}")
    for reader in [_pseudo_user(nobody) for _ in range(10)]:
        reader.install("ANDROID", _token())
        reader.subscribe("/topics/few")
    user.call("POST", "/buckets/notes/objects", {"text": "a note"})

    newcomers: list[Client] = []

    def arrive() -> None:
        newcomers.append(_pseudo_user(nobody))

    def arrive_with_a_device() -> None:
        arrive()
        install()

    def install() -> None:
        newcomers[-1].install("ANDROID", _token())

    def subscribe() -> None:
        newcomers[-1].subscribe("/topics/lonely")

    note = {"text": "another note"}
    yield _act(stage, "an install", install, before=arrive)
    yield _act(stage, "a re-install that changes nothing", lambda: user.install("ANDROID", token))
    yield _act(stage, "a subscribe", subscribe, before=arrive_with_a_device)
    yield _act(stage, "a send to a topic with ten subscribers", lambda: admin.send("/topics/few", MESSAGE))
    yield _act(
        stage,
        "an object change in a bucket without subscribers",
        lambda: user.call("POST", "/buckets/notes/objects", note),
    )
    yield _act(stage, "a direct send", lambda: admin.send(f"/users/{user.user_id}", MESSAGE))


def _act(
    stage: MeasuredStack, name: str, do: Callable[[], Any], before: Callable[[], Any] = lambda: None
) -> Act:
    before()
    do()  # Functions keep their caches from here on.
    times = []
    for _ in range(TIMES):
        before()
        times.append(measured(stage, do))
    return Act(
        name,
        reads=max(len(_charges(one, reading=True)) for one in times),
        writes=max(len(_charges(one, reading=False)) for one in times),
        later_reads=max(len(_charges(one, reading=True, callers=_PIPELINE)) for one in times),
        read_units=fmean(sum(line.reads for line in one.bill.lines) for one in times),
        write_units=fmean(sum(line.writes for line in one.bill.lines) for one in times),
        dollars=fmean(one.bill.dollars for one in times),
    )


def _charges(done: Measured, *, reading: bool, callers: frozenset[str] | None = None) -> Sequence[Charge]:
    """Beyond authentication."""
    return [
        charge
        for request in done.requests
        if not request.authenticates and (callers is None or request.caller in callers)
        for charge in request.charges
        if (charge.reads > 0) is reading
    ]


def _pseudo_user(nobody: Client) -> Client:
    answer = nobody.call("POST", "/users", {}, type="RegistrationAndAuthorizationRequest")
    return Client(nobody.site, nobody.app_id, nobody.app_key, answer["_accessToken"], answer["userID"])


def _token() -> str:
    """As long as FCM's."""
    return f"{uuid4().hex[:22]}:APA91b{(uuid4().hex * 5)[:134]}"
