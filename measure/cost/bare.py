"""The CPU of a send up to the sender's call beside that of bare reading, measured in a process of its own."""

import os
import subprocess
import sys
from typing import Any

import boto3
import msgspec

from local.aws.ministack import CREDENTIALS
from local.processes import ROOT
from measure.cost.cpu import CpuFound, CpuTask
from measure.cost.stage import CrowdAudience, MeasuredStack

_LIMIT_S = 600


class CpuFailed(Exception):
    """The measuring process ended early; the message is its last word."""


def cpu(stage: MeasuredStack, audience: CrowdAudience) -> CpuFound:
    """The audience must have been sent to before. Raises CpuFailed."""
    environment = {
        name: value
        for function in stage.template.functions.values()
        for name, value in function.variables(stage.resources).items()
    }
    task = CpuTask(
        environment=environment,
        push=_accepted(stage, audience),
        subscriptions=stage.resources["SubscriptionsTable"],
        recipients=stage.resources["RecipientsTable"],
    )
    own = {
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": f"{ROOT}:{ROOT / 'layers' / 'fanfare'}",
        "AWS_ENDPOINT_URL": stage.emulator,
        "AWS_LAMBDA_FUNCTION_NAME": "cpu",
        **CREDENTIALS,
    }
    done = subprocess.run(
        [sys.executable, "-m", "measure.cost.cpu"],
        cwd=ROOT,
        env=own,
        input=msgspec.json.encode(task),
        stdout=subprocess.PIPE,
        timeout=_LIMIT_S,
    )
    lines = done.stdout.splitlines()
    if done.returncode != 0 or not lines:
        raise CpuFailed(f"python -m measure.cost.cpu ended with {done.returncode}: {lines[-1:]!r}")
    return msgspec.json.decode(lines[-1], type=CpuFound)


def _accepted(stage: MeasuredStack, audience: CrowdAudience) -> dict[str, Any]:
    """The row of a send to the audience."""
    messages = stage.resources["MessagesTable"]
    pages = boto3.client("dynamodb").get_paginator("scan").paginate(TableName=messages)
    for page in pages:
        for item in page["Items"]:
            is_ours = item["pk"]["S"].startswith(f"{audience.crowd.app}#")
            if is_ours and f'"name":"{audience.topic}"' in item["push"]["S"].replace(" ", ""):
                return dict(item)
    raise CpuFailed("nothing was sent to the audience")
