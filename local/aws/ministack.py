"""MiniStack: DynamoDB, Streams, SQS, SSM and S3 on this machine, from an environment of its own."""

import os
from pathlib import Path

from local.ports import HOST, http
from local.processes import ROOT, Child, answers, start

_PYTHON = ROOT / ".venv-ministack" / "bin" / "python"
_PROGRAM = Path(__file__).with_name("large_tables.py")
REGION = "us-east-1"
ACCOUNT = "000000000000"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
}
"""For every client of the local stack: MiniStack takes any, and nobody's own must ever be used."""


class NotInstalled(Exception):
    """The environment of MiniStack has not been made."""


def launch(port: int, log: Path) -> Child:
    """On loopback only; it keeps its data in memory. Raises NotInstalled."""
    if not _PYTHON.exists():
        raise NotInstalled(f"{_PYTHON} is missing: `make .venv-ministack/.done` makes it")
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": str(ROOT),  # for local.guard
        "HOME": os.environ.get("HOME", "/"),
        "BIND_HOST": HOST,
        "MINISTACK_HOST": HOST,
        "GATEWAY_PORT": str(port),
        "EDGE_PORT": str(port),
        "LOG_LEVEL": "WARNING",
        "IOT_MTLS_ENABLED": "0",  # its MQTT broker would listen on every interface
        **CREDENTIALS,
    }
    return start("MiniStack", [str(_PYTHON), "-P", str(_PROGRAM)], log, environment)


def ready(port: int) -> bool:
    return answers(f"{http(port)}/_ministack/health")
