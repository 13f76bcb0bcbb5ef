"""Fcm and Apns against the local stack's fakes: real TLS, real OAuth, verified tokens, and outcomes."""

import json
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from fanfare.domain.outcome.answer import Provider
from fanfare.domain.outcome.consequence import OutcomeKind
from fanfare.domain.payload import ApnsPayload, FcmPayload
from fanfare.networks.apns import Apns, ApnsPush, apns_id
from fanfare.networks.credentials import apns_credential, fcm_credential
from fanfare.networks.failures import CredentialRefused, CredentialUnavailable
from fanfare.networks.fcm import Fcm
from fanfare.networks.result import outcome_of
from local.fakes import credentials
from local.ports import Ports, http, https
from local.processes import answers, start


def _free_block() -> Ports:
    """Find eight free ports in a row; parallel test runs begin to look at different ones."""
    blocks = range(14300, 14940, 8)
    turn = os.getpid() % len(blocks)
    for first in [*blocks[turn:], *blocks[:turn]]:
        with ExitStack() as stack:
            try:
                for port in range(first, first + 8):
                    stack.enter_context(socket.create_server(("127.0.0.1", port)))
            except OSError:
                continue
            return Ports(first)
    raise AssertionError("no eight free ports in a row")


PORTS = _free_block()


@dataclass(frozen=True, slots=True)
class Fakes:
    state: Path

    @property
    def ca_file(self) -> str:
        return str(self.state / "ca.pem")

    def received(self, network: str) -> list[dict[str, Any]]:
        with urlopen(f"{http(PORTS.fakes)}/received?network={network}") as answer:
            entries: list[dict[str, Any]] = json.load(answer)
            return entries

    def tell(self, path: str, body: object) -> None:
        with urlopen(Request(f"{http(PORTS.fakes)}{path}", json.dumps(body).encode(), method="POST")):
            pass

    def fcm(self) -> Fcm:
        text = (self.state / "service-account.json").read_text()
        return Fcm.at(https(PORTS.fcm), fcm_credential(text), ca_file=self.ca_file)

    def apns(self, port: int = PORTS.apns_production) -> Apns:
        text = json.dumps(
            {
                "key_id": credentials.APNS_KEY_ID,
                "team_id": credentials.APNS_TEAM_ID,
                "topics": [credentials.APNS_TOPIC],
                "private_key": credentials.Files(self.state).apns_key.read_text(),
            }
        )
        return Apns.at(https(port), apns_credential(text), ca_file=self.ca_file)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fakes]:
    state = tmp_path_factory.mktemp("fakes")
    credentials.create(state, f"{https(PORTS.fcm)}/token")
    command = [sys.executable, "-m", "local.fakes", "--port", str(PORTS.first), "--state", str(state)]
    process = start("fakes", command, state / "fakes.log")
    try:
        process.wait_until(lambda: answers(f"{http(PORTS.fakes)}/health"))
        yield Fakes(state)
    finally:
        process.stop()


@pytest.fixture
def fakes(running: Fakes) -> Fakes:
    running.tell("/reset", {})
    return running


FCM = FcmPayload(b'{"message":{', b',"data":{"a":"b"}}}')
ALERT = ApnsPayload(b'{"aps":{"alert":"hello"}}', "alert", 10, "m-1")


def hexes(number: int) -> list[str]:
    """Return device tokens; 64 zeros are not one."""
    return [f"{i:064x}" for i in range(1, number + 1)]


def test_fcm(fakes: Fakes) -> None:
    tokens = [f"device-{i}" for i in range(250)]
    dead = {"error": {"code": 404, "status": "NOT_FOUND", "details": []}}
    dead["error"]["details"] = [
        {"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": "UNREGISTERED"}
    ]
    fakes.tell("/answers", {"token": "device-7", "status": 404, "body": dead})
    fakes.tell("/answers", {"token": "device-8", "status": 503, "headers": {"retry-after": "30"}})
    fcm = fakes.fcm()
    outcomes = [outcome_of(Provider.FCM, r) for r in fcm.send(tokens, FCM, deadline_s=20)]
    fcm.close()
    assert [(o.kind, o.retry_after_s) for o in outcomes[7:9]] == [
        ("purge_token", None),
        ("retry_after_delay", 30),
    ]
    assert [o.kind for o in outcomes].count(OutcomeKind.DELIVERED) == 248
    assert sorted(entry["token"] for entry in fakes.received("fcm")) == sorted(tokens)
    assert len(fakes.received("oauth")) == 1


def test_apns(fakes: Fakes) -> None:
    pushes = [ApnsPush(token, apns_id("m-1", token)) for token in hexes(250)]
    gone = {"reason": "Unregistered", "timestamp": 1763900000000}
    fakes.tell("/answers", {"token": hexes(8)[7], "status": 410, "body": gone})
    for port in (PORTS.apns_production, PORTS.apns_sandbox):
        apns = fakes.apns(port)
        results = apns.send(pushes, ALERT, deadline_s=20)
        apns.close()
        outcomes = [outcome_of(Provider.APNS, result) for result in results]
        assert (outcomes[7].kind, outcomes[7].proof_at_ms) == ("purge_token", 1763900000000)
        assert [o.kind for o in outcomes].count(OutcomeKind.DELIVERED) == 249
    received = fakes.received("apns")
    assert [entry["environment"] for entry in received] == ["production"] * 250 + ["sandbox"] * 250
    assert received[0]["headers"]["apns-id"] == apns_id("m-1", received[0]["token"])
    assert received[0]["headers"]["apns-collapse-id"] == "m-1"


@pytest.mark.parametrize(
    ("status", "error"),
    [(400, CredentialRefused), (429, CredentialUnavailable), (503, CredentialUnavailable)],
)
def test_oauth_says_no(fakes: Fakes, status: int, error: type[Exception]) -> None:
    fakes.tell("/answers", {"network": "oauth", "status": status, "body": {"error": "invalid_grant"}})
    fcm = fakes.fcm()
    with pytest.raises(error):
        fcm.send(["device"], FCM, deadline_s=5)
    fcm.close()


def test_oauth_is_not_asked_where_its_certificate_is_not_trusted(fakes: Fakes) -> None:
    text = (fakes.state / "service-account.json").read_text()
    with pytest.raises(CredentialRefused, match="tls_untrusted"):
        Fcm.at(https(PORTS.fcm), fcm_credential(text)).send(["device"], FCM, deadline_s=5)
    assert fakes.received("oauth") == []


@pytest.mark.parametrize("cut", ["before_answer", "hang"])
def test_a_push_without_an_answer_is_unknown(fakes: Fakes, cut: str) -> None:
    fakes.tell("/answers", {"token": hexes(3)[2], "cut": cut})
    apns = fakes.apns()
    results = apns.send([ApnsPush(t, apns_id("m", t)) for t in hexes(3)], ALERT, deadline_s=5)
    apns.close()
    outcomes = [outcome_of(Provider.APNS, result) for result in results]
    assert [outcomes[0].kind, outcomes[2].unknown] == [OutcomeKind.DELIVERED, True]
