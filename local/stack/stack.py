"""Starts everything in order, each part with its log in the state folder, and ends everything again."""

import json
import socket
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import boto3
import msgspec

from local.aws import ministack
from local.fakes import credentials
from local.ports import HOST, Ports, default_port, default_state, http, https
from local.processes import ROOT, Child, NotReady, answers, run, start
from local.resources import create_resources
from local.runner import config
from local.stack.state import StateFolder
from operate.profile import LocalProfile
from operate.provider_files import CredentialFiles
from operate.template import load

NAME = "fanfare-local"
TEMPLATE = ROOT / "template.yaml"


class StackError(Exception):
    """The stack cannot be started."""


class Stack:
    """`parameters` are the template's; `concurrency` bounds processes by function.

    `released` names functions that run the code of a former release: see local.runner.config for both.

    `bridge` is an address beside loopback on which Docker's containers reach AWS and the networks.

    As a context it runs; `values` then is the content of stack.json. Enter it from a thread that stays.
    """

    def __init__(
        self,
        *,
        port: int | None = None,
        state: str | Path | None = None,
        parameters: Mapping[str, str] | None = None,
        concurrency: Mapping[str, int] | None = None,
        released: Mapping[str, Path] | None = None,
        bridge: str = "",
        say: Callable[[str], None] = print,
    ) -> None:
        self.ports = Ports(default_port() if port is None else port)
        self.state = StateFolder(Path(default_state() if state is None else state).resolve())
        self.values: Mapping[str, Any] = {}
        self._concurrency = concurrency or {}
        self._released = released or {}
        self._bridge = bridge
        self.parameters = self._local_parameters() | dict(parameters or {})
        self._say = say
        self._ending = ExitStack()
        self._children: list[Child] = []

    def __enter__(self) -> Self:
        with ExitStack() as ending:
            self._start(ending)
            self._ending = ending.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._ending.close()

    def lost(self) -> Child | None:
        """A part that has ended though nobody told it to."""
        return next((child for child in self._children if child.popen.poll() is not None), None)

    def _start(self, ending: ExitStack) -> None:
        """Raises StackError. Every part that was started by then is in `ending`."""
        began = time.monotonic()
        lock = self.state.take()
        if lock is None:
            raise StackError(
                f"A stack runs in {self.state.folder} already, as process {self.state.owner()}. End that one,"
                " or start another beside it with FANFARE_STATE=folder FANFARE_PORT=first-of-eight-ports."
            )
        ending.enter_context(lock)
        self._refuse_taken_ports()
        self.state.stack_json.unlink(missing_ok=True)
        ending.callback(self.state.stack_json.unlink, missing_ok=True)
        try:
            self._say(f"Local stack in {self.state.folder}, ports {self.ports.front} to {self.ports.runner}")
            self._start_surroundings(ending)
            resources = self._make_resources()
            self._start_runner(ending, resources)
            profile = self._profile(resources)
            app = self._make_app(profile)
        except (NotReady, ministack.NotInstalled) as error:
            raise StackError(str(error)) from error
        self.values = {
            **json.loads(msgspec.json.encode(profile)),
            **app,
            "fakes": http(self.ports.fakes),
            "runner": http(self.ports.runner),
            "bridge": self._bridge,
            "port": self.ports.first,
            "pids": {child.name: child.pid for child in self._children},
        }
        self.state.write(self.state.stack_json, self.values)
        self._say(f"Ready after {time.monotonic() - began:.1f} s: {self.values['site']}")

    def _start_surroundings(self, ending: ExitStack) -> None:
        """AWS with its proxy, and the networks: none of them needs another to start."""
        first, folder = str(self.ports.first), self.state.folder
        credentials.create(folder, f"{https(self.ports.fcm)}/token")
        emulator = ministack.launch(self.ports.ministack, self.state.log("ministack"))
        # It holds nothing to be saved, and would wait seconds for its long polls.
        self._adopt(ending, emulator, patience_s=0)
        proxy = self._module(ending, "aws-proxy", "local.aws.proxy", "--port", first)
        fakes = self._module(ending, "fakes", "local.fakes", "--port", first, "--state", str(folder))
        emulator.wait_until(lambda: ministack.ready(self.ports.ministack))
        proxy.wait_until(lambda: answers(f"{http(self.ports.aws)}/_fanfare/faults"))
        fakes.wait_until(lambda: answers(f"{http(self.ports.fakes)}/health"))
        self._say("  AWS (MiniStack), FCM and APNs (fakes) are up")
        if self._bridge:
            address = ("--address", self._bridge)
            bridge = self._module(ending, "bridge", "local.sam.bridge", "--port", first, *address)
            bridge.wait_until(lambda: answers(f"http://{self._bridge}:{self.ports.aws}/_fanfare/faults"))
            self._say(f"  Containers reach them at {self._bridge}")

    def _make_resources(self) -> dict[str, str]:
        session = boto3.Session("test", "test", region_name=ministack.REGION)
        template = load(TEMPLATE, parameters=self.parameters, stack_name=NAME)
        resources = create_resources(session, template, endpoint_url=http(self.ports.ministack))
        self._say(f"  {len(template.tables)} tables and {len(template.queues)} queues are made")
        return resources

    def _start_runner(self, ending: ExitStack, resources: Mapping[str, str]) -> None:
        told = config.Config(
            template=TEMPLATE,
            state=self.state.folder,
            port=self.ports.front,
            control_port=self.ports.runner,
            aws_endpoint=http(self.ports.aws),
            poll_endpoint=http(self.ports.ministack),
            resources=resources,
            parameters=self.parameters,
            stack_name=NAME,
            region=ministack.REGION,
            account=ministack.ACCOUNT,
            concurrency=self._concurrency,
            released=self._released,
        )
        path = self.state.folder / "runner.json"
        config.write(told, path)
        runner = self._module(ending, "runner", "local.runner", str(path))
        runner.wait_until(lambda: answers(f"{http(self.ports.runner)}/functions"))
        self._say("  The API and the functions are up")

    def _profile(self, resources: Mapping[str, str]) -> LocalProfile:
        """Return the way to this stack, as the operators' commands read it."""
        files = credentials.Files(self.state.folder)
        return LocalProfile(
            stack=NAME,
            site=f"{http(self.ports.front)}/api",
            aws=http(self.ports.aws),
            aws_environment=ministack.CREDENTIALS,
            resources=dict(resources),
            parameters=self.parameters,
            for_new_apps=CredentialFiles(
                str(files.service_account),
                str(files.apns_key),
                credentials.APNS_KEY_ID,
                credentials.APNS_TEAM_ID,
                (credentials.APNS_TOPIC,),
            ),
        )

    def _make_app(self, profile: LocalProfile) -> dict[str, str]:
        command = [sys.executable, "-m", "local.stack.first_app", str(self.state.folder)]
        command.append(msgspec.json.encode(profile).decode())
        environment = {"PYTHONPATH": f"{ROOT}:{ROOT / 'layers' / 'fanfare'}"}
        made = run(command, environment)
        if made.returncode != 0:
            raise StackError(f"no app could be made:\n{made.stderr}")
        app: dict[str, str] = json.loads(made.stdout)
        self._say(f"  The app {app['app_id']} is made")
        return app

    def _module(self, ending: ExitStack, name: str, module: str, *arguments: str) -> Child:
        child = start(name, [sys.executable, "-m", module, *arguments], self.state.log(name))
        self._adopt(ending, child)
        return child

    def _adopt(self, ending: ExitStack, child: Child, patience_s: float = 10) -> None:
        self._children.append(child)
        ending.callback(child.stop, patience_s)

    def _refuse_taken_ports(self) -> None:
        for port in range(self.ports.front, self.ports.runner + 1):
            with socket.socket() as attempt:
                attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    attempt.bind((HOST, port))
                except OSError as error:
                    first, last = self.ports.front, self.ports.runner
                    raise StackError(
                        f"Port {port} of {HOST} is taken, and the stack needs {first} to {last}. End what"
                        f" listens there, or choose other ports: FANFARE_PORT={last + 1}."
                    ) from error

    def _local_parameters(self) -> dict[str, str]:
        return {
            "FcmEndpoint": https(self.ports.fcm),
            "ApnsProductionEndpoint": https(self.ports.apns_production),
            "ApnsSandboxEndpoint": https(self.ports.apns_sandbox),
            "NetworkCaFile": str(self.state.ca_file),
        }
