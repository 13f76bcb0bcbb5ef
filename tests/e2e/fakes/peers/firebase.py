"""firebase-admin as a program: a line of JSON is a task to send, a line tells the results.

Run by the Python of .venv-bench, with the fakes' certificate authority in its environment.
"""

import asyncio
import json
import os
import sys
from typing import Any

import firebase_admin
from firebase_admin import credentials, messaging

TASK = json.loads(sys.argv[1])

# It knows no other host than Google's, so its service class is told.
messaging._MessagingService.FCM_URL = f"{TASK['fcm']}/v1/projects/{{0}}/messages:send"


def app(told: dict[str, Any]) -> firebase_admin.App:
    """A service account's key, or the file that stands for AWS credentials instead."""
    if told.get("keyless"):
        os.environ["GOOGLE_APPLICATION_CREDENTIALS"] = told["keyless"]
        credential: credentials.Base = credentials.ApplicationDefault()
    else:
        credential = credentials.Certificate(told["service_account"])
    options = {"projectId": told["project"], "httpTimeout": 5}
    return firebase_admin.initialize_app(credential, options, told["service_account"] + str(len(APPS)))


def refused(error: Exception) -> list[str]:
    """The class and code of an error, and its text."""
    return [type(error).__name__, str(getattr(error, "code", "")), str(error)]


def send(told: dict[str, Any]) -> list[list[str]]:
    messages = [
        messaging.Message(token=token, data={"a": "b"}, notification=messaging.Notification("Hello", "there"))
        for token in told["tokens"]
    ]
    if told.get("over") == "http2":
        sending = messaging.send_each_async(messages, dry_run=told.get("dry", False), app=APPS[-1])
        try:
            responses = RUNNER.run(sending).responses
        except Exception as error:  # noqa: BLE001 - its error is the result
            return [refused(error)] * len(messages)
        return [["sent", one.message_id] if one.success else refused(one.exception) for one in responses]
    # One by one, by the calls of an application that sends one message.
    return [one_word(message, told.get("dry", False)) for message in messages]


def one_word(message: messaging.Message, dry: bool) -> list[str]:
    try:
        return ["sent", messaging.send(message, dry_run=dry, app=APPS[-1])]
    except Exception as error:  # noqa: BLE001 - its error is the result
        return refused(error)


APPS: list[firebase_admin.App] = []
RUNNER = asyncio.Runner()
for line in sys.stdin:
    command = json.loads(line)
    if "service_account" in command:
        APPS.append(app(command))
        print(json.dumps([]), flush=True)
    else:
        print(json.dumps(send(command)), flush=True)
