"""Keys that are added, limited and revoked, and a connection's memory of its provider tokens."""

import time
from dataclasses import dataclass
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from local.fakes import credentials
from local.fakes.oauth import GRANT_TYPE
from local.waiting import NO_ANSWER_S
from tests.e2e.fakes.client import PORTS, TOKEN_URI, Fakes, control, reason, switched
from tests.e2e.fakes.wire import Wire, connected

pytestmark = pytest.mark.e2e

TEAM, TOPIC = credentials.APNS_TEAM_ID, credentials.APNS_TOPIC


@dataclass(frozen=True, slots=True)
class Key:
    key_id: str
    team_id: str
    private: str

    def token(self, age_s: int = 0) -> str:
        claims = {"iss": self.team_id, "iat": int(time.time()) - age_s}
        return jwt.encode(claims, self.private, algorithm="ES256", headers={"kid": self.key_id})


def _pem(key: Any) -> str:
    text: str = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return text


def registered(key_id: str, *, team_id: str = TEAM, **limits: Any) -> Key:
    """Another APNs key that the fakes know from now on."""
    private = _pem(ec.generate_private_key(ec.SECP256R1()))
    public = credentials.public_pem(private.encode())
    key = {"key_id": key_id, "team_id": team_id, "public_key": public, "topics": [TOPIC]} | limits
    control().post("/credentials/apns", json=key).raise_for_status()
    return Key(key_id, team_id, private)


def revoked(key_id: str) -> None:
    control().delete(f"/credentials/{key_id}").raise_for_status()


def on_own_connection(fakes: Fakes, token: str, **more: Any) -> httpx.Response:
    with httpx.Client(verify=fakes.trust, timeout=NO_ANSWER_S, http1=False, http2=True) as client:
        return Fakes(fakes.state, client, client).apns(authorization=f"bearer {token}", **more)


def test_a_key_that_is_registered_is_known_until_it_is_revoked(fakes: Fakes) -> None:
    second = registered("SECONDKEY1")
    assert on_own_connection(fakes, second.token()).status_code == 200
    assert fakes.apns().status_code == 200
    revoked(second.key_id)
    assert reason(on_own_connection(fakes, second.token())) == (403, "InvalidProviderToken")
    revoked(credentials.APNS_KEY_ID)
    assert reason(fakes.apns()) == (403, "InvalidProviderToken")
    assert control().delete(f"/credentials/{second.key_id}").status_code == 404
    control().post("/reset")
    assert fakes.apns().status_code == 200


def test_a_key_may_be_for_one_environment_only(fakes: Fakes) -> None:
    sandbox = registered("SANDBOXKEY", environment="sandbox")
    assert on_own_connection(fakes, sandbox.token(), port=PORTS.apns_sandbox).status_code == 200
    assert reason(on_own_connection(fakes, sandbox.token())) == (403, "BadEnvironmentKeyIdInToken")


def test_a_key_may_be_for_some_topics_only(fakes: Fakes) -> None:
    limited = registered("LIMITEDKEY", topics=["com.example.one", "com.example.two"])
    for topic, status in (("com.example.one", 200), ("com.example.two", 200), (TOPIC, 400)):
        answer = on_own_connection(fakes, limited.token(), apns_topic=topic)
        assert answer.status_code == status
    assert reason(answer) == (400, "TopicDisallowed")


def pushed(wire: Wire, fakes: Fakes, token: str) -> tuple[str, str | None]:
    return wire.answer(wire.push(fakes, bearer=token))


def test_a_connection_is_tied_to_its_first_team_and_family_of_keys(fakes: Fakes) -> None:
    own = fakes.usual_token
    sister = registered("SISTERKEY1")
    stranger = registered("STRANGERS1", team_id="STRANGERS0")
    of_topic = registered("TOPICKEY01", family="of a topic")
    with connected(fakes, alpn=["h2"]) as wire:
        assert pushed(wire, fakes, own) == ("200", None)
        for unrelated in (stranger, of_topic):
            assert pushed(wire, fakes, unrelated.token()) == ("403", "UnrelatedKeyIdInToken")
        assert pushed(wire, fakes, sister.token()) == ("200", None)
    switched(apns={"binds_connections": False})
    with connected(fakes, alpn=["h2"]) as wire:
        assert pushed(wire, fakes, own) == ("200", None)
        assert pushed(wire, fakes, stranger.token()) == ("200", None)


def test_a_connection_changes_its_provider_token_once_in_twenty_minutes(fakes: Fakes) -> None:
    tokens = [fakes.provider_token(age_s=age) for age in (0, 1, 2)]
    with connected(fakes, alpn=["h2"]) as wire:
        assert pushed(wire, fakes, tokens[0]) == ("200", None)
        assert pushed(wire, fakes, tokens[1]) == ("200", None)
        assert pushed(wire, fakes, tokens[2]) == ("429", "TooManyProviderTokenUpdates")
        assert pushed(wire, fakes, tokens[1]) == ("200", None)
        switched(apns={"token_change_s": None})
        assert pushed(wire, fakes, tokens[2]) == ("200", None)
    switched(apns={"token_change_s": 0.2})
    with connected(fakes, alpn=["h2"]) as wire:
        for token in tokens[:2]:
            assert pushed(wire, fakes, token) == ("200", None)
        time.sleep(0.25)
        assert pushed(wire, fakes, tokens[2]) == ("200", None)


def test_apns_own_clock_and_lifetime_decide_about_a_token(fakes: Fakes) -> None:
    switched(apns={"clock_offset_s": 3700})
    assert reason(fakes.apns()) == (403, "ExpiredProviderToken")
    switched(apns={"clock_offset_s": -600})
    assert reason(fakes.apns()) == (403, "InvalidProviderToken")
    switched(apns={"clock_offset_s": 0, "token_lifetime_s": 5})
    old = fakes.provider_token(age_s=10)
    assert reason(fakes.apns(authorization=f"bearer {old}")) == (403, "ExpiredProviderToken")


def service_account(key_id: str, **more: Any) -> str:
    """The private key of another one that the fakes know from now on."""
    private = _pem(rsa.generate_private_key(public_exponent=65537, key_size=2048))
    key = {
        "key_id": key_id,
        "client_email": credentials.CLIENT_EMAIL,
        "project_id": credentials.PROJECT_ID,
        "public_key": credentials.public_pem(private.encode()),
    }
    control().post("/credentials/google", json=key | more).raise_for_status()
    return private


def test_a_service_account_may_have_a_second_key_and_lose_the_first(fakes: Fakes) -> None:
    def granted(assertion: str) -> bool:
        form = {"grant_type": GRANT_TYPE, "assertion": assertion}
        return fakes.http1.post(TOKEN_URI, data=form).status_code == 200

    second = service_account("second")
    first_key = control().get("/credentials").json()["google"][0]["key_id"]
    assert granted(fakes.assertion(kid=first_key))
    assert granted(fakes.assertion(key=second, kid="second"))
    assert not granted(fakes.assertion(key=second, kid=first_key))
    revoked(first_key)
    assert not granted(fakes.assertion(kid=first_key))
    assert granted(fakes.assertion(key=second, kid="second"))


def test_an_account_of_another_project_may_only_send_where_it_was_allowed(fakes: Fakes) -> None:
    email = "other@other.iam.gserviceaccount.com"
    key = service_account("other", client_email=email, project_id="other")
    form = {"grant_type": GRANT_TYPE, "assertion": fakes.assertion(key=key, iss=email)}
    denied = fakes.fcm({"message": {"token": "t"}}, bearer=fakes.granted(form))
    assert (denied.status_code, denied.json()["error"]["status"]) == (403, "PERMISSION_DENIED")
    key = service_account(
        "other", client_email=email, project_id="other", may_send_to=[credentials.PROJECT_ID]
    )
    form = {"grant_type": GRANT_TYPE, "assertion": fakes.assertion(key=key, iss=email)}
    assert fakes.fcm({"message": {"token": "t"}}, bearer=fakes.granted(form)).status_code == 200


def test_access_tokens_may_be_revoked(fakes: Fakes) -> None:
    bearer = fakes.access_token()
    control().delete("/access-tokens").raise_for_status()
    refused = fakes.fcm({"message": {"token": "t"}}, bearer=bearer)
    assert (refused.status_code, refused.json()["error"]["status"]) == (401, "UNAUTHENTICATED")
    assert fakes.fcm({"message": {"token": "t"}}).status_code == 200


@pytest.mark.parametrize(
    ("network", "key"),
    [
        ("apns", {"key_id": "K", "team_id": "T", "topics": [], "public_key": "no PEM"}),
        ("apns", {"key_id": "K", "team_id": "T", "topics": []}),
        ("google", {"key_id": "K", "client_email": "e", "project_id": "p", "public_key": "no PEM"}),
    ],
)
def test_what_is_no_key_is_refused(fakes: Fakes, network: str, key: dict[str, Any]) -> None:
    answer = control().post(f"/credentials/{network}", json=key)
    assert answer.status_code == 400
    assert "public_key" in answer.json()["error"]
    assert len(control().get("/credentials").json()[network]) == 1
