"""FCM is down for longer than all attempts, and APNs goes on; and both are silent for a while."""

from typing import Any

import pytest

from fanfare.domain.device import Network
from fanfare.domain.push import Push
from fanfare.store import ledger
from fanfare.store.ledger import State
from tests.e2e.delivering.fleet import APP, Fleet

DEVICES = 400
BITS = 2
SENDS = 3
RULES: dict[str, dict[str, Any]] = {
    "overloaded": {"preset": "fcm_unavailable"},
    "cut off": {"cut": "before_answer"},
}
LONG = [pytest.param(fault, DEVICES, marks=pytest.mark.long) for fault in ("down", *RULES)]


@pytest.mark.e2e
@pytest.mark.parametrize(("fault", "devices"), [("overloaded", 40), *LONG])
def test_what_fcm_did_not_take_in_an_outage_reaches_everybody_once_afterwards(
    fleet: Fleet, fault: str, devices: int
) -> None:
    people = fleet.settle(devices)
    android = {one.device.token for one in people if one.device.network is Network.FCM}
    apple = {one.device.token for one in people if one.device.network is Network.APNS}
    if fault == "down":
        fleet.fakes("POST", "/switches", {"fcm": {"reach": "down"}})
    else:
        fleet.fakes("POST", "/answers", {"network": "fcm", **RULES[fault]})
    fleet.start(3)
    pushes = [fleet.send(f"m{number}", bits=BITS) for number in range(SENDS)]

    fleet.work()
    seen = fleet.answers()
    assert all(seen[token] == ["200"] * SENDS for token in apple)

    fleet.work_to_the_end()
    seen = fleet.answers()
    assert all(seen[token] == ["200"] * SENDS for token in apple)
    assert not any("200" in seen[token] for token in android)
    tried = sum(len(seen[token]) for token in android)
    assert tried < (SENDS + 0.5) * len(android), "after the first try the fleet leaves alone what is down"
    assert open_devices(pushes) == SENDS * len(android)

    fleet.fakes("POST", "/reset")
    assert fleet.send_again() == SENDS << BITS
    fleet.work_to_the_end()
    assert {token: fleet.answers()[token] for token in android} == {
        token: ["200"] * SENDS for token in android
    }
    assert [fleet.counts(push)["delivered"] for push in pushes] == [devices] * SENDS


@pytest.mark.long
@pytest.mark.e2e
def test_pushes_into_a_silence_of_both_networks_all_arrive_when_it_is_over(fleet: Fleet) -> None:
    """Connections and requests are taken, and nothing comes back: an answer is waited for 15 real seconds."""
    people = fleet.settle(4)
    fleet.start(2)
    fleet.send("m0", bits=0)
    fleet.work_to_the_end()  # connections stand, and FCM's access token is there
    silent = {"reach": "black_hole"}
    fleet.fakes("POST", "/switches", {"fcm": silent, "apns": silent})
    push = fleet.send("m1", bits=0)
    for _ in range(3):
        assert fleet.work() == 1, "nothing is settled"
        fleet.clock.go_on(650)
    fleet.fakes("POST", "/switches", {"fcm": {"reach": "up"}, "apns": {"reach": "up"}})
    fleet.work_to_the_end()
    seen = fleet.answers()
    assert all(seen[one.device.token].count("200") == 2 for one in people)
    counts = fleet.counts(push)
    assert counts["delivered"] == len(people)
    assert counts["possibly_doubled"] <= len(people), "sent into the silence once at the most"
    assert fleet.send_again() == 0


def open_devices(pushes: list[Push]) -> int:
    """Return the number of devices in the dead letters of these sends."""
    rows = [row for push in pushes for row in ledger.status(APP, push.id)[1]]
    assert [row.state for row in rows] == [State.DEAD] * (len(pushes) << BITS)
    return sum(ledger.devices_left(row) for row in rows)
