"""aioapns and @parse/node-apn send to the fake APNs, and take its answers for Apple's."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.fakes import peer
from tests.e2e.fakes.client import Fakes, counts, received, switched, told
from tests.e2e.fakes.peer import Peer, apns_credential

pytestmark = pytest.mark.e2e

type Begin = Callable[..., Peer]


@pytest.fixture(scope="module", params=["aioapns", "node-apn"])
def program(running: Path, request: pytest.FixtureRequest) -> Iterator[Peer]:
    if request.param == "aioapns":
        command, task = (peer.python(), str(peer.PEERS / "aioapns_client.py")), {}
    else:
        node, module = peer.node_apn()
        command, task = (node, str(peer.PEERS / "node_apn.js")), {"module": str(module)}
    with peer.running(running, *command, **task) as program:
        yield program


@pytest.fixture
def begin(fakes: Fakes, program: Peer) -> Begin:
    """A client with connections of its own and the stack's credential, or another."""

    def begin(**changes: object) -> Peer:
        program(**apns_credential(fakes.state, **changes))
        return program

    return begin


GOOD = "0a" * 32
REFUSALS = {
    "apns_bad_device_token": ["400", "BadDeviceToken"],
    "apns_device_token_not_for_topic": ["400", "DeviceTokenNotForTopic"],
    "apns_payload_too_large": ["413", "PayloadTooLarge"],
    "apns_forbidden": ["403", "Forbidden"],
}


@pytest.mark.parametrize("sandbox", [False, True])
def test_it_sends_and_names_every_kind_of_refusal(fakes: Fakes, begin: Begin, sandbox: bool) -> None:
    apns = begin(sandbox=sandbox)
    tokens = [f"{number:02x}" * 32 for number in range(1, len(REFUSALS) + 1)]
    gone = "ff" * 32
    told(
        *({"token": token, "preset": preset} for token, preset in zip(tokens, REFUSALS, strict=True)),
        {"token": gone, "preset": "apns_unregistered", "timestamp": 1_763_900_000_000},
    )
    good, *refused, last = apns(tokens=[GOOD, *tokens, gone])
    assert good[0] == "200"
    assert [word[:2] for word in refused] == list(REFUSALS.values())
    assert last == ["410", "Unregistered", 1_763_900_000_000]
    entries = received(environment="sandbox" if sandbox else "production")
    assert {entry["token"] for entry in entries} == {GOOD, *tokens, gone}


def test_it_learns_that_its_credential_is_of_no_use(fakes: Fakes, begin: Begin) -> None:
    assert begin(key_id="STRANGER01")(tokens=[GOOD])[0][:2] == ["403", "InvalidProviderToken"]
    assert begin(topic="com.example.other")(tokens=[GOOD])[0][:2] == ["400", "TopicDisallowed"]
    apns = begin()
    assert apns(tokens=[GOOD])[0][0] == "200"
    switched(apns={"clock_offset_s": 3700})
    assert apns(tokens=[GOOD])[0][:2] == ["403", "ExpiredProviderToken"]


def test_it_sends_many_at_once(fakes: Fakes, begin: Begin) -> None:
    switched(apns={"latency_ms": [5, 20]})
    apns = begin()
    assert apns(tokens=[GOOD])[0][0] == "200"
    tokens = [f"{number:064x}" for number in range(1, 301)]
    assert [word[0] for word in apns(tokens=tokens, at_once=True)] == ["200"] * 300
    assert (counts("apns_production")["reached"], counts("apns_production")["maybe_again"]) == (301, 0)


def test_it_survives_a_goaway(fakes: Fakes, begin: Begin) -> None:
    apns = begin()
    told({"token": GOOD, "goaway": {"debug": {"reason": "Shutdown"}}, "times": 1})
    apns(tokens=[GOOD])
    assert apns(tokens=["11" * 32])[0][0] == "200"
    assert counts("apns_production")["connections"] == 2
