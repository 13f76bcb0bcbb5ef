"""Thousands of pushes at once with faults among them: our sender's words and the fakes' record agree."""

import json
from collections import Counter
from collections.abc import Mapping
from random import Random
from typing import Any

import pytest

from fanfare.domain.payload import ApnsPayload, FcmPayload
from fanfare.networks.apns import Apns, ApnsPush, apns_id
from fanfare.networks.credentials import apns_credential, fcm_credential
from fanfare.networks.fcm import Fcm
from fanfare.networks.result import Answered, NotProcessed, Result, Unknown, Withheld
from local.fakes import credentials
from local.ports import https
from tests.e2e.fakes.client import PORTS, Fakes, control, counts, received, switched, told
from tests.e2e.fakes.peer import apns_credential as apns_account

pytestmark = pytest.mark.e2e

PUSHES = 4096
FAULTS: Mapping[str, dict[str, Any]] = {
    "00": {"preset": "apns_unregistered"},
    "01": {"preset": "apns_bad_device_token"},
    "02": {"preset": "apns_service_unavailable"},
    "03": {"preset": "apns_too_many_requests"},
    "04": {"reset": "REFUSED_STREAM"},
    "05": {"reset": "INTERNAL_ERROR"},
    "06f": {"cut": "hang"},
    "07f": {"cut": "after_answer", "times": 1},
    "08f": {"cut": "before_answer", "times": 1},
    "09f": {"goaway": {"last_stream_id": "this", "debug": {"reason": "Shutdown"}}, "times": 1},
    "0af": {"goaway": {"last_stream_id": "before"}, "times": 1},
    "0b": {"delay_ms": 300},
}
"""Rules by the first digits of a token: 12 of 256 prefixes, and single ones for ends of connections."""


def agree(result: Result, history: list[str]) -> bool:
    """True if the sender's result of a request agrees with the fake's treatment of it."""
    match result:
        case Answered(status):
            return history[-1].startswith(str(status))
        case NotProcessed():
            return not history or history[-1] == "not processed"
        case Unknown():
            # A connection that breaks takes answers with it that were on their way.
            return not history or history[-1] != "not processed"
        case Withheld():
            return False


def histories() -> dict[str, list[str]]:
    told_of: dict[str, list[str]] = control().get("/tokens").json()
    return told_of


def test_apns_and_our_sender_agree_about_thousands_of_pushes_with_faults(fakes: Fakes) -> None:
    switched(apns={"latency_ms": [20, 60]}, record={"keep": 0})
    told(*({"token_prefix": prefix} | fault for prefix, fault in FAULTS.items()))
    account = apns_account(fakes.state)
    text = json.dumps(account | {"private_key": account["key"], "topics": [account["topic"]]})
    apns = Apns.at(https(PORTS.apns_production), apns_credential(text), ca_file=str(fakes.state / "ca.pem"))
    tokens = [f"{number:03x}" + f"{number:061x}" for number in range(1, PUSHES + 1)]
    Random(7).shuffle(tokens)
    try:
        results = apns.send(
            [ApnsPush(token, apns_id("m", token)) for token in tokens],
            ApnsPayload(b'{"aps":{"alert":"hello"}}', "alert", 10, None),
            deadline_s=10,
        )
    finally:
        apns.close()
    record = histories()
    wrong = [
        (token, result, record.get(token))
        for token, result in zip(tokens, results, strict=True)
        if not agree(result, record.get(token, []))
    ]
    assert wrong == []
    kinds = Counter(type(result).__name__ for result in results)
    assert kinds["Answered"] > PUSHES / 8
    assert kinds.keys() == {"Answered", "NotProcessed", "Unknown"}
    assert received() == []
    assert counts("apns_production")["reached_again"] == 0


def test_ten_thousand_messages_reach_fcm_once_each(fakes: Fakes) -> None:
    account = credentials.Files(fakes.state).service_account.read_text()
    fcm = Fcm.at(https(PORTS.fcm), fcm_credential(account), ca_file=str(fakes.state / "ca.pem"))
    told({"token_prefix": "gone-", "preset": "fcm_unregistered"})
    tokens = [f"gone-{number}" if number % 10 == 0 else f"live-{number}" for number in range(10_000)]
    payload = FcmPayload(b'{"message":{', b',"data":{"a":"b"}}}')
    try:
        results = fcm.send(tokens, payload, deadline_s=60)
    finally:
        fcm.close()
    assert Counter(result.status for result in results if isinstance(result, Answered)) == {
        200: 9000,
        404: 1000,
    }
    counted = counts("fcm")
    assert counted["answers"] == {"200": 9000, "404 UNREGISTERED": 1000}
    assert (counted["tokens"], counted["reached"], counted["maybe_again"]) == (10_000, 9000, 0)
    assert len(received(since="9990")) == 10
