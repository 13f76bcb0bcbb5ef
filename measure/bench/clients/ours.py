"""Our sender, through the seam that APNs and FCM use, with the policies of both."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import batched

from fanfare.networks import apns, fcm
from fanfare.networks.endpoint import Endpoint
from fanfare.networks.http2.http2_sender import Http2Sender
from fanfare.networks.push_requests import Batch
from fanfare.networks.result import Answered, Result
from measure.bench.clients.measured import WrongAnswer, measure, task_of_this_process
from measure.bench.job import Case, Task, body, path

type Push = tuple[bytes, bytes]

_DEADLINE_S = 120.0
_BATCH = 10_000


def main(task: Task) -> None:
    like_fcm = task.case is Case.FCM_LIKE
    policy = replace(fcm.POLICY if like_fcm else apns.POLICY, most_connections=task.connections)
    sender = Http2Sender(Endpoint.of(task.url, task.ca_file), policy)
    same = body(task.case, 0)

    def make(number: int) -> Push:
        own = body(task.case, number) if task.case in (Case.BUILT, Case.FCM_LIKE) else same
        return path(task.case, number).encode(), own

    def columns(pushes: Iterable[Push]) -> Iterator[Batch]:
        """FCM's path is one for all; APNs' payload is, where it is not built for each device."""
        if like_fcm:
            yield Batch(task.headers, path(task.case, 0).encode(), [content for _, content in pushes])
            return
        for some in batched(pushes, _BATCH, strict=False):
            paths, bodies = zip(*some, strict=True)
            yield Batch(task.headers, paths, bodies if task.case is Case.BUILT else same)

    def send(pushes: Iterable[Push]) -> Sequence[str]:
        return [
            answer_id(result)
            for batch in columns(pushes)
            for result in sender.send(batch, deadline_s=_DEADLINE_S)
        ]

    def answer_id(result: Result) -> str:
        if not isinstance(result, Answered) or result.status != 200:
            raise WrongAnswer(f"{result}")
        if like_fcm and b'"name"' not in result.body:
            raise WrongAnswer(f"{result.body!r}")
        return result.headers["apns-id"]

    measure(task, make, send)


if __name__ == "__main__":
    main(task_of_this_process())
