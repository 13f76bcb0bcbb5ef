"""Our sender, through the seam that APNs and FCM use."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import batched

from fanfare.networks.batch import Request
from fanfare.networks.endpoint import Endpoint
from fanfare.networks.http2 import Http2Sender
from fanfare.networks.result import Answered, Result
from local.bench.clients.measured import WrongAnswer, measure, task_of_this_process
from local.bench.job import Case, Task, body, path

_DEADLINE_S = 120.0
_BATCH = 10_000


def main(task: Task) -> None:
    endpoint = Endpoint.of(task.url, task.ca_file)
    fcm = task.case is Case.FCM_LIKE
    senders = [Http2Sender(endpoint, first_alone=not fcm) for _ in range(task.connections if fcm else 1)]
    same = body(task.case, 0)
    built = task.case in (Case.BUILT, Case.FCM_LIKE)

    def make(number: int) -> Request:
        return Request(path(task.case, number), body(task.case, number) if built else same)

    def send_over(sender: Http2Sender, requests: Iterable[Request]) -> list[str]:
        ids: list[str] = []
        for batch in batched(requests, _BATCH, strict=False):
            ids += map(answer_id, sender.send(batch, headers=task.headers, deadline_s=_DEADLINE_S))
        return ids

    def answer_id(result: Result) -> str:
        if not isinstance(result, Answered) or result.status != 200:
            raise WrongAnswer(f"{result}")
        if fcm and b'"name"' not in result.body:
            raise WrongAnswer(f"{result.body!r}")
        return result.headers["apns-id"]

    def send(requests: Iterable[Request]) -> Sequence[str]:
        if len(senders) == 1:
            return send_over(senders[0], requests)
        whole = list(requests)
        shares = [whole[first :: len(senders)] for first in range(len(senders))]
        with ThreadPoolExecutor(len(senders)) as threads:
            return [one for ids in threads.map(send_over, senders, shares) for one in ids]

    measure(task, make, send)


if __name__ == "__main__":
    main(task_of_this_process())
