"""One device, one owner, one row: for all its tokens, and in every order of events."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import permutations

import pytest

from fanfare.domain.device import Device, DeviceType, Environment, Network, device
from fanfare.domain.parameters import Parameter
from fanfare.domain.proof import Proof, Report
from fanfare.domain.push import Delivery
from fanfare.pipeline.purge import purge
from fanfare.runtime import codec
from fanfare.runtime.sqs_batch import Record
from fanfare.store import apps, installations, ledger, recipients, row
from fanfare.store.apps import App
from fanfare.store.installations import Installation, InstallationRow
from tests.integration.pipeline.conftest import APP, BUSY, OK, World, deliver_one

FIREBASE_ID = "dK3_fanfareTEST-abcdef"
OLD, NEW, BARE = f"{FIREBASE_ID}:old", f"{FIREBASE_ID}:new", FIREBASE_ID
ANN, BEN = "ann", "ben"


def put(world: World, user: str, token: str) -> Installation:
    """Install, a second after the last event."""
    world.clock.go_on(1)
    return installations.install(APP, user, Device.fcm(token), Environment.PRODUCTION, world.clock)


def pushed(world: World, user: str) -> list[str]:
    """The device tokens that a push to the user reaches now."""
    before = len(world.networks.received)
    world.clock.go_on(1)
    deliver_one(world.deliverer, Delivery(push=world.push(user=user, id=f"m{world.clock()}")), lambda: 30.0)
    return world.networks.received[before:]


def prove_dead(world: World, one: Installation) -> None:
    """A network says for certain that the token which the installation had is dead."""
    now = world.clock()
    proof = Proof(
        installation=one.id,
        user=one.user,
        token=one.device.token_digest,
        at=now,
        sent_at=now,
        sublane="fcm:p/ANDROID",
        reason="UNREGISTERED",
    )
    record: Record = {"messageId": "1", "body": codec.encode(Report(app=APP, proofs=[proof])).decode()}
    purge(record, world.clock)


def held(user: str) -> set[str]:
    return {packed for one in recipients.by_key(APP, [user]) for packed in one.devices}


def rows() -> dict[str, str]:
    """The rows of Installations: owner by packed device."""
    return {one.device: one.owner.partition("#")[2] for one in InstallationRow.scan()}


def clean(world: World) -> None:
    for one in InstallationRow.scan():
        installations.remove(found(one.pk.partition("#")[2]))


def found(installation_id: str) -> Installation:
    one = installations.find(APP, installation_id)
    assert one is not None
    return one


@pytest.mark.parametrize("number", [3, pytest.param(5, marks=pytest.mark.long)])
def test_in_every_order_of_events_the_last_install_has_the_device(
    world: World, subtests: pytest.Subtests, number: int
) -> None:
    """If ann's first install comes after others, it is a late one of the old token.

    An old proof is about the installation as it was before the last event: about a former token, or owner. It
    comes late, with the time of now.
    """
    events: dict[str, Callable[[list[Installation]], object]] = {
        "ann installs": lambda _: (ANN, OLD),
        "ann's token is refreshed": lambda _: (ANN, NEW),
        "ann's app goes over to installation IDs": lambda _: (ANN, BARE),
        "ben installs": lambda _: (BEN, NEW),
        "an old proof": lambda before: before[-2] if len(before) > 1 else None,
    }
    for order in permutations(events, number):
        with subtests.test(order=order):
            clean(world)
            before: list[Installation] = []
            for name in order:
                match events[name](before):
                    case (str(user), str(token)):
                        before.append(put(world, user, token))
                    case Installation() as former:
                        world.clock.go_on(1)
                        prove_dead(world, former)
            owner, token = before[-1].user, before[-1].device.token
            other = BEN if owner == ANN else ANN
            assert rows() == {f"fcm:{token}": owner}
            assert (held(owner), held(other)) == ({f"fcm:{token}"}, set())
            assert [int(row.devices or 0) for row in (recipients.find(APP, owner),) if row] == [1]
            assert (pushed(world, owner), pushed(world, other)) == ([token], [])


def test_a_device_that_refreshes_its_token_while_a_push_waits_gets_it_on_the_new_one(world: World) -> None:
    put(world, ANN, OLD)
    world.networks.answers[OLD] = [BUSY, OK]
    delivery = Delivery(push=world.push(user=ANN))
    deliver_one(world.deliverer, delivery, lambda: 30.0)

    put(world, ANN, NEW)
    world.clock.go_on(60)
    deliver_one(world.deliverer, delivery.next_attempt(0), lambda: 30.0)

    assert world.networks.received == [OLD, NEW]
    _, [ended] = ledger.status(APP, delivery.push.id)
    assert ended.counts == {"delivered": 1}


def test_a_push_that_waits_does_not_follow_the_refreshed_device_to_another_user(world: World) -> None:
    put(world, ANN, OLD)
    world.networks.answers[OLD] = [BUSY]
    delivery = Delivery(push=world.push(user=ANN))
    deliver_one(world.deliverer, delivery, lambda: 30.0)

    put(world, BEN, NEW)
    world.clock.go_on(60)
    deliver_one(world.deliverer, delivery.next_attempt(0), lambda: 30.0)

    assert world.networks.received == [OLD]


def test_an_owner_keeps_since_when_and_a_new_one_begins(world: World) -> None:
    first = put(world, ANN, OLD)
    assert first.owned_since == first.registered_at

    assert put(world, ANN, OLD).owned_since == first.owned_since
    refreshed = put(world, ANN, NEW)
    assert refreshed.owned_since == first.owned_since < refreshed.registered_at
    assert found(first.id) == refreshed

    bens = put(world, BEN, NEW)
    assert bens.owned_since == bens.registered_at > refreshed.registered_at
    again = put(world, ANN, NEW)
    assert again.owned_since == again.registered_at > bens.registered_at


@pytest.mark.parametrize("token", [OLD, NEW])
def test_every_install_takes_the_mark_of_a_doubtful_answer_off(world: World, token: str) -> None:
    made = put(world, ANN, OLD)
    marked = InstallationRow(f"{APP}#{made.id}")
    marked.update([InstallationRow.doubted_at.set(1), InstallationRow.doubted_on.set("fcm:p/ANDROID")])

    put(world, ANN, token)

    marked.refresh(consistent_read=True)
    assert marked.device == f"fcm:{token}"
    assert not marked.attribute_values.keys() & {"doubted_at", "doubted_on"}


def test_environment_platform_and_bundle_id_are_attributes(world: World) -> None:
    def install(one: Device, environment: Environment = Environment.PRODUCTION) -> None:
        installations.install(APP, ANN, one, environment, world.clock)

    install(Device.fcm(OLD))
    install(Device.fcm(OLD, DeviceType.IOS))
    install(Device.apns("ab"))
    install(Device.apns("ab", "com.example.dev"))
    install(Device.apns("ab", "com.example.dev"), Environment.SANDBOX)

    [anns] = recipients.by_key(APP, [ANN])
    assert anns.production == {f"fcm.ios:{OLD}"}
    assert anns.sandbox == {"apns@com.example.dev:ab"}
    assert rows() == dict.fromkeys(anns.devices, ANN)


def test_a_proof_about_the_token_of_now_takes_the_device_out(world: World) -> None:
    put(world, ANN, OLD)
    last = put(world, ANN, NEW)

    prove_dead(world, last)

    assert rows() == {}
    assert held(ANN) == set()


class Racing:
    """A clock that lets something happen between the reads and the writes of an install, once."""

    def __init__(self, world: World, act: Callable[[], object]) -> None:
        self.world, self.act, self.calls = world, act, 0

    def __call__(self) -> int:
        self.calls += 1
        if self.calls == 2:  # first it is asked by the write that refreshes
            self.act()
        return self.world.clock()


def install(world: World, user: str, token: str, act: Callable[[], object], **more: str) -> Installation:
    racing = Racing(world, act)
    ending = [more["ending"]] if more else []
    made = installations.install(APP, user, Device.fcm(token), Environment.PRODUCTION, racing, ending=ending)
    assert racing.calls > 2, "what happened meanwhile makes it look again"
    return made


@pytest.mark.parametrize("token", [OLD, NEW, BARE])
def test_a_move_takes_out_what_the_former_owner_registered_meanwhile(world: World, token: str) -> None:
    put(world, ANN, OLD)

    install(world, BEN, NEW, lambda: put(world, ANN, token))

    assert rows() == {f"fcm:{NEW}": BEN}
    assert (held(ANN), held(BEN)) == (set(), {f"fcm:{NEW}"})


def test_a_refresh_that_a_move_came_before_is_the_last_install_after_all(world: World) -> None:
    put(world, ANN, OLD)

    install(world, ANN, NEW, lambda: put(world, BEN, OLD))

    assert rows() == {f"fcm:{NEW}": ANN}
    assert (held(ANN), held(BEN)) == ({f"fcm:{NEW}"}, set())


def test_a_replacement_sees_what_else_its_owner_gets_and_loses_meanwhile(world: World) -> None:
    other = put(world, ANN, "other")
    put(world, ANN, OLD)

    def meanwhile() -> None:
        installations.remove(other)
        put(world, ANN, "third")

    install(world, ANN, NEW, meanwhile)

    assert held(ANN) == {f"fcm:{NEW}", "fcm:third"}
    anns = recipients.find(APP, ANN)
    assert anns is not None
    assert anns.devices == 2


def test_a_removal_of_what_was_refreshed_meanwhile_removes_nothing(world: World) -> None:
    former = put(world, ANN, OLD)
    put(world, ANN, NEW)

    assert installations.remove(former) is False

    assert rows() == {f"fcm:{NEW}": ANN}
    assert held(ANN) == {f"fcm:{NEW}"}


def test_two_ways_to_identify_a_token_never_leave_two_rows(world: World) -> None:
    """One function knows whole tokens already, and the other does not: they install at the same moment."""
    whole = device(Network.FCM, DeviceType.ANDROID, OLD, whole_token=True)
    assert whole is not None

    def by_whole_token() -> None:
        ending = [Device.fcm(OLD).installation_id]
        installations.install(APP, ANN, whole, Environment.PRODUCTION, world.clock, ending=ending)

    install(world, BEN, OLD, by_whole_token, ending=whole.installation_id)

    assert rows() == {f"fcm:{OLD}": BEN}
    assert (held(ANN), held(BEN)) == (set(), {f"fcm:{OLD}"})


@pytest.mark.parametrize("first_knows", [True, False])
def test_a_change_to_whole_tokens_leaves_no_device_to_its_former_user_meanwhile(
    world: World, first_knows: bool
) -> None:
    """One of two functions knows of the change already; the other has an app that is a minute old."""
    row.bind(Apps(world.resources["AppsTable"]))
    apps.create(APP)
    before = app_now()
    world.clock.go_on(1)
    apps.set_parameter(APP, Parameter.WHOLE_TOKENS, "true", world.clock())
    after = app_now()

    for user, knows in ((ANN, first_knows), (BEN, not first_knows)):
        world.clock.go_on(29)
        put_as(world, user, OLD, after if knows else before)

    assert list(rows().values()) == [BEN]
    assert held(ANN) == set()
    world.clock.go_on(apps.IDENTITY_SETTLES_MS / 1000)
    put_as(world, ANN, OLD, after)
    assert rows() == {f"fcm=:{OLD}": ANN}
    assert held(BEN) == set()
    put_as(world, BEN, NEW, after)
    assert rows() == {f"fcm=:{OLD}": ANN, f"fcm=:{NEW}": BEN}, "whole tokens are devices of their own"


def test_a_repeated_install_ends_what_came_by_the_other_identity_meanwhile(world: World) -> None:
    """After a change to whole tokens, ben installs again as before, and ann had the device in between."""
    row.bind(Apps(world.resources["AppsTable"]))
    apps.create(APP)
    apps.set_parameter(APP, Parameter.WHOLE_TOKENS, "true", world.clock())
    world.clock.go_on(apps.IDENTITY_SETTLES_MS / 1000)
    after = app_now()
    bare = OLD.partition(":")[0]

    put_as(world, BEN, OLD, after)
    put_as(world, ANN, bare, after)
    world.clock.go_on(1)
    put_as(world, BEN, OLD, after)

    assert list(rows().values()) == [BEN]
    assert held(ANN) == set()


def test_whatever_changes_again_within_the_delay_holds_after_it(world: World) -> None:
    row.bind(Apps(world.resources["AppsTable"]))
    apps.create(APP, whole_tokens=True)
    assert (app_now().whole_tokens(world.clock()), app_now().identity_changed) == (True, False)
    apps.set_parameter(APP, Parameter.WHOLE_TOKENS, "true", world.clock())
    assert not app_now().identity_changed, "it was not changed"
    for seconds, text in ((0, "false"), (30, "true"), (30, "false"), (59, None)):
        world.clock.go_on(seconds)
        if text is not None:
            apps.set_parameter(APP, Parameter.WHOLE_TOKENS, text, world.clock())
        assert app_now().whole_tokens(world.clock())
        assert app_now().identity_changed
    world.clock.go_on(1)
    assert not app_now().whole_tokens(world.clock())


@dataclass(frozen=True, slots=True)
class Apps:
    apps_table: str


def app_now() -> App:
    app = apps.find(APP)
    assert app is not None
    return app


def put_as(world: World, user: str, token: str, app: App) -> None:
    """Install as a function does that knows the app so."""
    made = device(Network.FCM, DeviceType.ANDROID, token, whole_token=app.whole_tokens(world.clock()))
    assert made is not None
    other = made.other_identity if app.identity_changed else None
    ending = [other.installation_id] if other else []
    installations.install(APP, user, made, Environment.PRODUCTION, world.clock, ending=ending)


def test_an_install_can_end_others_whoever_owns_them_in_one_transaction(world: World) -> None:
    """The row of each user is written once, though two of the devices that end are of one user."""
    ended = [
        put(world, ANN, "anns-first").id,
        put(world, ANN, "anns-second").id,
        put(world, BEN, "bens").id,
        put(world, "eve", "eves").id,
        Device.fcm("nobodys").installation_id,
    ]
    put(world, ANN, "anns-third")

    installations.install(
        APP, BEN, Device.fcm("new"), Environment.SANDBOX, world.clock, ending=[*ended, *ended]
    )

    assert rows() == {"fcm:anns-third": ANN, "fcm:new": BEN}
    assert (held(ANN), held(BEN), held("eve")) == ({"fcm:anns-third"}, {"fcm:new"}, set())
