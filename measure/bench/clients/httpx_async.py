"""httpx with HTTP/2: one client, which has one connection, and as many requests at once as it takes."""

import asyncio
import ssl
from collections.abc import Iterable, Iterator, Sequence

import httpx

from measure.bench.clients.measured import WrongAnswer, measure, task_of_this_process
from measure.bench.job import Task, body, path

_AT_ONCE = 100
_TIMEOUT_S = 30.0


def main(task: Task) -> None:
    same = body(task.case, 0)
    context = ssl.create_default_context(cafile=task.ca_file)
    client = httpx.AsyncClient(
        http2=True, verify=context, headers=task.headers, base_url=task.url, timeout=_TIMEOUT_S
    )

    async def worker(waiting: Iterator[str], ids: list[str]) -> None:
        for one in waiting:
            answer = await client.post(one, content=same)
            if answer.status_code != 200:
                raise WrongAnswer(f"status {answer.status_code}")
            ids.append(answer.headers["apns-id"])

    async def send_all(paths: Iterable[str]) -> Sequence[str]:
        waiting, ids = iter(paths), list[str]()
        await asyncio.gather(*(worker(waiting, ids) for _ in range(_AT_ONCE)))
        return ids

    with asyncio.Runner() as runner:
        measure(task, lambda number: path(task.case, number), lambda paths: runner.run(send_all(paths)))
        runner.run(client.aclose())


if __name__ == "__main__":
    main(task_of_this_process())
