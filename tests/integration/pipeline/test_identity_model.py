"""Installs, refreshes, moves and deletes in any order, against a model: one owner for one device."""

from collections import defaultdict
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from fanfare.domain.device import Device, DeviceType, Environment, Network, device
from fanfare.domain.parameters import Parameter
from fanfare.domain.push import Delivery
from fanfare.store import apps, installations, row
from fanfare.store.apps import App, AppRow
from fanfare.store.installations import Installation, InstallationRow
from fanfare.store.recipients import RecipientRow
from tests.integration.pipeline.conftest import APP, World, deliver_one

MOST = 3
"""Devices of a user, so that one more is often there."""

USERS = ("ann", "ben")
FIREBASE_IDS = ("aaaaaaaaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbbbb")
TOKENS = [
    *((Network.FCM, f"{one}{rest}") for one in FIREBASE_IDS for rest in ("", ":old", ":new")),
    (Network.FCM, "legacy"),
    (Network.APNS, "ab"),
]


type Install = tuple[int, str, tuple[Network, str], DeviceType, Environment]
"""The function, the user, the device and its environment."""

INSTALLS = st.tuples(
    st.integers(0, 1),
    st.sampled_from(USERS),
    st.sampled_from(TOKENS),
    st.sampled_from([*[DeviceType.ANDROID] * 4, DeviceType.IOS]),
    st.sampled_from([*[Environment.PRODUCTION] * 4, Environment.SANDBOX]),
)
"""Most have the same attributes: then they refresh and replace each other."""


@dataclass(frozen=True, slots=True)
class Held:
    """An installation as the model knows it."""

    user: str
    network: Network
    token: str
    environment: Environment
    order: int
    """The later it was registered, the higher."""


class Devices(RuleBasedStateMachine):
    """The model is a dictionary of identities: a token, or the Firebase installation ID of one."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        for rows in (InstallationRow, RecipientRow, AppRow):
            for one in rows.scan():
                one.delete()
        apps.create(APP)
        self.model: dict[tuple[Network, str], Held] = {}
        self.made: list[Installation] = []
        self.known: dict[int, tuple[App, int]] = {}
        """The app as each of two functions knows it, and when it was read."""
        self.ever_whole = False
        self.pushes = 0

    def app(self, function: int) -> App:
        """At most a minute old, as in life."""
        now = self.world.clock()
        if function not in self.known or now - self.known[function][1] >= apps.KEPT_MS:
            app = apps.find(APP)
            assert app is not None
            self.known[function] = app, now
        return self.known[function][0]

    @rule(several=st.lists(INSTALLS, min_size=3, max_size=8))
    def install_several(self, several: list[Install]) -> None:
        for one in several:
            self.install(*one)
            self.the_tables_hold_what_the_model_says()

    def install(
        self,
        function: int,
        user: str,
        named: tuple[Network, str],
        platform: DeviceType,
        environment: Environment,
    ) -> None:
        network, token = named
        self.world.clock.go_on(1)
        app, now = self.app(function), self.world.clock()
        whole = app.whole_tokens(now)
        platform = DeviceType.IOS if network is Network.APNS else platform
        wanted = device(network, platform, token, whole_token=whole)
        assert wanted is not None
        other = wanted.other_identity if app.identity_changed else None
        ending = [other.installation_id] if other else []
        made = installations.install(
            APP, user, wanted, environment, self.world.clock, ending=ending, most=MOST
        )
        self.made.append(made)

        own, another = (token, token.partition(":")[0]) if whole else (token.partition(":")[0], token)
        mine = self.model.get((network, own))
        there = {own, another} if app.identity_changed else {own}
        takes_over = [one for one in there if (network, one) in self.model]
        kept = any(self.model[network, one].user == user for one in takes_over)
        as_it_was = mine is not None and (mine.user, mine.token, mine.environment) == (
            user,
            token,
            environment,
        )
        for one in takes_over:
            del self.model[network, one]
        if not kept and not as_it_was:
            self.push_out(user)
        order = 1 + max((one.order for one in self.model.values()), default=0)
        self.model[network, own] = Held(user, network, token, environment, order)

    def push_out(self, user: str) -> None:
        mine = {key: one for key, one in self.model.items() if one.user == user}
        if len(mine) >= MOST:
            del self.model[min(mine, key=lambda key: mine[key].order)]

    @precondition(lambda self: self.made)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        """A row that was read at some time, perhaps long ago: by a proof, or for an uninstall."""
        one = data.draw(st.sampled_from(self.made))
        held = self.model.get((one.device.network, one.device.identity))
        there = installations.find(APP, one.id)
        current = there is not None and there.generation == one.generation
        assert installations.remove(one) is current
        if current:
            assert held is not None
            assert (held.user, held.token) == (one.user, one.device.token)
            del self.model[one.device.network, one.device.identity]

    @rule(whole=st.booleans(), seconds=st.sampled_from([1, 30, 90, 130]))
    def change_identity(self, whole: bool, seconds: int) -> None:
        apps.set_parameter(APP, Parameter.WHOLE_TOKENS, str(whole).lower(), self.world.clock())
        self.ever_whole = self.ever_whole or whole
        self.world.clock.go_on(seconds)

    @rule(user=st.sampled_from(USERS))
    def push(self, user: str) -> None:
        self.pushes += 1
        before = len(self.world.networks.received)
        push = self.world.push(user=user, id=f"m{id(self)}-{self.pushes}")
        deliver_one(self.world.deliverer, Delivery(push=push), lambda: 30.0)
        mine = sorted(one.token for one in self.model.values() if one.user == user)
        assert sorted(self.world.networks.received[before:]) == mine

    @invariant()
    def the_tables_hold_what_the_model_says(self) -> None:
        devices = defaultdict[str, set[tuple[str, Environment]]](set)
        rows = list(InstallationRow.scan())
        there = set()
        for one in rows:
            held, user = Device.unpack(one.device), one.owner.partition("#")[2]
            assert one.pk == f"{APP}#{held.installation_id}"
            environment = Environment.SANDBOX if one.sandbox else Environment.PRODUCTION
            there.add((user, held.network, held.token, environment))
            devices[user].add((one.device, environment))
        assert len(there) == len(rows)
        assert there == {(one.user, one.network, one.token, one.environment) for one in self.model.values()}
        for recipient in RecipientRow.scan():
            production = {(packed, Environment.PRODUCTION) for packed in recipient.production or ()}
            sandbox = {(packed, Environment.SANDBOX) for packed in recipient.sandbox or ()}
            assert production | sandbox == devices.pop(recipient.sk.partition("#")[2], set())
            assert recipient.devices == len(production | sandbox) <= MOST
        assert not devices

    @invariant()
    def one_token_is_one_row_and_so_is_one_firebase_installation_id(self) -> None:
        tokens = [one.token for one in self.model.values()]
        assert len(set(tokens)) == len(tokens)
        if not self.ever_whole:
            identities = [token.partition(":")[0] for token in tokens]
            assert len(set(identities)) == len(identities)


@pytest.mark.long
def test_tables_agree_with_a_model_of_one_owner_for_one_device(world: World) -> None:
    row.bind(_Apps(world.resources["AppsTable"]))
    Devices.world = world
    run_state_machine_as_test(
        Devices,
        settings=settings(
            max_examples=15,
            stateful_step_count=15,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@dataclass(frozen=True, slots=True)
class _Apps:
    apps_table: str
