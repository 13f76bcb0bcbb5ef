"""A real client in a process of its own: a task in JSON, and its answer, line by line.

Missing peers are installed: .venv-bench by make, node-apn from npm, and Node as for Kii's clients (the
PATH's, or else PyPI's).
"""

import json
import os
import select
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.fakes import credentials
from local.ports import https
from local.waiting import NO_ANSWER_S
from tests.e2e import node
from tests.e2e.fakes.client import PORTS

ROOT = Path(__file__).parents[3]
PEERS = Path(__file__).parent / "peers"
NODE_APN = ROOT / "measure" / "bench" / "clients" / "node_apn"
KEYLESS = {
    "AWS_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "AKIATEST",
    "AWS_SECRET_ACCESS_KEY": "test",
    "GOOGLE_CLOUD_PROJECT": credentials.PROJECT_ID,
}
"""Environment of workload identity; the fakes do not ask AWS about its signature."""


@dataclass(frozen=True, slots=True)
class Peer:
    process: subprocess.Popen[str]

    def __call__(self, **told: Any) -> Any:
        """Return the program's answer. Fails if it ends or hangs instead; its errors are on the test's own
        stderr."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(told) + "\n")
        self.process.stdin.flush()
        ready, _, _ = select.select([self.process.stdout], [], [], NO_ANSWER_S)
        assert ready, f"no answer within {NO_ANSWER_S} s to {told}"
        answer = self.process.stdout.readline()
        assert answer, f"it ended with {self.process.wait()}"
        return json.loads(answer)


def python() -> str:
    subprocess.run(["make", "--silent", ".venv-bench/.done"], cwd=ROOT, check=True)
    return str(ROOT / ".venv-bench" / "bin" / "python")


def node_apn() -> tuple[str, Path]:
    """Node, and the folder of the package."""
    return node.with_packages(NODE_APN).node, NODE_APN / "node_modules" / "@parse" / "node-apn"


@contextmanager
def running(state: Path, *command: str, **task: Any) -> Iterator[Peer]:
    ca_file = str(state / "ca.pem")
    told = {
        "ca_file": ca_file,
        "fcm": https(PORTS.fcm),
        "production": PORTS.apns_production,
        "sandbox": PORTS.apns_sandbox,
    }
    with subprocess.Popen(
        [*command, json.dumps(told | task)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | KEYLESS | {"SSL_CERT_FILE": ca_file, "REQUESTS_CA_BUNDLE": ca_file},
    ) as process:
        try:
            yield Peer(process)
        finally:
            process.terminate()


def apns_credential(state: Path, **changes: Any) -> dict[str, Any]:
    """Return the task that lets an APNs client begin again, with this credential."""
    return {
        "key": credentials.Files(state).apns_key.read_text(),
        "key_id": credentials.APNS_KEY_ID,
        "team_id": credentials.APNS_TEAM_ID,
        "topic": credentials.APNS_TOPIC,
    } | changes
