"""Ten thousand devices through deliver while every tenth meets a fault, of all kinds mixed."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from fanfare.domain.device import Network
from measure.population import Person
from tests.e2e.delivering.fleet import Fleet

DEVICES = 10_000
BITS = 5
_FAR_AHEAD_MS = 9_000_000_000_000

type Rule = dict[str, Any]


def fcm_error(status: int, name: str, code: str = "", **rest: Any) -> Rule:
    details = [{"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code}]
    error = {"code": status, "status": name, "message": name} | ({"details": details} if code else {})
    return {"status": status, "body": {"error": error}} | rest


def apns_error(status: int, reason: str, **rest: Any) -> Rule:
    more = {"timestamp": rest.pop("timestamp")} if "timestamp" in rest else {}
    return {"status": status, "body": {"reason": reason, **more}} | rest


PASSING: Mapping[Network, list[Rule]] = {
    Network.FCM: [
        fcm_error(503, "UNAVAILABLE", "UNAVAILABLE"),
        fcm_error(503, "UNAVAILABLE", "UNAVAILABLE", headers={"retry-after": "120"}),
        fcm_error(500, "INTERNAL", "INTERNAL"),
        fcm_error(429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED"),
        fcm_error(429, "RESOURCE_EXHAUSTED", headers={"retry-after": "30"}),
        fcm_error(401, "UNAUTHENTICATED"),
        {"status": 502, "body": "<html>Bad Gateway</html>"},
        {"status": 404, "body": "<html>Not Found</html>"},
        {"cut": "before_answer"},
    ],
    Network.APNS: [
        apns_error(500, "InternalServerError"),
        apns_error(503, "ServiceUnavailable"),
        apns_error(503, "Shutdown"),
        apns_error(429, "TooManyRequests"),
        apns_error(410, "Unregistered", timestamp=1_000),
        apns_error(403, "ExpiredProviderToken"),
        apns_error(400, "IdleTimeout"),
        {"status": 502, "body": "<html>not Apple</html>"},
        {"cut": "before_answer"},
    ],
}
"""Each comes once for a device; the next answer is success."""

DEADLY: Mapping[Network, list[Rule]] = {
    Network.FCM: [fcm_error(404, "NOT_FOUND", "UNREGISTERED")],
    Network.APNS: [
        apns_error(410, "Unregistered", timestamp=_FAR_AHEAD_MS),
        apns_error(410, "ExpiredToken", timestamp=_FAR_AHEAD_MS),
    ],
}
DOUBTFUL: Mapping[Network, Rule] = {
    Network.FCM: fcm_error(403, "PERMISSION_DENIED", "SENDER_ID_MISMATCH"),
    Network.APNS: apns_error(400, "BadDeviceToken"),
}
"""A mistake of ours causes it as well: the push is settled, and the device token stays."""
WRONG: Mapping[Network, list[Rule]] = {
    Network.FCM: [fcm_error(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT")],
    Network.APNS: [apns_error(400, "BadCollapseId"), apns_error(413, "PayloadTooLarge")],
}
"""About the push: no device token is dead for it, and nothing is sent again."""


@pytest.mark.e2e
@pytest.mark.long
def test_ten_thousand_devices_with_a_tenth_of_faults(fleet: Fleet) -> None:
    people = fleet.settle(DEVICES)
    fate = dict(fates(people))
    rules = [{"token": token, "times": times} | rule for token, (_, times, rule) in fate.items()]
    hanging = silent_ones(people, fate)
    rules += [{"token": token, "times": 1, "cut": "hang"} for token in hanging]
    fleet.fakes("POST", "/answers", rules)
    push = fleet.send("m1", bits=BITS)
    fleet.start(3)
    fleet.work_to_the_end()

    answers, counts = fleet.answers(), fleet.counts(push)
    everybody = {person.device.token for person in people}
    dead = {token for token, (kind, _, _) in fate.items() if kind == "dead"}
    wrong = {token for token, (kind, _, _) in fate.items() if kind == "wrong"}
    doubted = {token for token, (kind, _, _) in fate.items() if kind == "doubted"}
    assert len(fate) + len(hanging) == DEVICES // 10

    # The networks' record: each live device got it, and again only where an answer was unknown.
    again = 0
    for token in everybody - dead - wrong - doubted:
        times = answers[token].count("200")
        assert times >= 1, f"{token} never got it: {answers[token]}"
        again += times - 1
    assert again <= counts["possibly_doubled"]
    assert not any("200" in answers[token] for token in dead | wrong | doubted)
    # Each dead one is gone, and no live one is.
    assert fleet.installed() == everybody - dead
    # The ledger adds up.
    ends = Counter(counts)
    del ends["possibly_doubled"]
    assert ends.total() == DEVICES
    assert ends["delivered"] == DEVICES - len(dead) - len(wrong) - len(doubted)
    assert sum(number for end, number in ends.items() if end.startswith("purge_token.")) == len(dead)
    assert sum(number for end, number in ends.items() if end.startswith("suspect.")) == len(doubted)
    assert sum(number for end, number in ends.items() if end.startswith("drop_payload_error.")) == len(wrong)


def fates(people: list[Person]) -> Iterator[tuple[str, tuple[str, int | None, Rule]]]:
    """Yield device tokens with the kind of their end, the number of faults (None: always), and the fault."""
    for number, person in enumerate(people[:-1]):
        if number % 20 > 1 or number < 20:
            continue
        network, turn = person.device.network, number // 20
        passing, deadly, wrong = PASSING[network], DEADLY[network], WRONG[network]
        match turn % 4:
            case 0 if turn % 8:
                yield person.device.token, ("doubted", None, DOUBTFUL[network])
            case 0:
                yield person.device.token, ("dead", None, deadly[turn // 8 % len(deadly)])
            case 1:
                yield person.device.token, ("wrong", None, wrong[turn // 4 % len(wrong)])
            case _:
                yield person.device.token, ("passing", 1, passing[turn // 2 % len(passing)])


def silent_ones(people: list[Person], fate: Mapping[str, Any]) -> list[str]:
    """Return a device of each network on one delivery; each answer takes as long as it may."""
    fcm = people[0]
    from fanfare.domain.ring import WHOLE_RING

    [arc] = [arc for arc in WHOLE_RING.cut(BITS) if arc.holds(fcm.user)]
    apns = next(
        one
        for one in people
        if one.device.network is Network.APNS and arc.holds(one.user) and one.device.token not in fate
    )
    return [fcm.device.token, apns.device.token]
