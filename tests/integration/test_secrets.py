"""Secrets: kept for minutes, and served for longer while SSM does not answer."""

import threading
from collections.abc import Iterator, Mapping
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from fanfare.runtime import clients, clock, secrets
from tests.integration.refreshed import settled

OLD_S = round(1.3 * secrets.KEPT_S)
"""Seconds after which every secret is read again."""
ANSWER = {"Parameter": {"Name": "p", "Value": "text"}}


@pytest.fixture
def ssm(environment: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    with Stubber(clients.ssm()) as stub:
        yield stub
    secrets.forget()


def later(monkeypatch: pytest.MonkeyPatch, seconds: int = secrets.KEPT_S) -> None:
    now = clock.now() + 1000 * (seconds + 1)
    monkeypatch.setattr(clock, "now", lambda: now)


def test_a_secret_is_read_once_in_minutes(ssm: Stubber) -> None:
    ssm.add_response("get_parameter", ANSWER)
    assert [secrets.read("p"), secrets.read("p")] == ["text", "text"]


def test_what_is_kept_outlives_an_outage(ssm: Stubber, monkeypatch: pytest.MonkeyPatch) -> None:
    ssm.add_response("get_parameter", ANSWER)
    secrets.read("p")
    later(monkeypatch, OLD_S)
    ssm.add_client_error("get_parameter", "ThrottlingException")
    assert secrets.read("p") == "text"
    assert settled()
    assert secrets.read("p") == "text"
    ssm.assert_no_pending_responses()


def test_what_is_kept_is_given_at_once_and_read_anew_beside(
    ssm: Stubber, monkeypatch: pytest.MonkeyPatch
) -> None:
    ssm.add_response("get_parameter", ANSWER)
    secrets.read("p")
    later(monkeypatch, OLD_S)
    ssm.add_response("get_parameter", {"Parameter": {"Name": "p", "Value": "changed"}})
    assert secrets.read("p") == "text"
    assert settled()
    assert secrets.read("p") == "changed"


def test_nobody_waits_for_ssm_with_the_secret_in_memory(
    environment: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()
    answers = iter(["text", "changed"])

    def get_parameter(**parameters: object) -> Mapping[str, object]:
        value = next(answers)
        if value == "changed":
            gate.wait(20)
        return {"Parameter": {"Value": value}}

    monkeypatch.setattr(clients, "ssm", lambda: SimpleNamespace(get_parameter=get_parameter))
    secrets.read("hung")
    later(monkeypatch, OLD_S)
    assert [secrets.read("hung") for _ in range(5)] == ["text"] * 5  # each would wait for the gate
    gate.set()
    assert settled()
    assert secrets.read("hung") == "changed"
    secrets.forget()


def test_what_is_gone_is_not_served_any_more(ssm: Stubber, monkeypatch: pytest.MonkeyPatch) -> None:
    ssm.add_response("get_parameter", ANSWER)
    secrets.read("p")
    later(monkeypatch, OLD_S)
    ssm.add_client_error("get_parameter", "ParameterNotFound")
    assert secrets.read("p") == "text"
    assert settled()
    with pytest.raises(secrets.SecretMissing):
        secrets.read("p")


def test_an_outage_at_the_first_reading_is_no_missing_secret(
    ssm: Stubber, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secrets, "FIRST_READ_S", 0)
    ssm.add_client_error("get_parameter", "ThrottlingException")
    with pytest.raises(ClientError):
        secrets.read("p")


def test_the_first_reading_tries_again_where_ssm_has_too_many(
    ssm: Stubber, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secrets, "pause_s", lambda waited_s: 0.001)
    for _ in range(3):
        ssm.add_client_error("get_parameter", "ThrottlingException")
    ssm.add_response("get_parameter", ANSWER)
    assert secrets.read("p") == "text"


def test_who_was_refused_reads_past_what_is_kept(ssm: Stubber, monkeypatch: pytest.MonkeyPatch) -> None:
    ssm.add_response("get_parameter", ANSWER)
    secrets.read("p")
    later(monkeypatch, secrets.ASKED_S)
    ssm.add_response("get_parameter", {"Parameter": {"Name": "p", "Value": "changed"}})
    assert secrets.read("p", secrets.ASKED_S) == "changed"
    assert secrets.read("p") == "changed"


def test_nobody_asks_more_often_than_every_few_seconds(ssm: Stubber, monkeypatch: pytest.MonkeyPatch) -> None:
    ssm.add_response("get_parameter", ANSWER)
    assert [secrets.read("p", secrets.ASKED_S) for _ in range(3)] == ["text"] * 3


def test_an_outage_and_a_missing_secret_are_not_asked_about_at_every_reading(
    ssm: Stubber, monkeypatch: pytest.MonkeyPatch
) -> None:
    ssm.add_response("get_parameter", ANSWER)
    secrets.read("p")
    later(monkeypatch, OLD_S)
    ssm.add_client_error("get_parameter", "ThrottlingException")
    assert [(secrets.read("p"), settled()) for _ in range(3)] == [("text", True)] * 3
    ssm.add_client_error("get_parameter", "ParameterNotFound")
    for _ in range(3):
        with pytest.raises(secrets.SecretMissing):
            secrets.read("none")
    assert settled()
    ssm.assert_no_pending_responses()


def test_many_want_a_secret_and_one_asks(environment: None, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    gate = threading.Event()

    def get_parameter(**parameters: object) -> Mapping[str, object]:
        asked.append(str(parameters["Name"]))
        gate.wait(60)
        return ANSWER

    monkeypatch.setattr(clients, "ssm", lambda: SimpleNamespace(get_parameter=get_parameter))
    got: list[str] = []
    threads = [threading.Thread(target=lambda: got.append(secrets.read("p"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    gate.set()
    for thread in threads:
        thread.join(60)
    assert (got, asked) == (["text"] * 8, ["p"])
