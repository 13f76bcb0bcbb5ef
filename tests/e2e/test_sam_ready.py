"""`make sam-ready`, as far as it goes without Docker: the environment of containers on the local stack."""

import os
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from local import sample_app
from local.sam import __main__ as sam
from local.sam import samples
from local.stack import Stack
from local.waiting import NO_ANSWER_S
from tests.unit.sam.test_containers import BUILT

pytestmark = pytest.mark.e2e


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Path]:
    """As `sam build` leaves it. Preparing turns this process's AWS to the stack, until the test's end."""
    (tmp_path / "template.yaml").write_text(BUILT)
    (tmp_path / "DeliverFunction").mkdir()
    before = dict(os.environ)
    yield tmp_path
    os.environ.clear()
    os.environ.update(before)


def test_the_samples_have_an_account_of_their_own_and_are_made_anew(
    running_stack: Stack, build: Path
) -> None:
    told = sam.prepare(running_stack.state.folder, build)
    dynamodb = {
        account: boto3.client(
            "dynamodb", endpoint_url=told["aws"], aws_access_key_id=account, aws_secret_access_key="test"
        )
        for account in (samples.ACCOUNT, "test")
    }

    def app_in(account: str) -> bool:
        key = {"pk": {"S": sample_app.APP}}
        return "Item" in dynamodb[account].get_item(TableName="AppsTable", Key=key)

    assert (app_in(samples.ACCOUNT), app_in("test")) == (True, False)
    stray = {"pk": {"S": "stray"}}
    dynamodb[samples.ACCOUNT].put_item(TableName="AppsTable", Item=stray)
    sam.prepare(running_stack.state.folder, build)
    assert "Item" not in dynamodb[samples.ACCOUNT].get_item(TableName="AppsTable", Key=stray)


def test_the_networks_certificate_is_good_for_the_name_that_containers_use(
    running_stack: Stack, build: Path
) -> None:
    sam.prepare(running_stack.state.folder, build)

    context = ssl.create_default_context(cafile=build / "DeliverFunction" / "ca.pem")
    with (
        socket.create_connection(("127.0.0.1", running_stack.ports.fcm), timeout=NO_ANSWER_S) as plain,
        context.wrap_socket(plain, server_hostname="host.docker.internal") as secure,
    ):
        assert secure.version() == "TLSv1.3"


def test_it_says_what_is_missing(
    running_stack: Stack, build: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere = tmp_path / "nowhere"
    ready = ["ready", "--build", str(build), "--state"]

    assert sam.main([*ready, str(nowhere)]) == 2
    assert "no local stack runs" in capsys.readouterr().err
    (build / "template.yaml").unlink()
    assert sam.main([*ready, str(running_stack.state.folder)]) == 2
    assert "`make sam-ready` builds it" in capsys.readouterr().err


def test_only_a_sample_event_is_invoked_with(
    running_stack: Stack, build: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = str(running_stack.state.folder)

    assert sam.main(["invoke", "--build", str(build), "--state", state, "--event", "events/README.md"]) == 2
    assert "events/README.md is no sample event" in capsys.readouterr().err
