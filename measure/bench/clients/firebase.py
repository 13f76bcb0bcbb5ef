"""firebase-admin's send_each_async, 500 messages a call: it speaks HTTP/2, send_each threads and HTTP/1.1."""

import asyncio
import os
from collections.abc import Iterable, Sequence
from itertools import batched

import firebase_admin
from firebase_admin import credentials, messaging
from google.oauth2.credentials import Credentials

from measure.bench.clients.measured import WrongAnswer, measure, task_of_this_process
from measure.bench.job import BEARER, PROJECT_PATH, Case, Task, document, token

_A_CALL = 500


class GivenToken(credentials.Base):  # type: ignore[misc]
    """An access token that never expires, so that nobody asks Google for one."""

    def get_credential(self) -> Credentials:
        return Credentials(BEARER)


def main(task: Task) -> None:
    os.environ["SSL_CERT_FILE"] = task.ca_file
    # It knows no other host than Google's, so its service class is told.
    messaging._MessagingService.FCM_URL = f"{task.url}{PROJECT_PATH}"
    app = firebase_admin.initialize_app(GivenToken(), {"projectId": "bench"})
    text = document(Case.FCM_LIKE, 0)["message"]["notification"]

    def make(number: int) -> messaging.Message:
        return messaging.Message(fid=token(number), notification=messaging.Notification(**text))

    async def send_all(messages: Iterable[messaging.Message]) -> Sequence[str]:
        names: list[str] = []
        for call in batched(messages, _A_CALL, strict=False):
            answer = await messaging.send_each_async(list(call), dry_run=False, app=app)
            for one in answer.responses:
                if not one.success:
                    raise WrongAnswer(f"{one.exception}")
                names.append(one.message_id)
        return names

    with asyncio.Runner() as runner:
        measure(task, make, lambda messages: runner.run(send_all(messages)))


if __name__ == "__main__":
    main(task_of_this_process())
