"""Credentials that are replaced, revoked and wrong in the middle of ten thousand: nothing is lost."""

from collections.abc import Mapping

import pytest

from fanfare.runtime import secrets
from tests.e2e.delivering.credentials import Made, new_apns, new_fcm
from tests.e2e.delivering.fleet import Fleet

DEVICES = 10_000
BITS = 5
QUARTER = 8
"""Deliveries."""


@pytest.mark.e2e
@pytest.mark.long
def test_credentials_change_in_the_middle_of_a_send(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "ASKED_S", 0)  # SSM's rate is not the subject here
    people = fleet.settle(DEVICES)
    replaced, mended = new_pair(fleet, "1"), new_pair(fleet, "2")
    first = {one["key_id"] for keys in fleet.fakes("GET", "/credentials").values() for one in keys}
    push = fleet.send("m1", bits=BITS)
    fleet.start(2)

    assert fleet.work(QUARTER) == QUARTER
    register(fleet, replaced)
    revoke(fleet, first)
    store(fleet, replaced)
    assert fleet.work(QUARTER) == QUARTER
    counts = fleet.counts(push)
    assert counts["delivered"] == counts.total(), "replaced: nobody waits"
    before = counts["delivered"]
    assert before > DEVICES // 3

    revoke(fleet, {one.key_id for one in replaced.values()})
    fleet.work(QUARTER)
    fleet.store("apns", "not a credential")
    fleet.store("fcm", mended["apns"].stored)
    fleet.clock.go_on(120)
    fleet.work()
    assert fleet.counts(push)["delivered"] == before, "revoked, and then wrong: nobody gets anything"

    register(fleet, mended)
    store(fleet, mended)
    fleet.work_to_the_end()
    answers = fleet.answers()
    assert all(answers[one.device.token].count("200") == 1 for one in people)
    assert fleet.counts(push) == {"delivered": DEVICES}
    assert fleet.installed() == {one.device.token for one in people}


def new_pair(fleet: Fleet, number: str) -> Mapping[str, Made]:
    return {"apns": new_apns(f"NEWKEY000{number}"), "fcm": new_fcm(f"new-{number}", fleet.state)}


def register(fleet: Fleet, pair: Mapping[str, Made]) -> None:
    fleet.fakes("POST", "/credentials/apns", pair["apns"].public)
    fleet.fakes("POST", "/credentials/google", pair["fcm"].public)


def store(fleet: Fleet, pair: Mapping[str, Made]) -> None:
    for network, made in pair.items():
        fleet.store(network, made.stored)


def revoke(fleet: Fleet, key_ids: set[str]) -> None:
    """Revoke the keys, and the access tokens that Google gave for them."""
    for key_id in key_ids:
        fleet.fakes("DELETE", f"/credentials/{key_id}")
    fleet.fakes("DELETE", "/access-tokens")
