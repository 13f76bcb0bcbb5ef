"""The local stack for the meter: apps with a crowd and topics, and the record of all calls."""

import os
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import requests

from fanfare.domain.scope import Scope, TargetKind
from fanfare.store import definitions, row
from local.aws.ministack import CREDENTIALS
from local.ports import Ports, http
from local.runner.journal import Invocation
from local.stack.signs import signs
from local.waiting import NO_ANSWER_S, while_moving
from measure.population import Crowd, load
from operate import apps
from operate.client import Client
from operate.profile import LocalProfile
from operate.template import Template

CONCURRENCY = {"deliver": 1, "fanout": 1}
"""Processes of a function for each of its queues: more would wait for this machine's cores, and be billed."""

NETWORKS = {
    "fcm": {"latency_ms": [60, 180]},
    "apns": {"latency_ms": [20, 60]},
    "oauth": {"latency_ms": [60, 180]},
    "record": {"keep": 0},
}
"""The settings of the fake networks."""


@dataclass(frozen=True, slots=True)
class Tables:
    topics_table: str
    buckets_table: str


@dataclass(frozen=True, slots=True)
class CrowdAudience:
    """The recipients: the subscribers of a topic, every `every`-th of the crowd."""

    crowd: Crowd
    admin: Client
    topic: str
    every: int

    @property
    def recipients(self) -> int:
        return -(-self.crowd.size // self.every)

    def send(self, message: Mapping[str, Any]) -> str:
        """The push message ID."""
        return self.admin.send(f"/topics/{self.topic}", dict(message))


@dataclass(slots=True)
class MeasuredStack:
    """A running stack. `values` is the content of stack.json, `folder` its state."""

    values: Mapping[str, Any]
    folder: Path
    template: Template
    _apps: dict[int, tuple[Crowd, Client]] = field(default_factory=dict)
    _audiences: dict[tuple[int, int], CrowdAudience] = field(default_factory=dict)

    @property
    def resources(self) -> Mapping[str, str]:
        resources: Mapping[str, str] = self.values["resources"]
        return resources

    def set(self) -> None:
        """The networks take their time; this process's own AWS clients go to the stack's AWS."""
        switches = requests.post(f"{self.values['fakes']}/switches", json=NETWORKS, timeout=NO_ANSWER_S)
        switches.raise_for_status()
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            del os.environ[name]
        os.environ.update(CREDENTIALS, AWS_ENDPOINT_URL=str(self.values["aws"]))
        row.bind(Tables(self.resources["TopicsTable"], self.resources["BucketsTable"]))

    def audience(self, size: int, every: int) -> CrowdAudience:
        """An app with `size` users, of whom one in `every` subscribes to a topic. Each is made once."""
        if (size, every) not in self._audiences:
            crowd, admin = self._apps.get(size) or self._app(size)
            topic = f"one-in-{every}"
            admin.call("PUT", f"/topics/{topic}")
            found = definitions.find(TargetKind.TOPIC, Scope(crowd.app), topic)
            assert found is not None
            load(
                self.rows,
                self.resources["SubscriptionsTable"],
                crowd.subscriptions(found.target, every),
            )
            self._audiences[size, every] = CrowdAudience(crowd, admin, topic, every)
        return self._audiences[size, every]

    def warm(self, audience: CrowdAudience, message: Mapping[str, Any]) -> None:
        """Functions have the app's credentials and connections, but fanout, which few sends need, is cold."""
        alone = self.audience(audience.crowd.size, every=audience.crowd.size)
        alone.send(message)
        self.rest()
        self.cool("fanout")

    def direct_send(self, message: Mapping[str, Any]) -> Callable[[], object]:
        """Make a send to a user of the stack's own app with a device."""
        nobody = self.client()
        admin = nobody.administrator(self.values["client_id"], self.values["client_secret"])
        made = nobody.call("POST", "/users", {}, type="RegistrationAndAuthorizationRequest")
        user = Client(nobody.site, nobody.app_id, nobody.app_key, made["_accessToken"], made["userID"])
        user.install("ANDROID", "a-phone:" + 140 * "x")
        return lambda: admin.send(f"/users/{user.user_id}", dict(message))

    def client(self) -> Client:
        """Nobody, of the stack's own app."""
        return Client(self.values["site"], self.values["app_id"], self.values["app_key"])

    def idle(self) -> bool:
        return bool(requests.get(f"{self.values['runner']}/idle", timeout=NO_ANSWER_S).json())

    def rest(self) -> None:
        """Wait until nothing runs or waits anywhere."""
        self.until(self.idle)

    def until(self, true: Callable[[], bool]) -> None:
        """Raises TimeoutError when nothing moves any more."""
        if not while_moving(true, lambda: signs(self.values)):
            raise TimeoutError("the stack is still at work, and nothing moves any more")

    def cool(self, *functions: str) -> None:
        """End the processes of these functions: the next invocation starts anew."""
        pids = self.pids()
        for name in functions:
            for pid in pids[name]:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        self.until(lambda: not any(self.pids()[name] for name in functions))

    def pids(self) -> dict[str, list[int]]:
        """Return the processes of each function."""
        listed = requests.get(f"{self.values['runner']}/functions", timeout=NO_ANSWER_S).json()
        return {name: [one["pid"] for one in running] for name, running in listed.items()}

    def start_record(self) -> None:
        requests.delete(f"{self.values['runner']}/invocations", timeout=NO_ANSWER_S).raise_for_status()
        tape = {"path": str(self.tape)}
        requests.put(f"{self.values['aws']}/_fanfare/tape", json=tape, timeout=NO_ANSWER_S).raise_for_status()

    def end_record(self) -> list[Invocation]:
        """End the tape, which is whole then; return the invocations."""
        requests.delete(f"{self.values['aws']}/_fanfare/tape", timeout=NO_ANSWER_S).raise_for_status()
        return self.invocations()

    def invocations(self) -> list[Invocation]:
        """All that the runner remembers."""
        answer = requests.get(f"{self.values['runner']}/invocations", timeout=NO_ANSWER_S)
        return msgspec.json.decode(answer.content, type=list[Invocation])

    def bytes_out(self) -> int:
        """Return the bytes that reached the networks since the start: HTTP/2 with frames, before TLS."""
        counts = requests.get(f"{self.values['fakes']}/counts", timeout=NO_ANSWER_S).json()
        return sum(one.get("http2_bytes", 0) for one in counts.values())

    @property
    def tape(self) -> Path:
        return self.folder / "tape.jsonl"

    def logged(self) -> dict[str, tuple[int, int]]:
        """Bytes and lines in each function's log."""
        sizes = {}
        for name in self.template.functions:
            log = self.folder / "logs" / f"{name}.log"
            content = log.read_bytes() if log.exists() else b""
            sizes[name] = len(content), content.count(b"\n")
        return sizes

    @property
    def emulator(self) -> str:
        """AWS without the proxy in front of it."""
        aws_port = int(str(self.values["aws"]).rpartition(":")[2])
        return http(Ports(aws_port - 2).ministack)

    @property
    def rows(self) -> str:
        """The URL at which the emulator takes rows by the thousand."""
        return f"{self.emulator}/_fanfare/rows"

    def _app(self, size: int) -> tuple[Crowd, Client]:
        profile = msgspec.convert(self.values, LocalProfile).use()
        made = apps.create(profile, profile.for_new_apps.credentials())
        crowd = Crowd(made["app_id"], size)
        load(self.rows, self.resources["RecipientsTable"], crowd.recipients())
        nobody = Client(self.values["site"], made["app_id"], made["app_key"])
        self._apps[size] = crowd, nobody.administrator(made["client_id"], made["client_secret"])
        return self._apps[size]
