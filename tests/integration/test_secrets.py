"""Secrets: kept for minutes, and served for longer while SSM does not answer."""

from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from fanfare.runtime import clients, clock, secrets

ANSWER = {"Parameter": {"Name": "p", "Value": "text"}}


@pytest.fixture
def ssm(environment: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    with Stubber(clients.ssm()) as stub:
        yield stub
    secrets.forget()


def later(monkeypatch: pytest.MonkeyPatch) -> None:
    now = clock.now() + 1000 * (secrets.KEPT_S + 1)
    monkeypatch.setattr(clock, "now", lambda: now)


def test_a_secret_is_read_once_in_minutes(ssm: Stubber) -> None:
    ssm.add_response("get_parameter", ANSWER)
    assert [secrets.read("p"), secrets.read("p")] == ["text", "text"]


def test_what_is_kept_outlives_an_outage(ssm: Stubber, monkeypatch: pytest.MonkeyPatch) -> None:
    ssm.add_response("get_parameter", ANSWER)
    secrets.read("p")
    later(monkeypatch)
    ssm.add_client_error("get_parameter", "ThrottlingException")
    assert secrets.read("p") == "text"


def test_what_is_gone_is_not_served_any_more(ssm: Stubber, monkeypatch: pytest.MonkeyPatch) -> None:
    ssm.add_response("get_parameter", ANSWER)
    secrets.read("p")
    later(monkeypatch)
    ssm.add_client_error("get_parameter", "ParameterNotFound")
    with pytest.raises(secrets.SecretMissing):
        secrets.read("p")


def test_an_outage_at_the_first_reading_is_no_missing_secret(ssm: Stubber) -> None:
    ssm.add_client_error("get_parameter", "ThrottlingException")
    with pytest.raises(ClientError):
        secrets.read("p")
