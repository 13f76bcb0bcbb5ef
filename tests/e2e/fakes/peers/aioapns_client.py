"""aioapns as a program: a line of JSON is a task to send, a line tells the results.

Run by the Python of .venv-bench.
"""

import asyncio
import json
import logging
import ssl
import sys
from typing import Any

from aioapns import APNs, NotificationRequest, PushType
from aioapns.connection import APNsDevelopmentClientProtocol, APNsProductionClientProtocol

TASK = json.loads(sys.argv[1])

# It knows no other hosts than Apple's, so its protocol classes are told.
for protocol, port in (
    (APNsProductionClientProtocol, TASK["production"]),
    (APNsDevelopmentClientProtocol, TASK["sandbox"]),
):
    protocol.APNS_SERVER = "127.0.0.1"
    protocol.APNS_PORT = port
logging.disable()


async def client(told: dict[str, Any]) -> APNs:
    return APNs(
        key=told["key"],
        key_id=told["key_id"],
        team_id=told["team_id"],
        topic=told["topic"],
        use_sandbox=told.get("sandbox", False),
        ssl_context=ssl.create_default_context(cafile=TASK["ca_file"]),
    )


async def send(apns: APNs, tokens: list[str], at_once: bool) -> list[list[Any]]:
    """Status, reason and timestamp of each."""
    requests = [
        NotificationRequest(token, {"aps": {"alert": "hello"}}, push_type=PushType.ALERT) for token in tokens
    ]
    if at_once:
        results = await asyncio.gather(*(apns.send_notification(one) for one in requests))
    else:
        results = [await apns.send_notification(one) for one in requests]
    return [[one.status, one.description, one.timestamp] for one in results]


with asyncio.Runner() as runner:
    apns: APNs | None = None
    for line in sys.stdin:
        command = json.loads(line)
        if "key" in command:
            apns = runner.run(client(command))
            print(json.dumps([]), flush=True)
        else:
            assert apns is not None
            print(
                json.dumps(runner.run(send(apns, command["tokens"], command.get("at_once", False)))),
                flush=True,
            )
