"""The request to FCM and APNs for a device: path, headers and body."""

import json
from uuid import UUID

import pytest

from fanfare.domain.outcome.answer import Answer, Context, Provider, Transport
from fanfare.domain.outcome.consequence import OutcomeKind
from fanfare.domain.payload import ApnsPayload, FcmPayload
from fanfare.networks.apns import Apns, ApnsPush, apns_id
from fanfare.networks.credentials import apns_credential, fcm_credential
from fanfare.networks.failures import CredentialRefused
from fanfare.networks.fcm import Fcm
from fanfare.networks.oauth import AccessTokens
from fanfare.networks.provider_token import ProviderToken
from fanfare.networks.push_requests import Batch
from fanfare.networks.result import Answered, NotProcessed, Result, Unknown, outcome_of
from local.fakes.fcm_message import first_fault


class Recorder:
    """A sender that keeps its batch and returns success for everything."""

    def __init__(self) -> None:
        self.batch: Batch | None = None
        self.headers: dict[str, str] = {}
        self.renewed = 0

    def send(self, batch: Batch, *, deadline_s: float) -> list[Result]:
        assert deadline_s == 7.0
        batch.check()
        self.batch, self.headers = batch, dict(batch.headers)
        assert len(self.headers) == len(batch.headers)
        return [Answered(200, {}, b"")] * len(batch)

    def renew(self) -> None:
        self.renewed += 1

    def close(self) -> None:
        raise AssertionError("nobody asked for this")


PAYLOAD = FcmPayload(prefix=b'{"message":{', suffix=b',"data":{"a":"b"}}}')


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def access(service_account: str) -> AccessTokens:
    granted = iter(range(1, 100))

    def post(*_: object) -> Answer:
        return Answer(
            200, {}, json.dumps({"access_token": f"ya29.{next(granted)}", "expires_in": 3599}).encode()
        )

    return AccessTokens(fcm_credential(service_account), post=post)


def test_fcm(recorder: Recorder, access: AccessTokens) -> None:
    fcm = Fcm("acme-push", access, recorder)
    results = fcm.send(["dev-1", 'od"d\\'], PAYLOAD, deadline_s=7.0)
    assert len(results) == 2
    assert recorder.batch is not None
    assert recorder.batch.paths == b"/v1/projects/acme-push/messages:send"
    assert recorder.headers == {"content-type": "application/json", "authorization": "Bearer ya29.1"}
    assert not isinstance(recorder.batch.bodies, bytes)
    messages = [json.loads(body)["message"] for body in recorder.batch.bodies]
    assert messages == [{"token": "dev-1", "data": {"a": "b"}}, {"token": 'od"d\\', "data": {"a": "b"}}]


def test_fcm_is_given_a_bare_firebase_installation_id_as_such(
    recorder: Recorder, access: AccessTokens
) -> None:
    bare = "cFirebaseInstallation1"
    Fcm("acme-push", access, recorder).send([bare, f"{bare}:APA91b"], PAYLOAD, deadline_s=7.0)
    assert recorder.batch is not None
    messages = [json.loads(body)["message"] for body in recorder.batch.bodies if isinstance(body, bytes)]
    assert messages == [{"fid": bare, "data": {"a": "b"}}, {"token": f"{bare}:APA91b", "data": {"a": "b"}}]
    assert [first_fault({"message": one}) for one in messages] == [None, None]


def test_fcm_takes_a_fresh_credential_when_told(recorder: Recorder, access: AccessTokens) -> None:
    fcm = Fcm("acme-push", access, recorder)
    fcm.send([], PAYLOAD, deadline_s=7.0)
    fcm.send([], PAYLOAD, deadline_s=7.0)
    assert recorder.headers["authorization"] == "Bearer ya29.1"
    fcm.take_fresh_credential()
    fcm.send([], PAYLOAD, deadline_s=7.0)
    assert recorder.headers["authorization"] == "Bearer ya29.2"


def test_fcm_sends_nothing_without_a_credential(recorder: Recorder, service_account: str) -> None:
    refusing = AccessTokens(fcm_credential(service_account), post=lambda *_: Answer(400))
    with pytest.raises(CredentialRefused):
        Fcm("acme-push", refusing, recorder).send(["dev"], PAYLOAD, deadline_s=7.0)
    assert recorder.batch is None


@pytest.mark.parametrize(
    ("payload", "more"),
    [
        (ApnsPayload(b"{}", "background", 5), {"apns-push-type": "background", "apns-priority": "5"}),
        (
            ApnsPayload(b"{}", "alert", 10, "m-1", 0),
            {
                "apns-push-type": "alert",
                "apns-priority": "10",
                "apns-collapse-id": "m-1",
                "apns-expiration": "0",
            },
        ),
    ],
)
def test_apns(recorder: Recorder, apns_text: str, payload: ApnsPayload, more: dict[str, str]) -> None:
    credential = apns_credential(apns_text)
    token = ProviderToken(credential, now=lambda: 1_800_000_000_000)
    pushes = [ApnsPush("00ff", apns_id("m-1", "00ff")), ApnsPush("a/../b", apns_id("m-1", "a/../b"))]
    Apns("com.example", token, recorder).send(pushes, payload, deadline_s=7.0)
    assert recorder.headers == {
        "authorization": f"bearer {token.bearer()}",
        "apns-topic": "com.example",
        **more,
    }
    assert recorder.batch is not None
    assert recorder.batch.paths == [
        b"/3/device/00ff",
        b"/3/device/a%2F..%2Fb",
    ], "a token stays within its place in the path"
    assert recorder.batch.bodies == b"{}"
    assert recorder.batch.own_name == "apns-id"
    assert recorder.batch.own_values == [push.apns_id.encode() for push in pushes]


def test_apns_takes_a_fresh_credential_on_a_new_connection(recorder: Recorder, apns_text: str) -> None:
    now_ms = [1_800_000_000_000]
    apns = Apns("t", ProviderToken(apns_credential(apns_text), now=lambda: now_ms[0]), recorder)
    apns.send([], ApnsPayload(b"", "alert", 10), deadline_s=7.0)
    before = recorder.headers["authorization"]
    now_ms[0] += 2_400_000
    apns.take_fresh_credential()
    apns.send([], ApnsPayload(b"", "alert", 10), deadline_s=7.0)
    assert recorder.headers["authorization"] != before
    assert recorder.renewed == 1


def test_apps_of_one_team_share_its_connections(recorder: Recorder, apns_text: str) -> None:
    apns = Apns("one", ProviderToken(apns_credential(apns_text), now=lambda: 1_800_000_000_000), recorder)
    payload = ApnsPayload(b"{}", "alert", 10)
    for topic, sender in (("one", apns), ("two", apns.for_topic("two"))):
        sender.send([ApnsPush("00ff", "id")], payload, deadline_s=7.0)
        assert recorder.headers["apns-topic"] == topic


def test_an_apns_id_is_the_same_for_every_attempt_and_another_for_every_push() -> None:
    assert apns_id("m", "t") == apns_id("m", "t")
    assert len({apns_id(m, t) for m in "abc" for t in "xyz"}) == 9
    assert str(UUID(apns_id("m", "t"))) == apns_id("m", "t"), "lower case, in the canonical form"


def test_a_result_has_the_outcome_of_its_answer_or_its_silence() -> None:
    context = Context(credential_attempt=2)
    assert (
        outcome_of(Provider.FCM, Answered(401, {}, b""), context).kind is OutcomeKind.PAUSE_ALARM_CREDENTIAL
    )
    late = outcome_of(Provider.APNS, Unknown(Transport.READ_TIMEOUT))
    assert (late.retry_after_s, late.unknown) == (5, True)
    unsent = outcome_of(Provider.APNS, NotProcessed(Transport.NOT_SENT))
    assert (unsent.retry_after_s, unsent.unknown, unsent.spends_attempt) == (0, False, False)
    blamed = outcome_of(Provider.APNS, Unknown(Transport.GOAWAY_FOR_TOKENS))
    assert (blamed.kind, blamed.unknown) == (OutcomeKind.RETRY_AFTER_DELAY, True)


def test_only_https_endpoints(service_account: str, apns_text: str) -> None:
    with pytest.raises(ValueError, match="not https"):
        Fcm.at("http://fcm.googleapis.com", fcm_credential(service_account))
    with pytest.raises(ValueError, match="not https"):
        Apns.at("http://api.push.apple.com", apns_credential(apns_text))
