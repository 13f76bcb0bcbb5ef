"""A credential replaced, revoked, wrong, gone or out of reach, in the middle of sends: nothing is lost."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import boto3
import pytest
from botocore.exceptions import ClientError

from fanfare.domain.device import Environment, Network
from fanfare.domain.push import Delivery
from fanfare.domain.retry_state import unpack
from fanfare.networks.credentials import apns_credential, fcm_credential
from fanfare.networks.live import Live, to_text
from fanfare.networks.result import Answered
from fanfare.pipeline.senders.failover import RESTS_MS
from fanfare.pipeline.senders.of_app import AppSenders, Endpoints
from fanfare.runtime import clients, clock, metrics, secrets
from fanfare.store import apps, lanes, ledger
from fanfare.store.ledger import Ended
from tests.integration.pipeline.conftest import APP, World, deliver_one
from tests.integration.pipeline.keyed_networks import (
    Carrier,
    KeyedNetworks,
    apns_refusal,
    fcm_refusal,
    service_account,
    signing_key,
)
from tests.integration.refreshed import read_anew, settled

ENDPOINTS = Endpoints("https://fcm.test", "https://apns.test", "https://sandbox.apns.test", "")
PARAMETER = {Network.FCM: "/stack/apps/app1/fcm", Network.APNS: "/stack/apps/app1/apns"}
DEVICES = [f"{number:02x}" * 32 for number in range(1, 13)]
REFUSALS = {"CredentialRefused", "LanePaused"}
INVALID = apns_refusal("InvalidProviderToken")
A, B, C = (signing_key(f"KEY000000{name}") for name in "ABC")
KEY_A, KEY_B, KEY_C = (json.loads(text)["key_id"] for text in (A, B, C))
OLD, NEW = service_account("old"), service_account("new")
LANE = "apns:production:TEAM000001"


@dataclass(slots=True)
class Stage:
    """The user u1 with twelve devices on one network, and a deliver function with real senders."""

    world: World
    networks: KeyedNetworks
    counted: list[str]
    sends: int = 0

    def store(self, network: Network, *texts: str, alone: bool = False) -> None:
        """The newest first; `alone`: the text as it was written before two could be live."""
        if alone:
            [text] = texts
        elif network is Network.FCM:
            text = to_text([Live(fcm_credential(one), 1) for one in texts])
        else:
            text = to_text([Live(apns_credential(one), 1) for one in texts])
        boto3.client("ssm").put_parameter(
            Name=PARAMETER[network], Value=text, Type="SecureString", Overwrite=True
        )
        apps.set_credential_parameter(APP, network, PARAMETER[network])

    def install(self, network: Network) -> None:
        for token in DEVICES:
            self.world.install("u1", token, network)

    def send(self) -> Delivery:
        self.sends += 1
        delivery = Delivery(push=self.world.push(user="u1", id=f"m{self.sends}"))
        self.attempt(delivery)
        return delivery

    def attempt(self, delivery: Delivery) -> Delivery:
        deliver_one(self.world.deliverer, delivery, lambda: 30.0)
        return delivery.next_attempt(0)

    def go_on(self, seconds: float) -> None:
        self.world.clock.go_on(seconds)

    def paused(self, lane: str) -> bool:
        pause = lanes.pause_of(APP, lane)
        return pause is not None and pause.until > self.world.clock()

    def open_standings(self, delivery: Delivery) -> list[tuple[int, int]]:
        """Tries and waits of each device that is still open after the attempt."""
        ended = ledger.take(delivery, self.world.clock(), 1)
        assert isinstance(ended, Ended)
        return [(one.tries, one.waits) for one in unpack(ended.open).values()]

    def carrier_of(self, key: str) -> Carrier:
        [carrier] = [one for one in self.networks.carriers if key in one.keys]
        return carrier


@pytest.fixture
def stage(world: World, monkeypatch: pytest.MonkeyPatch) -> Stage:
    networks = KeyedNetworks()
    networks.install(monkeypatch)
    counted: list[str] = []
    monkeypatch.setattr(metrics, "count", lambda name, value=1: counted.append(name))
    monkeypatch.setattr(clock, "now", world.clock)
    apps.create(APP)
    senders = AppSenders(ENDPOINTS, world.clock)
    return Stage(replace(world, deliverer=replace(world.deliverer, senders=senders)), networks, counted)


@pytest.mark.parametrize("alone", [True, False])
@pytest.mark.parametrize(("network", "text", "key"), [(Network.FCM, OLD, "old"), (Network.APNS, A, KEY_A)])
def test_one_credential_is_used_in_whichever_form_it_was_stored(
    stage: Stage, network: Network, text: str, key: str, alone: bool
) -> None:
    stage.store(network, text, alone=alone)
    stage.install(network)
    stage.send()
    assert stage.networks.keys_of(DEVICES) == [key]
    assert stage.carrier_of(key).batches == [len(DEVICES)], "who has no other to turn to sends all at once"


def test_a_replaced_credential_is_in_use_within_minutes_and_the_old_one_s_connections_are_closed(
    stage: Stage,
) -> None:
    stage.store(Network.APNS, A)
    stage.install(Network.APNS)
    stage.send()
    stage.store(Network.APNS, B)
    stage.send()
    assert {key for key, _ in stage.networks.taken} == {KEY_A}
    read_anew(PARAMETER[Network.APNS], stage.go_on)
    stage.send()
    assert [key for key, _ in stage.networks.taken[-len(DEVICES) :]] == [KEY_B] * len(DEVICES)
    assert stage.carrier_of(KEY_A).closed == 1
    assert stage.counted == []


def test_a_key_that_other_apps_still_use_keeps_its_connections(stage: Stage) -> None:
    stage.store(Network.APNS, A)
    stage.install(Network.APNS)
    stage.send()
    shared = json.dumps(json.loads(A) | {"topics": ["com.example.other"]})
    boto3.client("ssm").put_parameter(Name="other", Value=shared, Type="SecureString")
    apps.create("app2", apns_parameter="other")
    stage.world.deliverer.senders.of("app2", Network.APNS, Environment.PRODUCTION)
    stage.store(Network.APNS, B)
    read_anew(PARAMETER[Network.APNS], stage.go_on)
    stage.send()
    assert len([one for one in stage.networks.carriers if one.place == "apns"]) == 2
    assert stage.carrier_of(KEY_A).closed == 0


@pytest.mark.parametrize("before", [0, 5])
def test_a_replaced_credential_is_in_use_at_once_when_the_old_one_is_revoked(
    stage: Stage, before: int
) -> None:
    """Also in the middle of a batch, of which five had gone through."""
    stage.store(Network.APNS, A)
    stage.install(Network.APNS)
    stage.send()
    stage.networks.taken.clear()
    stage.store(Network.APNS, B)
    stage.networks.refuses[KEY_A], stage.networks.lasts[KEY_A] = INVALID, before
    stage.go_on(secrets.ASKED_S)
    stage.send()
    assert stage.networks.keys_of(DEVICES) == ([KEY_A] if before else []) + [KEY_B]
    assert not stage.paused(LANE)
    assert stage.counted == ["CredentialRefused"]


@pytest.mark.parametrize("before", [0, 5])
def test_the_other_live_key_is_used_when_the_newest_is_revoked(stage: Stage, before: int) -> None:
    stage.store(Network.APNS, A, B)
    stage.install(Network.APNS)
    stage.networks.refuses[KEY_A], stage.networks.lasts[KEY_A] = INVALID, before
    stage.send()
    assert stage.networks.keys_of(DEVICES) == ([KEY_A] if before else []) + [KEY_B]
    assert stage.counted == ["CredentialRefused"]
    assert not stage.paused(LANE)
    assert set(stage.carrier_of(KEY_A).keys) == {KEY_A}, "keys are not mixed on one connection"
    assert set(stage.carrier_of(KEY_B).keys) == {KEY_B}
    assert stage.carrier_of(KEY_A).closed == 1


def test_a_wrong_new_key_costs_one_refusal_and_then_one_every_few_minutes(stage: Stage) -> None:
    stage.store(Network.APNS, A, B)
    stage.install(Network.APNS)
    stage.networks.refuses[KEY_A] = INVALID
    for _ in range(3):
        stage.send()
    assert len(stage.networks.refused) == 1
    stage.go_on(RESTS_MS / 1000)
    stage.send()
    assert len(stage.networks.refused) == 2
    assert len(stage.networks.taken) == 4 * len(DEVICES)


def test_a_new_key_that_apple_comes_to_know_later_is_used_then(stage: Stage) -> None:
    stage.store(Network.APNS, A, B)
    stage.install(Network.APNS)
    stage.networks.refuses[KEY_A] = INVALID
    stage.send()
    del stage.networks.refuses[KEY_A]
    stage.networks.taken.clear()
    stage.go_on(RESTS_MS / 1000)
    stage.send()
    assert stage.networks.keys_of(DEVICES) == [KEY_A]


def test_a_credential_that_stays_live_is_not_made_anew_when_the_other_is_replaced(stage: Stage) -> None:
    stage.store(Network.APNS, A, B)
    stage.install(Network.APNS)
    stage.send()
    stage.store(Network.APNS, C, A)
    stage.networks.refuses[KEY_C] = INVALID
    read_anew(PARAMETER[Network.APNS], stage.go_on)
    stage.send()
    assert stage.carrier_of(KEY_A).closed == 0
    assert len(stage.carrier_of(KEY_A).batches) == 3, (
        "one push first, the rest; and then all, as it is proven"
    )


def test_when_all_that_is_live_is_refused_the_lane_rests_and_the_devices_wait(stage: Stage) -> None:
    stage.store(Network.APNS, A, B)
    stage.install(Network.APNS)
    stage.networks.refuses |= {KEY_A: INVALID, KEY_B: INVALID}
    first = stage.send()
    assert stage.paused(LANE)
    assert stage.open_standings(first) == [(0, 1)] * len(DEVICES), "waiting is not a try"
    assert len(stage.networks.refused) == 2
    assert stage.counted == ["CredentialRefused", "CredentialRefused", "LanePaused"]
    second = stage.send()
    assert len(stage.networks.refused) == 2, "nothing is sent on a lane that rests"
    stage.store(Network.APNS, C, A)
    stage.go_on(100)
    for delivery in (first, second):
        stage.attempt(delivery.next_attempt(0))
    assert sorted(token for _, token in stage.networks.taken) == sorted(DEVICES * 2)
    assert {key for key, _ in stage.networks.taken} == {KEY_C}


@pytest.mark.parametrize("known", [KEY_A, KEY_B])
def test_when_one_of_two_refused_keys_is_taken_again_the_lane_opens_for_the_fleet(
    stage: Stage, known: str
) -> None:
    """Apple did not know it for a while: whoever probes the lane finds out which one it is."""
    stage.store(Network.APNS, A, B)
    stage.install(Network.APNS)
    stage.networks.refuses |= {KEY_A: INVALID, KEY_B: INVALID}
    delivery = stage.send()
    del stage.networks.refuses[known]
    stage.go_on(100)
    stage.attempt(delivery.next_attempt(0))
    assert stage.networks.keys_of(DEVICES) == [known]
    assert not stage.paused(LANE)
    refused = len(stage.networks.refused)
    stage.send()
    assert len(stage.networks.taken) == 2 * len(DEVICES)
    assert len(stage.networks.refused) == refused, "the one that works comes first from now on"


@pytest.mark.parametrize(
    "text",
    ["", "not JSON", '{"live": []}', '{"type": "service_account"}', A],
)
def test_a_parameter_that_cannot_be_read_rests_the_lane_until_it_is_put_right(
    stage: Stage, text: str
) -> None:
    stage.store(Network.FCM, OLD)
    stage.install(Network.FCM)
    boto3.client("ssm").put_parameter(Name=PARAMETER[Network.FCM], Value=text or " ", Overwrite=True)
    delivery = stage.send()
    assert stage.paused("fcm:production")
    assert stage.open_standings(delivery) == [(0, 1)] * len(DEVICES)
    stage.store(Network.FCM, OLD)
    stage.go_on(100)
    stage.attempt(delivery.next_attempt(0))
    assert stage.networks.keys_of(DEVICES) == ["old"]


def test_a_deleted_parameter_rests_the_lane_until_it_is_there_again(stage: Stage) -> None:
    stage.store(Network.FCM, OLD)
    stage.install(Network.FCM)
    stage.send()
    stage.networks.taken.clear()
    boto3.client("ssm").delete_parameter(Name=PARAMETER[Network.FCM])
    read_anew(PARAMETER[Network.FCM], stage.go_on)
    delivery = stage.send()
    assert stage.networks.taken == []
    assert stage.paused("fcm:production")
    assert stage.counted == ["CredentialRefused", "LanePaused"]
    stage.store(Network.FCM, NEW)
    stage.go_on(100)
    stage.attempt(delivery.next_attempt(0))
    assert stage.networks.keys_of(DEVICES) == ["new"]


def test_a_throttled_ssm_makes_devices_wait_and_blames_no_credential(stage: Stage) -> None:
    stage.store(Network.FCM, OLD)
    stage.install(Network.FCM)
    with throttled_ssm():
        delivery = stage.send()
    assert stage.open_standings(delivery) == [(0, 1)] * len(DEVICES)
    assert not REFUSALS & set(stage.counted)
    stage.go_on(60)
    stage.attempt(delivery.next_attempt(0))
    assert stage.networks.keys_of(DEVICES) == ["old"]


def test_what_is_known_serves_while_ssm_is_throttled_also_the_other_live_one(stage: Stage) -> None:
    stage.store(Network.APNS, A, B)
    stage.install(Network.APNS)
    stage.send()
    stage.networks.taken.clear()
    stage.networks.refuses[KEY_A] = INVALID
    stage.go_on(1.3 * secrets.KEPT_S)
    with throttled_ssm():
        stage.send()
        assert settled()
    assert stage.networks.keys_of(DEVICES) == [KEY_B]


def test_a_service_account_without_a_grant_gives_way_to_the_other_over_the_same_connections(
    stage: Stage,
) -> None:
    stage.store(Network.FCM, NEW, OLD)
    stage.install(Network.FCM)
    stage.networks.no_grant["new"] = 400
    stage.send()
    assert stage.networks.keys_of(DEVICES) == ["old"]
    stage.networks.no_grant.clear()
    stage.networks.taken.clear()
    stage.go_on(RESTS_MS / 1000)
    stage.send()
    assert stage.networks.keys_of(DEVICES) == ["new"]
    assert len(stage.networks.carriers) == 1
    assert not stage.paused("fcm:acme-push")


@pytest.mark.parametrize("status", [429, 503])
def test_a_token_endpoint_that_is_out_of_order_refuses_no_credential(stage: Stage, status: int) -> None:
    stage.store(Network.FCM, NEW, OLD)
    stage.install(Network.FCM)
    stage.networks.no_grant["new"] = status
    delivery = stage.send()
    assert stage.open_standings(delivery) == [(0, 1)] * len(DEVICES)
    assert not REFUSALS & set(stage.counted)
    assert stage.networks.granted == [], "the other one fares no better there"


def test_a_stale_access_token_is_renewed_and_its_pushes_go_on(stage: Stage) -> None:
    stage.store(Network.FCM, OLD)
    stage.install(Network.FCM)
    stage.networks.stale.add("ya29.old.1")
    stage.send()
    assert stage.networks.keys_of(DEVICES) == ["old"]
    assert stage.networks.granted == ["old", "old"]
    assert stage.counted == []


@pytest.mark.parametrize(("status", "tried"), [(401, 2), (403, 1), (404, 1)])
def test_a_service_account_that_fcm_refuses_gives_way_to_the_other(
    stage: Stage, status: int, tried: int
) -> None:
    """401 after one renewal, since the access token may only be stale; the others will not change."""
    stage.store(Network.FCM, NEW, OLD)
    stage.install(Network.FCM)
    stage.networks.refuses["new"] = fcm_refusal(status)
    stage.send()
    assert stage.networks.keys_of(DEVICES) == ["old"]
    assert [key for key, _ in stage.networks.refused] == ["new"] * tried
    assert stage.networks.granted == ["new"] * tried + ["old"]


def test_a_single_service_account_that_fcm_refuses_is_asked_twice_and_no_more(stage: Stage) -> None:
    stage.store(Network.FCM, OLD)
    stage.install(Network.FCM)
    stage.networks.refuses["old"] = fcm_refusal(401)
    delivery = stage.send()
    assert len(stage.networks.refused) == 2 * len(DEVICES)
    assert stage.paused("fcm:acme-push")
    assert stage.open_standings(delivery) == [(0, 1)] * len(DEVICES)


def test_a_refusal_that_is_not_about_our_credential_changes_none(stage: Stage) -> None:
    """The APNs key that the Firebase project has for its iOS apps."""
    stage.store(Network.FCM, NEW, OLD)
    stage.install(Network.FCM)
    detail = {"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError"}
    error = {"code": 401, "details": [detail | {"errorCode": "THIRD_PARTY_AUTH_ERROR"}]}
    stage.networks.refuses["new"] = Answered(401, {}, json.dumps({"error": error}).encode())
    stage.send()
    assert {key for key, _ in stage.networks.refused} == {"new"}
    assert len(stage.networks.refused) == len(DEVICES)
    assert "CredentialRefused" not in stage.counted


def test_android_devices_do_not_wait_for_the_key_of_ios_devices_behind_fcm(stage: Stage) -> None:
    stage.store(Network.FCM, NEW)
    stage.install(Network.FCM)
    ios, *others = DEVICES
    detail = {"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError"}
    error = {"code": 401, "details": [detail | {"errorCode": "THIRD_PARTY_AUTH_ERROR"}]}
    stage.networks.refuses_device[ios] = Answered(401, {}, json.dumps({"error": error}).encode())
    stage.send()
    assert {token for _, token in stage.networks.taken} == set(others)
    assert not stage.paused("fcm:acme-push")
    assert stage.counted == ["DevicesRefused"]


def test_a_key_of_the_other_environment_gives_way_in_that_environment_only(stage: Stage) -> None:
    """Apple's keys of today are for one environment each."""
    stage.store(Network.APNS, A, B)
    for token in DEVICES:
        stage.world.install("u1", token, Network.APNS, Environment.SANDBOX)
    stage.world.install("u1", "ff" * 32, Network.APNS)
    stage.networks.refuses_in["sandbox", KEY_A] = apns_refusal("BadEnvironmentKeyIdInToken")
    stage.send()
    taken = {token: key for key, token in stage.networks.taken}
    assert {taken[token] for token in DEVICES} == {KEY_B}
    assert taken["ff" * 32] == KEY_A


def test_keys_for_one_environment_each_change_and_no_push_is_refused(stage: Stage) -> None:
    """Apple's keys of today: each of the four is asked in its own environment alone."""
    four = {
        name: json.loads(signing_key(name))
        for name in ("PROD000001", "PROD000002", "SAND000001", "SAND000002")
    }
    for key in four:
        other = "api" if key.startswith("SAND") else "sandbox"
        stage.networks.refuses_in[other, key] = apns_refusal("BadEnvironmentKeyIdInToken")
    for token in DEVICES:
        stage.world.install("u1", token, Network.APNS, Environment.SANDBOX)
    stage.world.install("u1", "ff" * 32, Network.APNS)

    def live(*keys: str) -> None:
        entries = [
            Live(
                apns_credential(json.dumps(four[key])),
                1,
                Environment.SANDBOX if key.startswith("SAND") else Environment.PRODUCTION,
            )
            for key in keys
        ]
        boto3.client("ssm").put_parameter(
            Name=PARAMETER[Network.APNS], Value=to_text(entries), Type="SecureString", Overwrite=True
        )
        apps.set_credential_parameter(APP, Network.APNS, PARAMETER[Network.APNS])

    for keys in (
        ("PROD000001", "SAND000001"),
        ("SAND000002", "PROD000001", "SAND000001"),
        ("PROD000002", "SAND000002", "PROD000001", "SAND000001"),
        ("PROD000002", "SAND000002"),
    ):
        live(*keys)
        stage.networks.taken.clear()
        stage.send()
        assert {token for _, token in stage.networks.taken} == {*DEVICES, "ff" * 32}
        read_anew(PARAMETER[Network.APNS], stage.go_on)
        stage.networks.taken.clear()
        stage.send()
        newest = {kind: next(key for key in keys if key.startswith(kind)) for kind in ("PROD", "SAND")}
        assert {key for key, token in stage.networks.taken if token in DEVICES} == {newest["SAND"]}
        assert {key for key, token in stage.networks.taken if token not in DEVICES} == {newest["PROD"]}
    assert stage.networks.refused == []
    assert stage.counted == []


def test_an_environment_without_a_key_rests_alone(stage: Stage) -> None:
    only = [Live(apns_credential(A), 1, Environment.PRODUCTION)]
    boto3.client("ssm").put_parameter(
        Name=PARAMETER[Network.APNS], Value=to_text(only), Type="SecureString", Overwrite=True
    )
    apps.set_credential_parameter(APP, Network.APNS, PARAMETER[Network.APNS])
    stage.world.install("u1", DEVICES[0], Network.APNS, Environment.SANDBOX)
    stage.world.install("u1", "ff" * 32, Network.APNS)
    stage.send()
    assert stage.networks.taken == [(KEY_A, "ff" * 32)]
    assert stage.paused(LANE.replace("production", "sandbox"))
    assert not stage.paused(LANE)


def test_no_secret_is_in_a_log(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    stage.store(Network.APNS, A)
    stage.install(Network.APNS)
    stage.networks.refuses[KEY_A] = INVALID
    with caplog.at_level(logging.INFO):
        stage.send()
    said = " ".join(str(vars(record)) for record in caplog.records)
    assert KEY_A in said
    assert secret_of(A) not in said


def secret_of(text: str) -> str:
    return str(json.loads(text)["private_key"]).splitlines()[1]


@contextmanager
def throttled_ssm() -> Iterator[None]:
    def get_parameter(**_: object) -> None:
        raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "no"}}, "GetParameter")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clients.ssm(), "get_parameter", get_parameter)
        yield
