"""The table from error to answer, and the answers to paths without a route."""

import json
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError
from pynamodb.exceptions import PutError

from fanfare.api import error_answers, unrouted
from fanfare.domain.errors import (
    Busy,
    FanfareError,
    InvalidInput,
    MethodNotAllowed,
    NotFound,
    NotImplementedHere,
    TopicNotFound,
    WrongToken,
)
from fanfare.runtime.queues import QueueError


def subclasses(error: type[FanfareError]) -> Iterator[type[FanfareError]]:
    for one in error.__subclasses__():
        yield one
        yield from subclasses(one)


def client_error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "m"}}, "PutItem")


@pytest.mark.parametrize("error", list(subclasses(FanfareError)))
def test_every_error_has_a_form_of_its_own(error: type[FanfareError]) -> None:
    assert error in error_answers._FORMS


def test_an_error_in_the_contract_s_form() -> None:
    error = TopicNotFound("100 % gone", topicID="t", objectScope={"appID": "A", "type": "APP"}, userID=None)

    answer = error_answers.answer(error, "r1", "GET /x")

    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/vnd.kii.TopicNotFoundException+json"
    assert answer.body is not None
    assert "%" not in answer.body
    assert json.loads(answer.body) == {
        "errorCode": "TOPIC_NOT_FOUND",
        "message": "100 % gone",
        "suppressed": [],
        "topicID": "t",
        "objectScope": {"appID": "A", "type": "APP"},
    }


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (InvalidInput("x"), 400, "INVALID_INPUT_DATA"),
        (WrongToken("x"), 403, "WRONG_TOKEN"),
        (Busy("x"), 503, "RESOURCE_TEMPORARILY_UNAVAILABLE"),
        (PutError(cause=client_error("ThrottlingException")), 503, "RESOURCE_TEMPORARILY_UNAVAILABLE"),
        (client_error("ProvisionedThroughputExceededException"), 503, "RESOURCE_TEMPORARILY_UNAVAILABLE"),
        (ConnectTimeoutError(endpoint_url="x"), 503, "RESOURCE_TEMPORARILY_UNAVAILABLE"),
        (PutError(cause=ConnectTimeoutError(endpoint_url="x")), 503, "RESOURCE_TEMPORARILY_UNAVAILABLE"),
        (QueueError("x"), 503, "RESOURCE_TEMPORARILY_UNAVAILABLE"),
        (PutError(cause=client_error("ValidationException")), 500, "UNDEFINED_ERROR"),
        (KeyError("x"), 500, "UNDEFINED_ERROR"),
    ],
)
def test_statuses(error: Exception, status: int, code: str) -> None:
    answer = error_answers.answer(error, "r1", "GET /x")

    assert answer.body is not None
    assert (answer.status_code, json.loads(answer.body)["errorCode"]) == (status, code)


def test_the_unexpected_tells_the_caller_nothing_but_the_request() -> None:
    answer = error_answers.answer(KeyError("secret"), "r1", "GET /x")

    assert answer.body is not None
    assert "r1" in answer.body
    assert "secret" not in answer.body


@pytest.mark.parametrize(
    "path",
    [
        *("things", "things/t/buckets/b/objects/o", "users/query", "users/me/password/request-reset"),
        *("groups/g/buckets/b/objects/o/body/publish", "installations/i/mqtt-endpoint"),
        *("users/u/buckets/b/push/subscriptions/users/u", "groups/g/buckets/b/push/subscriptions/users/u"),
        *("topics/t/push/subscriptions/things/x", "integration/webauth/connect"),
    ],
)
def test_what_kii_had_and_this_server_has_not_says_so(path: str) -> None:
    assert isinstance(unrouted.refusal(f"/api/apps/A/{path}", ()), NotImplementedHere)


@pytest.mark.parametrize(
    "path",
    ["/", "/api", "/api/apps/A", "/api/apps/A/nothing", "/api/apps/A/topics/t/x", "/api/apps/A/topics/t"],
)
def test_what_nobody_has_is_not_found(path: str) -> None:
    assert type(unrouted.refusal(path, ())) is NotFound


def test_a_path_that_exists_says_which_methods_it_takes() -> None:
    refused = unrouted.refusal("/api/apps/A/topics/t", {"PUT", "GET"})

    assert isinstance(refused, MethodNotAllowed)
    assert refused.details["allow"] == "GET, PUT"
