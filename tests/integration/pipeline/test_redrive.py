"""redrive: a message that was given up is sent again, and leaves its place only once it is queued."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import cycle
from typing import Any

import boto3
import pytest

from fanfare.domain.push import CoarseArc, Cut, Delivery, Pace, Way
from fanfare.runtime import clients, codec, queues
from fanfare.runtime.queues import Outgoing
from operate import profile, redriving
from operate.application import main as fanfare
from operate.profile import Profile
from operate.redriving import Redriven
from tests.integration.pipeline.conftest import World
from tests.integration.pipeline.test_dispatch import accepted


@pytest.fixture
def place(world: World) -> Profile:
    return Profile("test", world.resources)


def give_up(world: World, *bodies: bytes) -> None:
    queues.send_all(world.resources["DeliveryDeadLetters"], [Outgoing(body) for body in bodies])


def keep_records(world: World, records: list[dict[str, Any]]) -> None:
    boto3.client("s3").put_object(
        Bucket=world.resources["StreamFailuresBucket"],
        Key="aws/lambda/x",
        Body=json.dumps({"payload": json.dumps({"Records": records})}),
    )


def test_dead_letters_go_back_to_their_queue(world: World, place: Profile) -> None:
    letter = Delivery(push=world.push(user="u1")).next_round()
    give_up(world, codec.encode(letter), b"not a delivery")
    assert redriving.letters(place, wait_s=0)["DeliveryDeadLetters"] == Redriven(sent=1, kept=1, left=1)
    assert world.queued("ExpressQueue", Delivery) == [letter]


def test_one_push_alone_can_be_sent_again(world: World, place: Profile) -> None:
    first, second = world.push(user="u1"), world.push(user="u1", id="m2")
    give_up(world, *(codec.encode(Delivery(push=push)) for push in (first, second)))
    found = redriving.letters(place, push="m2", wait_s=0)
    assert found["DeliveryDeadLetters"] == Redriven(sent=1, kept=1, left=1)
    assert [one.push.id for one in world.queued("ExpressQueue", Delivery)] == ["m2"]


def test_what_was_left_can_be_sent_again_at_once(world: World, place: Profile) -> None:
    first, second = world.push(user="u1"), world.push(user="u1", id="m2")
    give_up(world, *(codec.encode(Delivery(push=push)) for push in (first, second)))
    redriving.letters(place, push="m2", wait_s=0)
    assert redriving.letters(place, wait_s=0)["DeliveryDeadLetters"] == Redriven(sent=1, kept=0, left=0)


@contextmanager
def receiving(answer: Callable[[dict[str, Any]], bool]) -> Iterator[list[dict[str, Any]]]:
    """Let SQS answer a receive only where `answer` says so, and with nothing elsewhere; the receives."""
    asked: list[dict[str, Any]] = []
    client: Any = clients.sqs()
    receive = client.receive_message

    def receive_message(**parameters: Any) -> dict[str, Any]:
        asked.append(parameters)
        found: dict[str, Any] = receive(**parameters | {"WaitTimeSeconds": 0}) if answer(parameters) else {}
        return found

    client.receive_message = receive_message
    try:
        yield asked
    finally:
        client.receive_message = receive


def test_an_answer_with_nothing_is_not_the_end_and_all_of_sqs_is_asked(world: World, place: Profile) -> None:
    """A short poll may say that nothing is there beside a full queue."""
    give_up(world, *(codec.encode(Delivery(push=world.push(user="u1", id=f"m{n}"))) for n in range(25)))
    turns = cycle([False, True])
    with receiving(lambda asked: next(turns)) as asked:
        assert redriving.letters(place)["DeliveryDeadLetters"] == Redriven(sent=25, kept=0, left=0)
    assert all(one["WaitTimeSeconds"] > 0 for one in asked)


def test_what_the_queue_holds_and_does_not_hand_out_is_told(
    world: World, place: Profile, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    give_up(world, codec.encode(Delivery(push=world.push(user="u1"))))
    monkeypatch.setattr(profile, "local", lambda state: place)
    with receiving(lambda asked: False):
        assert fanfare(["redrive", "--push", "m1"]) == 4
    told = capsys.readouterr()
    assert "DeliveryDeadLetters: 0 sent again, 0 kept; the queue says that about 1 are left" in told.out
    assert "DeliveryDeadLetters: more is there than was received" in told.err
    assert fanfare(["redrive", "--push", "m1"]) == 0


def test_a_stack_that_cannot_be_asked_for_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    assert fanfare(["redrive", "--stack", "fanfare-prod"]) == 3
    assert capsys.readouterr().err == "You must specify a region.\n"


def test_what_the_other_functions_could_not_do_goes_back(world: World, place: Profile) -> None:
    coarse = CoarseArc(push=world.push(), cut=Cut(8, Way.BY_KEY, Pace.BULK))
    queues.send_all(world.resources["FanoutDeadLetters"], [Outgoing(codec.encode(coarse))])
    assert redriving.others(place, wait_s=0)["FanoutDeadLetters"] == Redriven(sent=1, kept=0, left=0)
    assert world.queued("FanoutQueue", CoarseArc) == [coarse.next_round()]
    assert set(redriving.others(place, wait_s=0).values()) == {Redriven(sent=0, kept=0, left=0)}


def test_stream_records_are_dispatched_and_their_file_goes(world: World, place: Profile) -> None:
    keep_records(world, [accepted(world.push(user="u1"))])
    assert redriving.records(place) == 1
    assert len(world.queued("ExpressQueue", Delivery)) == 1
    assert redriving.records(place) == 0


def test_stream_records_that_still_fail_stay_and_hold_up_no_other(world: World, place: Profile) -> None:
    broken = accepted(replace(world.push(user="u1")))
    broken["dynamodb"]["NewImage"]["push"]["S"] = "{"
    keep_records(world, [broken, accepted(world.push(user="u2"), 2)])
    assert redriving.records(place) == 1
    assert [one.push.user for one in world.queued("ExpressQueue", Delivery)] == ["u2"]
    assert boto3.client("s3").list_objects_v2(Bucket=place.resources["StreamFailuresBucket"])["KeyCount"] == 1
