"""Another request between the reads and the writes of a change of devices does no harm, at any moment.

The other request comes as a whole before each call of the first one in turn, so these tests know no guard by
name; a comment says which guards a test is about.
"""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress

import boto3
import pytest

from fanfare.domain.device import Environment, Network
from fanfare.domain.errors import UserNotFound
from fanfare.domain.push import Delivery
from fanfare.networks.result import Answered
from fanfare.pipeline.purge import purge
from fanfare.store import installations, recipients, subscriptions
from tests.integration.aws_calls import Call, before_each, every_moment, refusal
from tests.integration.pipeline.conftest import APP, GONE, TOPIC, World, deliver_one


def owners(world: World) -> dict[str, str]:
    """The owner of each device token. Installations and Recipients have to agree on it."""
    table = boto3.client("dynamodb")
    installed: dict[str, str] = {}
    for row in table.scan(TableName=world.resources["InstallationsTable"])["Items"]:
        found = installations.find(APP, row["pk"]["S"].partition("#")[2])
        assert found is not None
        installed[found.device.token] = found.user
    held: dict[str, str] = {}
    for row in table.scan(TableName=world.resources["RecipientsTable"])["Items"]:
        user = row["sk"]["S"].partition("#")[2]
        tokens = [packed.rpartition(":")[2] for value in row.values() for packed in value.get("SS", ())]
        assert int(row.get("devices", {"N": "0"})["N"]) == len(tokens), f"miscounted: {user}"
        for token in tokens:
            assert token not in held, f"{token} is held by {user} and by {held[token]}"
            held[token] = user
    assert held == installed
    return installed


def installed_by(world: World, user: str, token: str, *, later: bool = False) -> None:
    if later:
        world.clock.go_on(1)
    world.install(user, token, Network.APNS)


def proof(world: World, user: str, token: str) -> str:
    """The message to purge that follows from a push to the user, as it is queued."""
    world.networks.answers.setdefault(token, [GONE])
    deliver_one(world.deliverer, Delivery(push=world.push(user=user, id=f"m-{token}")), lambda: 30.0)
    sqs, url = boto3.client("sqs"), world.resources["PurgeQueue"]
    [message] = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return message["Body"]


@pytest.mark.parametrize("rival", ["the same user", "another user"])
def test_an_installation_that_changes_while_purge_is_about_it_stays(world: World, rival: str) -> None:
    """Two guards, and each alone leaves a gap: purge compares the generation that it read with the row
    (alone this misses a change before the delete), and the delete has it as its condition (alone, on a
    generation read anew, this misses a change between the two reads)."""
    bodies: dict[str, str] = {}

    def prove(token: str) -> None:
        installed_by(world, f"u-{token}", token)
        bodies[token] = proof(world, f"u-{token}", token)

    def purge_it(token: str) -> None:
        purge({"messageId": "1", "body": bodies[token]}, world.clock)

    def install(token: str) -> None:
        installed_by(world, f"u-{token}" if rival == "the same user" else f"v-{token}", token, later=True)

    for token in every_moment(prove, purge_it, install):
        assert owners(world)[token] == (f"u-{token}" if rival == "the same user" else f"v-{token}")
    assert "ab" not in owners(world), "what nothing came between is deleted"


def test_what_was_read_before_it_changed_is_not_removed(world: World) -> None:
    installed_by(world, "u1", "ab")
    [read] = installations.of_user(APP, "u1")
    installed_by(world, "u1", "ab", later=True)
    assert not installations.remove(read)
    assert owners(world) == {"ab": "u1"}
    [now] = installations.of_user(APP, "u1")
    assert installations.remove(now)
    assert owners(world) == {}


def test_a_token_registered_after_the_networks_time_stays(world: World) -> None:
    """Two guards, and each alone holds where the other does: deliver compares the times itself, as far as it
    can read when the device was registered, and purge does by the time in the proof, which is the network's.
    With the reading refused only purge's is left, and a proof with the time of the send would delete."""

    def gone(at: int) -> Answered:
        return Answered(410, {}, b'{"reason":"Unregistered","timestamp":%d}' % at)

    def unreadable(_: int, call: Call) -> None:
        tables = call.parameters.get("RequestItems", {})
        if call.operation == "BatchGetItem" and world.resources["InstallationsTable"] in tables:
            raise refusal(call.operation)

    installed_by(world, "u1", "ab")
    installed_by(world, "u2", "cd")
    registered = world.clock()
    world.networks.answers |= {"ab": [gone(registered - 1_000)], "cd": [gone(registered)]}
    world.clock.go_on(5)
    for user, token in (("u1", "ab"), ("u2", "cd")):
        with before_each(unreadable):
            body = proof(world, user, token)
        purge({"messageId": "1", "body": body}, world.clock)
    assert owners(world) == {"ab": "u1"}, "the token that died after it was registered goes, the other stays"


def test_a_registration_newer_than_the_410_is_no_proof(world: World) -> None:
    installed_by(world, "u1", "ab")
    died = world.clock() - 1_000
    world.networks.answers["ab"] = [GONE._replace(body=b'{"reason":"Unregistered","timestamp":%d}' % died)]
    deliver_one(world.deliverer, Delivery(push=world.push(user="u1")), lambda: 30.0)
    assert "Messages" not in boto3.client("sqs").receive_message(QueueUrl=world.resources["PurgeQueue"])


def new(world: World, token: str) -> None:
    """The device is nobody's."""


def taken(world: World, token: str) -> None:
    """The device is another user's, and moves with the install."""
    installed_by(world, f"old-{token}", token)


def other_environment(world: World, token: str) -> None:
    world.install(f"u-{token}", token, Network.APNS, Environment.SANDBOX)


def full(world: World, token: str) -> None:
    """The user has as many devices as a user may have: the oldest goes with the install."""
    for number in range(2):
        installed_by(world, f"u-{token}", f"{token}f{number}", later=True)


type Scene = Callable[[World, str], None]
SCENES: tuple[Scene, ...] = (new, taken, other_environment, full)


@pytest.fixture
def few_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two devices are all that a user may have."""
    for module in (installations, recipients):
        monkeypatch.setattr(module, "MAX_DEVICES", 2, raising=False)
    few = {**(installations.install.__kwdefaults__ or {}), "most": 2}
    monkeypatch.setattr(installations.install, "__kwdefaults__", few)


@pytest.mark.usefixtures("few_devices")
@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_no_install_comes_through_for_a_user_who_is_marked_meanwhile(world: World, scene: Scene) -> None:
    """Two guards: the mark is looked for in the rows that were read, and a condition of the transaction.

    The condition alone holds (the install then fails as busy after many tries); the look alone does not.
    """
    answers: Counter[str] = Counter()
    before: dict[str, str] = {}

    def prepare(token: str) -> None:
        scene(world, token)
        before.update(owners(world))

    def install(token: str) -> None:
        answers[token] += 1
        with suppress(UserNotFound):
            installed_by(world, f"u-{token}", token)
            del answers[token]

    for token in every_moment(
        prepare, install, lambda token: recipients.mark_deleting(APP, f"u-{token}", world.clock())
    ):
        assert answers[token] == 1, "refused"
        assert owners(world).get(token) == before.get(token)
        for one in installations.of_user(APP, f"u-{token}"):
            assert one.environment is (
                Environment.SANDBOX if scene is other_environment else Environment.PRODUCTION
            )
        assert set(before) - set(owners(world)) <= {"abf0"}, "nothing was pushed out"


def test_no_subscription_comes_through_for_a_user_who_is_marked_meanwhile(world: World) -> None:
    """Two guards, as with the install: the condition alone holds."""
    refused: set[str] = set()

    def subscribe(scene: str) -> None:
        try:
            subscriptions.subscribe(TOPIC, f"u-{scene}", world.clock())
        except UserNotFound:
            refused.add(scene)

    def mark(scene: str) -> None:
        recipients.mark_deleting(APP, f"u-{scene}", world.clock())

    for scene in every_moment(lambda _: None, subscribe, mark):
        assert scene in refused
        assert not subscriptions.exists(TOPIC, f"u-{scene}")
    assert subscriptions.exists(TOPIC, "u-ab"), "nobody was in its way"


def another_user(world: World, token: str) -> None:
    installed_by(world, f"another-{token}", token)


def the_old_owner(world: World, token: str) -> None:
    installed_by(world, f"old-{token}", token)


def the_same_user(world: World, token: str) -> None:
    installed_by(world, f"u-{token}", token)


def an_uninstall(world: World, token: str) -> None:
    for one in installations.of_user(APP, f"old-{token}"):
        installations.remove(one)


RIVALS: tuple[Scene, ...] = (another_user, the_old_owner, the_same_user, an_uninstall)


@pytest.mark.usefixtures("few_devices")
@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_of_two_installs_the_last_to_end_owns_the_device(
    world: World, scene: Scene, subtests: pytest.Subtests
) -> None:
    """Two guards: the installation is written on condition of its generation, and the old owner's row in the
    same transaction. Neither holds alone."""
    for number, rival in enumerate(RIVALS):
        with subtests.test(rival=rival.__name__):
            for token in every_moment(
                lambda token: scene(world, token),
                lambda token: installed_by(world, f"u-{token}", token),
                lambda token, rival=rival: rival(world, token),  # type: ignore[misc]
                f"ab{number}",
            ):
                assert owners(world)[token] == f"u-{token}"


@pytest.mark.usefixtures("few_devices")
@pytest.mark.usefixtures("few_devices")
def test_a_device_that_is_refreshed_while_it_is_to_make_room_stays(world: World) -> None:
    """It is the oldest no longer: the other one goes. Where it leaves the user altogether, the condition on
    the user's row holds as well; here only the condition on its own row does."""
    for token in every_moment(
        lambda token: full(world, token),
        lambda token: installed_by(world, f"u-{token}", token, later=True),
        lambda token: installed_by(world, f"u-{token}", f"{token}f0", later=True),
    ):
        mine = {one for one, owner in owners(world).items() if owner == f"u-{token}"}
        assert mine == {token, f"{token}f0"}


@pytest.mark.usefixtures("few_devices")
def test_two_devices_that_take_the_last_room_at_once_are_not_one_too_many(world: World) -> None:
    for token in every_moment(
        lambda token: installed_by(world, f"u-{token}", f"{token}f0"),
        lambda token: installed_by(world, f"u-{token}", token, later=True),
        lambda token: installed_by(world, f"u-{token}", f"{token}f1", later=True),
    ):
        mine = {one for one, owner in owners(world).items() if owner == f"u-{token}"}
        assert mine == {token, f"{token}f1"}, "the oldest made room"


@pytest.mark.usefixtures("few_devices")
def test_the_tables_agree_between_any_two_calls(world: World, subtests: pytest.Subtests) -> None:
    """A push that is sent just then must reach nobody's former device, and a function may die there."""

    def install_and_remove(token: str) -> None:
        installed_by(world, f"u-{token}", token)
        for one in installations.of_user(APP, f"u-{token}"):
            installations.remove(one)

    for number, scene in enumerate(SCENES):
        with subtests.test(scene=scene.__name__), before_each(lambda *_: owners(world)):
            scene(world, f"ab{number}")
            install_and_remove(f"ab{number}")


@pytest.mark.parametrize("where", Environment)
def test_the_row_of_a_deleted_user_stays_while_a_device_is_in_it(world: World, where: Environment) -> None:
    """By that row the device is found and taken out: without it, the installation would stay for ever."""
    world.install("u1", "ab", Network.APNS, where)
    recipients.mark_deleting(APP, "u1", world.clock())
    assert not recipients.deleted(APP, "u1", world.clock(), expires=0)
    [one] = installations.of_user(APP, "u1")
    installations.remove(one)
    assert recipients.deleted(APP, "u1", world.clock(), expires=0)
