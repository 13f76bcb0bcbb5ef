"""sweep deletes the rows of deleted things only: a message may name a thing that exists, and a name may be
taken again. Further work is queued before its only trace is deleted."""

from collections.abc import Callable, Mapping
from typing import Any

import boto3
import pytest

from fanfare.domain.ring import place
from fanfare.domain.scope import Scope, Target, TargetKind
from fanfare.domain.sweeping import GroupSweep, TargetRecheck, UserSweep, sweep_of
from fanfare.runtime import clock, codec
from fanfare.store import definitions, groups, rechecks, recipients, subscriptions
from tests.integration.api.conftest import World
from tests.integration.aws_calls import Call, before_each, refusal

type Run = Callable[[object], None]


@pytest.fixture
def run(world: World, handler: Callable[[str], Any]) -> Run:
    """Return a function that gives sweep one message."""

    def give(value: object) -> None:
        event = {"Records": [{"messageId": "m", "body": codec.encode(value).decode()}]}
        assert handler("sweep")(event, None) == {"batchItemFailures": []}

    return give


def target(world: World, name: str = "t", scope: Scope | None = None) -> Target:
    found = definitions.find(TargetKind.TOPIC, scope or Scope(world.app.id), name)
    assert found is not None
    return found.target


def subscribe(world: World, name: str = "t") -> str:
    path = f"/topics/{name}/push/subscriptions/users/{world.alice.user}"
    assert world.alice("PUT", path).status == 204
    return path


def test_a_topic_that_stands_is_left_alone(world: World, run: Run) -> None:
    world.admin("PUT", "/topics/t")
    path = subscribe(world)
    run(sweep_of(target(world)))
    assert world.alice("GET", path).status == 204


def test_a_topic_made_anew_keeps_what_it_has_and_the_former_one_is_swept(world: World, run: Run) -> None:
    world.admin("PUT", "/topics/t")
    subscribe(world)
    former = target(world)
    world.admin("DELETE", "/topics/t")
    world.admin("PUT", "/topics/t")
    path = subscribe(world)
    run(sweep_of(former))
    assert world.alice("GET", path).status == 204
    assert not subscriptions.exists(former, world.alice.user)


def test_a_second_look_at_the_rights_to_a_topic_leaves_the_former_one_of_its_name_alone(
    world: World, tables: Mapping[str, str], run: Run, sweep: Callable[[], int]
) -> None:
    """The former topic's subscribers are not the new one's to judge: its own sweep takes them."""
    world.admin("PUT", "/topics/t")
    subscribe(world)
    former = target(world)
    world.admin("DELETE", "/topics/t")
    world.admin("PUT", "/topics/t")
    everybodys = "/topics/t/acl/SUBSCRIBE_TO_TOPIC/UserID:ANY_AUTHENTICATED_USER"
    assert world.admin("DELETE", everybodys).status == 204
    boto3.client("sqs").purge_queue(QueueUrl=tables["SweepQueue"])
    run(TargetRecheck(former, "look"))
    sweep()  # shard by shard
    assert subscriptions.exists(former, world.alice.user)


def test_a_recheck_whose_row_is_gone_goes_on_where_it_was(world: World, run: Run) -> None:
    """A message may lie among the dead letters for longer than the row of its recheck."""
    world.admin("PUT", "/topics/t")
    subscribe(world)
    world.admin("DELETE", "/topics/t/acl/SUBSCRIBE_TO_TOPIC/UserID:ANY_AUTHENTICATED_USER")
    run(TargetRecheck(target(world), "look", (place(world.alice.user)[0], "")))
    assert not subscriptions.exists(target(world), world.alice.user)


def test_a_recheck_that_is_sent_again_is_not_held_up_by_itself(
    world: World, run: Run, tables: Mapping[str, str], sweep: Callable[[], int]
) -> None:
    """The recheck began, ended as a dead letter, and comes again with another SQS ID before its row
    expires."""
    world.admin("PUT", "/topics/t")
    subscribe(world)
    world.admin("DELETE", "/topics/t/acl/SUBSCRIBE_TO_TOPIC/UserID:ANY_AUTHENTICATED_USER")
    boto3.client("sqs").purge_queue(QueueUrl=tables["SweepQueue"])
    look = TargetRecheck(target(world), "look")
    assert rechecks.take(world.app.id, look.subject, look.look, clock.now(), from_start=True)
    run(look)
    sweep()
    assert not subscriptions.exists(target(world), world.alice.user)


def test_a_group_that_stands_is_left_alone_and_one_made_anew_too(world: World, run: Run) -> None:
    app, alice, bob = world.app.id, world.alice, world.bob
    alice("PUT", "/groups/g", {"name": "g", "members": [bob.user]})
    alice("PUT", "/groups/g/topics/t")
    standing = groups.find(app, "g")
    assert standing is not None
    former = GroupSweep(app, "g", standing.ref)
    run(former)
    assert alice("GET", "/groups/g/topics/t").status == 204
    assert groups.is_member(app, bob.user, "g", standing.ref)

    alice("DELETE", "/groups/g")
    alice("PUT", "/groups/g", {"name": "g"})
    alice("PUT", "/groups/g/topics/t")
    run(former)
    assert alice("GET", "/groups/g/topics/t").status == 204
    assert not groups.is_member(app, bob.user, "g", standing.ref)
    assert definitions.find(TargetKind.TOPIC, former.scope, "t") is None


def test_of_a_deleted_user_s_groups_those_stay_that_others_own_or_are_in(
    world: World, sweep: Callable[[], int]
) -> None:
    app, alice, bob = world.app.id, world.alice, world.bob
    bob("PUT", "/groups/bobs", {"name": "bobs", "members": [alice.user]})
    alice("PUT", "/groups/both", {"name": "both", "members": [bob.user]})
    alice("PUT", "/groups/alone", {"name": "alone"})
    alice("PUT", "/groups/given", {"name": "given", "members": [bob.user]})
    alice("PUT", "/groups/given/owner", {"owner": bob.user})
    alice("DELETE", "/users/me")
    sweep()
    found = {name: groups.find(app, name) for name in ("bobs", "both", "alone", "given")}
    owners = {name: None if one is None else one.owner for name, one in found.items()}
    assert owners == {"bobs": bob.user, "both": "", "alone": None, "given": bob.user}


def test_a_user_who_stands_is_left_alone(world: World, run: Run) -> None:
    body = {"deviceType": "ANDROID", "installationRegistrationID": "t"}
    assert world.alice("POST", "/installations", body).status == 201
    run(UserSweep(world.app.id, world.alice.user))
    assert world.alice("GET", "/installations/ANDROID:t").status == 200


def test_a_user_who_is_marked_and_still_stands_is_deleted(
    world: World, run: Run, sweep: Callable[[], int]
) -> None:
    """The request that marked the user ended before it had deleted anything."""
    recipients.mark_deleting(world.app.id, world.alice.user, clock.now())
    run(UserSweep(world.app.id, world.alice.user))
    sweep()
    assert world.alice("GET", "/users/me").status == 403
    row = recipients.find(world.app.id, world.alice.user)
    assert row is not None
    told = {name: getattr(row, name) is not None for name in ("deleting_since", "deleted_at", "expires")}
    assert told == {"deleting_since": False, "deleted_at": True, "expires": True}


@pytest.fixture
def sweep_in_vain(
    tables: Mapping[str, str], handler: Callable[[str], Any]
) -> Callable[[Callable[[Call], bool]], None]:
    """Return a function that gives sweep the queued message while SQS refuses some sends; the message comes
    again."""
    sqs, url = boto3.client("sqs"), tables["SweepQueue"]

    def give(refused: Callable[[Call], bool]) -> None:
        [message] = sqs.receive_message(QueueUrl=url)["Messages"]
        record = {
            "messageId": "m",
            "receiptHandle": message["ReceiptHandle"],
            "eventSourceARN": f"arn:aws:sqs:us-east-1:000000000000:{url.rpartition('/')[2]}",
            "attributes": {"ApproximateReceiveCount": "1"},
            "body": message["Body"],
        }

        def refuse(_: int, call: Call) -> None:
            if call.operation.startswith("SendMessage") and refused(call):
                raise refusal(call.operation)

        with before_each(refuse):
            assert handler("sweep")({"Records": [record]}, None)["batchItemFailures"]
        handle = message["ReceiptHandle"]
        sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)

    return give


def test_a_group_whose_own_message_is_refused_stays_with_its_last_member(
    world: World, sweep_in_vain: Callable[[Callable[[Call], bool]], None], sweep: Callable[[], int]
) -> None:
    """A deleted user who is alone in a group takes it along: only its own sweep finds its topics then."""
    world.alice("PUT", "/groups/g", {"name": "g"})
    world.alice("DELETE", "/users/me")
    sweep_in_vain(lambda _: True)
    assert groups.find(world.app.id, "g") is not None
    sweep()
    assert groups.find(world.app.id, "g") is None


@pytest.mark.parametrize("refused", ["topics", "members"])
def test_what_cannot_be_queued_is_not_deleted_either(
    world: World,
    sweep_in_vain: Callable[[Callable[[Call], bool]], None],
    sweep: Callable[[], int],
    refused: str,
) -> None:
    """A group's topics and members lead to messages of their own: once they are deleted, nothing else
    would."""
    app, alice, bob = world.app.id, world.alice, world.bob
    alice("PUT", "/groups/g", {"name": "g", "members": [bob.user]})
    alice("PUT", "/groups/g/topics/t")
    gone = groups.find(app, "g")
    assert gone is not None
    scope = Scope(app, group="g", group_ref=gone.ref)
    alice("DELETE", "/groups/g")
    sweep_in_vain(lambda call: ("user_recheck" in str(call.parameters)) is (refused == "members"))
    assert refused == "members" or definitions.find(TargetKind.TOPIC, scope, "t") is not None
    assert groups.is_member(app, bob.user, "g", gone.ref)
    sweep()
    assert definitions.find(TargetKind.TOPIC, scope, "t") is None
    assert not groups.is_member(app, bob.user, "g", gone.ref)
