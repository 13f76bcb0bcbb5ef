"""The fake networks and MiniStack, each in a process of its own; no runner takes from the queues."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import boto3
import pytest

from fanfare.pipeline.deliver.deliver_settings import DeliverSettings
from fanfare.runtime import queues, secrets, settings
from fanfare.runtime.queues import Outgoing
from fanfare.store import apps, row
from local import ports
from local.aws import ministack
from local.fakes import credentials
from local.ports import Ports, http, https
from local.processes import ROOT, answers, start
from local.resources import create_resources
from operate.template import load
from tests.e2e.delivering.credentials import apns
from tests.e2e.delivering.fleet import APP, PARAMETERS, Fleet
from tests.e2e.world import environment


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    """An app with both credentials; no deliver function is started yet."""
    chosen = Ports(ports.free())
    aws = http(chosen.ministack)
    credentials.create(tmp_path, f"{https(chosen.fcm)}/token")
    command = [sys.executable, "-m", "local.fakes", "--port", str(chosen.first), "--state", str(tmp_path)]
    with ExitStack() as ending:
        emulator = ministack.launch(chosen.ministack, tmp_path / "ministack.log")
        ending.callback(emulator.stop, 0)
        fakes = start("fakes", command, tmp_path / "fakes.log")
        ending.callback(fakes.stop)
        emulator.wait_until(lambda: ministack.ready(chosen.ministack))
        fakes.wait_until(lambda: answers(f"{http(chosen.fakes)}/health"))
        ending.enter_context(environment({"aws": aws}))
        template = load(ROOT / "template.yaml", stack_name="fanfare")
        resources = create_resources(boto3.Session(), template, endpoint_url=aws)
        read = settings.read(DeliverSettings, dict(template.functions["deliver"].variables(resources)))
        _forget()
        row.bind(read)
        apps.create(APP, fcm_parameter=PARAMETERS["fcm"], apns_parameter=PARAMETERS["apns"])
        made = Fleet(resources, read, chosen, tmp_path)
        made.store("fcm", credentials.Files(tmp_path).service_account.read_text())
        key = credentials.Files(tmp_path).apns_key.read_text()
        made.store("apns", apns(key, credentials.APNS_KEY_ID))
        monkeypatch.setattr(queues, "send", _at_once(queues.send))
        yield made
        made.stop()
    _forget()


def _at_once(send: Callable[[str, Sequence[Outgoing]], list[int]]) -> Callable[..., list[int]]:
    """SQS's clock is not the test's: messages queued with a delay are there at once."""
    return lambda url, messages: send(url, [replace(one, delay_s=0) for one in messages])


def _forget() -> None:
    for kept in (secrets, apps):
        kept.forget()
