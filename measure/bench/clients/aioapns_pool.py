"""aioapns, with its own pool of connections, its own provider token, and IDs that it makes itself."""

import asyncio
import ssl
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from aioapns import APNs, NotificationRequest, PushType
from aioapns.connection import APNsProductionClientProtocol

from measure.bench.clients.measured import WrongAnswer, measure, task_of_this_process
from measure.bench.job import KEY_ID, TEAM_ID, TOPIC, Task, document, token

_AT_ONCE = 500


async def pool(task: Task) -> APNs:
    """It knows no other host than Apple's, so its protocol class is told."""
    APNsProductionClientProtocol.APNS_SERVER = "127.0.0.1"
    APNsProductionClientProtocol.APNS_PORT = task.port
    return APNs(
        key=Path(task.apns_key_file).read_text(encoding="utf-8"),
        key_id=KEY_ID,
        team_id=TEAM_ID,
        topic=TOPIC,
        max_connections=task.connections,
        ssl_context=ssl.create_default_context(cafile=task.ca_file),
    )


def main(task: Task) -> None:
    same = document(task.case, 0)

    def make(number: int) -> NotificationRequest:
        return NotificationRequest(
            token(number),
            same,
            time_to_live=0,
            priority=10,
            collapse_key="9c1d0b7e5f3a4c28",
            push_type=PushType.ALERT,
        )

    with asyncio.Runner() as runner:
        apns = runner.run(pool(task))

        async def worker(waiting: Iterator[NotificationRequest], ids: list[str]) -> None:
            for one in waiting:
                result = await apns.send_notification(one)
                if not result.is_successful:
                    raise WrongAnswer(f"{result.status} {result.description}")
                ids.append(result.notification_id)

        async def send_all(requests: Iterable[NotificationRequest]) -> Sequence[str]:
            waiting, ids = iter(requests), list[str]()
            await asyncio.gather(*(worker(waiting, ids) for _ in range(_AT_ONCE)))
            return ids

        measure(task, make, lambda requests: runner.run(send_all(requests)))


if __name__ == "__main__":
    main(task_of_this_process())
