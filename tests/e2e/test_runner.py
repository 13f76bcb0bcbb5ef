"""The runner against MiniStack: processes, front, streams and queues keep AWS's rules."""

import base64
import json
import os
import signal
import socket
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from local.processes import alive
from local.waiting import NO_ANSWER_S
from tests.e2e.tiny_stack import TinyStack, tiny_stack, until

pytestmark = pytest.mark.e2e
_FIRST_PORT = 14100


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TinyStack]:
    with tiny_stack(_FIRST_PORT, tmp_path_factory.mktemp("tiny")) as started:
        yield started


@pytest.fixture(autouse=True)
def fresh(stack: TinyStack) -> None:
    """Every test begins at rest, with empty notes."""
    stack.disturb()
    stack.rest()
    for name in ("follow", "work"):
        (stack.folder / name).unlink(missing_ok=True)


def _do(stack: TinyStack, deed: str) -> requests.Response:
    return requests.post(f"{stack.site}/do/{deed}", timeout=NO_ANSWER_S)


# ---------------------------------------------------------------- front


def test_a_declared_route_reaches_its_handler_with_the_event_of_api_gateway(stack: TinyStack) -> None:
    answer = requests.get(
        f"{stack.site}/echo/a%3Ab?x=1&x=2", headers={"X-Two": "b", "Cookie": "c=1; d=2"}, timeout=NO_ANSWER_S
    )
    event = answer.json()
    assert event["routeKey"] == "ANY /echo/{what}"
    assert event["rawPath"] == "/echo/a:b"
    assert event["pathParameters"] == {"what": "a:b"}
    assert event["rawQueryString"] == "x=1&x=2"
    assert event["queryStringParameters"] == {"x": "1,2"}
    assert event["headers"]["x-two"] == "b"
    assert event["cookies"] == ["c=1", "d=2"]
    assert event["requestContext"]["http"]["method"] == "GET"
    assert answer.headers["etag"] == '"1"'


def test_paths_are_not_tidied(stack: TinyStack) -> None:
    path = "//a//../b/?y"
    with socket.create_connection(("127.0.0.1", _FIRST_PORT), timeout=NO_ANSWER_S) as line:
        line.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: line.recv(65536), b""))
    event = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert (event["routeKey"], event["rawPath"]) == ("$default", "//a//../b/")


def test_a_vendor_type_comes_in_base64_and_json_as_text(stack: TinyStack) -> None:
    def event(kind: str) -> Any:
        headers = {"Content-Type": kind}
        return requests.post(
            f"{stack.site}/echo/x", data=b'{"a":1}', headers=headers, timeout=NO_ANSWER_S
        ).json()

    vendor = event("application/vnd.kii.SendPushMessageRequest+json")
    assert vendor["isBase64Encoded"] is True
    assert base64.b64decode(vendor["body"]) == b'{"a":1}'
    plain = event("application/json; charset=utf-8")
    assert (plain["isBase64Encoded"], plain["body"]) == (False, '{"a":1}')


def test_head_has_no_body(stack: TinyStack) -> None:
    with socket.create_connection(("127.0.0.1", _FIRST_PORT), timeout=NO_ANSWER_S) as line:
        line.sendall(b"HEAD /echo/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: line.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"\r\n\r\n")


def test_an_answer_without_a_status_is_json_and_base64_is_decoded(stack: TinyStack) -> None:
    inferred = _do(stack, "infer")
    assert (inferred.status_code, inferred.json()) == (200, {"plain": True})
    assert inferred.headers["content-type"] == "application/json"
    assert _do(stack, "bytes").content == base64.b64decode("iVBO")


def test_errors_exits_and_timeouts_are_a_500_and_the_next_request_is_served(stack: TinyStack) -> None:
    before = stack.ask("metrics")["web"]
    for deed in ("raise", "exit", "sleep"):
        answer = _do(stack, deed)
        assert (answer.status_code, answer.json()) == (500, {"message": "Internal Server Error"})
    assert requests.get(f"{stack.site}/echo/x", timeout=NO_ANSWER_S).status_code == 200
    after = stack.ask("metrics")["web"]
    assert after["errors"] == before["errors"] + 3
    assert after["timeouts"] == before["timeouts"] + 1
    log = (stack.folder / "logs" / "web.log").read_text()
    assert "ValueError: as told" in log
    assert "Task timed out after 4.00 seconds" in log


def test_a_body_over_ten_megabytes_is_refused(stack: TinyStack) -> None:
    answer = requests.post(f"{stack.site}/echo/x", data=b"x" * (10 * 1024 * 1024 + 1), timeout=NO_ANSWER_S)
    assert (answer.status_code, answer.json()) == (413, {"message": "Request Entity Too Large"})


def test_the_front_answers_preflight_requests_itself(stack: TinyStack) -> None:
    headers = {"Origin": "http://x", "Access-Control-Request-Method": "GET"}
    answer = requests.options(f"{stack.site}/echo/x", headers=headers, timeout=NO_ANSWER_S)
    assert (answer.status_code, answer.headers["access-control-allow-headers"]) == (204, "authorization")
    answer = requests.get(f"{stack.site}/echo/x", headers={"Origin": "http://x"}, timeout=NO_ANSWER_S)
    assert answer.headers["access-control-allow-origin"] == "*"


def test_a_process_has_the_environment_of_the_template_and_of_lambda(stack: TinyStack) -> None:
    seen = _do(stack, "look").json()
    environment = seen["environment"]
    assert environment["ITEMS_TABLE"] == "ItemsTable"
    assert environment["WORK_QUEUE_URL"] == stack.resources["WorkQueue"]
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == "web"
    assert "HOME" not in environment
    assert not any(Path(folder, "local", "runner").exists() for folder in seen["path"])
    assert 0 < seen["context"]["left"] <= 4000
    assert seen["context"]["name"] == "web"
    assert seen["context"]["memory"] == "128"


# ---------------------------------------------------------------- streams


def test_changes_reach_the_function_in_order_and_filtered(stack: TinyStack) -> None:
    for number in range(30):
        stack.put(f"order{number % 3}", n=str(number))
    stack.dynamodb.delete_item(TableName=stack.resources["ItemsTable"], Key={"pk": {"S": "order0"}})
    stack.rest()
    notes = stack.notes("follow")
    assert len(notes) == 30
    for key in ("order0", "order1", "order2"):
        seen = [int(note["dynamodb"]["NewImage"]["n"]["S"]) for note in _of(notes, key)]
        assert seen == sorted(seen)
    assert notes[0]["eventSourceARN"].startswith(
        "arn:aws:dynamodb:us-east-1:000000000000:table/ItemsTable/stream/"
    )
    assert {note["eventName"] for note in notes} == {"INSERT", "MODIFY"}


def test_a_record_that_keeps_failing_goes_to_s3_whole_and_the_others_go_on(stack: TinyStack) -> None:
    for number in range(8):
        stack.put(f"poison{number}", **({"raise": "yes"} if number == 3 else {}))
    stack.rest()
    seen = {note["dynamodb"]["Keys"]["pk"]["S"] for note in stack.notes("follow")}
    assert seen == {f"poison{number}" for number in range(8) if number != 3}
    bucket = stack.resources["FailuresBucket"]
    (found,) = stack.s3.list_objects_v2(Bucket=bucket)["Contents"]
    assert found["Key"].startswith("aws/lambda/")
    content = json.loads(stack.s3.get_object(Bucket=bucket, Key=found["Key"])["Body"].read())
    assert content["requestContext"]["condition"] == "RetryAttemptsExhausted"
    (record,) = json.loads(content["payload"])["Records"]
    assert record["dynamodb"]["Keys"] == {"pk": {"S": "poison3"}}
    stack.s3.delete_object(Bucket=bucket, Key=found["Key"])


def test_a_reported_record_and_those_after_it_come_again_those_before_it_do_not(stack: TinyStack) -> None:
    stack.disturb(delay_ms=200, seed=1)  # so that the five are one batch
    for number in range(5):
        stack.put("partial", n=str(number), **({"fail": "yes"} if number == 2 else {}))
    stack.rest()
    seen = [note["dynamodb"]["NewImage"]["n"]["S"] for note in _of(stack.notes("follow"), "partial")]
    assert seen[:2] == ["0", "1"]
    assert "2" not in seen
    assert max(Counter(seen).values()) == 1
    bucket = stack.resources["FailuresBucket"]
    for found in stack.s3.list_objects_v2(Bucket=bucket)["Contents"]:
        stack.s3.delete_object(Bucket=bucket, Key=found["Key"])


def _of(notes: list[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    return [note for note in notes if note["dynamodb"]["Keys"]["pk"]["S"] == key]


# ---------------------------------------------------------------- queues


def test_what_is_handled_is_deleted_and_what_fails_becomes_a_dead_letter(stack: TinyStack) -> None:
    stack.send({"name": "good"}, {"name": "bad", "fail": True})
    stack.rest()
    counts = Counter(json.loads(note["body"])["name"] for note in stack.notes("work"))
    assert counts == {"good": 1, "bad": 2}
    first, last = (note for note in stack.notes("work") if "bad" in note["body"])
    assert first["attributes"]["ApproximateReceiveCount"] == "1"
    assert last["attributes"]["ApproximateReceiveCount"] == "2"
    assert first["messageId"] == last["messageId"]
    assert first["eventSourceARN"] == "arn:aws:sqs:us-east-1:000000000000:WorkQueue"
    (dead,) = stack.sqs.receive_message(QueueUrl=stack.resources["WorkDeadLetters"])["Messages"]
    assert json.loads(dead["Body"])["name"] == "bad"


def test_what_an_invocation_used_is_written_down(stack: TinyStack) -> None:
    requests.delete(f"{stack.control}/invocations", timeout=NO_ANSWER_S).raise_for_status()
    stack.send({"name": "good"}, {"name": "bad", "fail": True})
    stack.rest()

    invoked = [one for one in stack.ask("invocations") if one["function"] == "work"]

    assert sum(one["records"] for one in invoked) >= 2
    assert all(one["queue"].endswith("WorkQueue") and one["bytes"] > 0 for one in invoked)
    assert all(one["handler"]["ms"] > 0 <= one["handler"]["cpu_ms"] for one in invoked)
    assert not any(one["failed"] for one in invoked), "a batch that fails in part has answered"


def test_a_killed_process_fails_its_batch_and_another_takes_its_place(stack: TinyStack) -> None:
    before = stack.ask("metrics")["work"]
    stack.send({"name": "killed", "sleep": 3})
    until(lambda: len(stack.notes("work")) == 1)
    (victim,) = [worker["pid"] for worker in stack.ask("functions")["work"] if worker["busy"]]
    assert victim == stack.notes("work")[0]["pid"]
    os.kill(victim, signal.SIGKILL)
    stack.rest()
    assert len(stack.notes("work")) == 2
    assert stack.notes("work")[1]["pid"] != victim
    after = stack.ask("metrics")["work"]
    assert (after["kills"], after["errors"]) == (before["kills"] + 1, before["errors"] + 1)


def test_no_more_processes_work_than_the_maximum_concurrency(stack: TinyStack) -> None:
    stack.send(*({"sleep": 0.3} for _ in range(12)))
    most = 0
    while not stack.ask("idle"):
        most = max(most, sum(worker["busy"] for worker in stack.ask("functions")["work"]))
    assert most == 2
    assert len({note["messageId"] for note in stack.notes("work")}) == 12


def test_events_come_twice_late_and_out_of_order_when_told(stack: TinyStack) -> None:
    stack.disturb(duplicate=1, shuffle=True, delay_ms=30, seed=7)
    for number in range(20):
        stack.put(f"twice{number % 4}", n=str(number))
        stack.send({"name": number})
    stack.rest()
    names = [json.loads(note["body"])["name"] for note in stack.notes("work")]
    assert set(Counter(names).values()) == {2}
    assert list(dict.fromkeys(names)) != list(range(20))
    changes = [int(note["dynamodb"]["NewImage"]["n"]["S"]) for note in stack.notes("follow")]
    assert set(Counter(changes).values()) == {2}
    for key in range(4):
        firsts = list(dict.fromkeys(change for change in changes if change % 4 == key))
        assert firsts == sorted(firsts)


def test_nothing_is_left_when_the_runner_ends(stack: TinyStack) -> None:
    """The last test here: it ends the runner."""
    _do(stack, "infer")
    pids = [worker["pid"] for workers in stack.ask("functions").values() for worker in workers]
    assert pids
    stack.runner.stop()
    assert not any(alive(pid) for pid in pids)
