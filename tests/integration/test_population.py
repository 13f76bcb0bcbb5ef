"""The meter's crowd against the rows that the API writes for installs and subscriptions."""

from collections.abc import Iterator, Mapping
from typing import Any

import boto3
import pytest

from fanfare.domain.device import Network
from fanfare.domain.scope import Scope, Target, TargetKind
from local.rehearsal.api import RehearsedApi
from local.rehearsal.emulated import emulated, handler
from local.rehearsal.stage import Part, Stage, prepared
from measure.cost.units import item_size
from measure.population import REGISTERED_AT, Crowd, device_of
from operate.template import Template

type Item = dict[str, Any]


@pytest.fixture(scope="module")
def resources(whole_template: Template) -> Iterator[Mapping[str, str]]:
    with emulated(whole_template) as made:
        yield made


@pytest.fixture(scope="module")
def stage(resources: Mapping[str, str], whole_template: Template) -> Stage:
    return prepared(RehearsedApi(whole_template, handler), resources)


def left(resources: Mapping[str, str], table: str, holding: str) -> Item:
    """The row that the API made."""
    items: list[Item] = boto3.client("dynamodb").scan(TableName=resources[table])["Items"]
    return next(item for item in items if holding in str(item))


def alike(crowds: Item, apis: Item, longer: int) -> None:
    """The same attributes of the same types; `longer`: how many bytes more."""
    assert {name: list(value) for name, value in crowds.items()} == {
        name: list(value) for name, value in apis.items()
    }
    assert abs(item_size(crowds) - item_size(apis) - longer) <= 20


def test_a_recipient_is_as_installing_leaves_it(stage: Stage, resources: Mapping[str, str]) -> None:
    owner = stage.users[Part.OWNER]
    token = device_of(owner, 0).token
    form = {"deviceType": "ANDROID", "installationRegistrationID": token}
    assert stage.ask(Part.STRANGER, "POST", f"{stage.scope('app')}/installations", form).status == 201

    alike(next(Crowd("a" * 12, 1).recipients()), left(resources, "RecipientsTable", token), longer=0)


def test_an_installation_is_as_installing_leaves_it(stage: Stage, resources: Mapping[str, str]) -> None:
    owner = stage.users[Part.OWNER]
    token = device_of(owner, 2).token
    form = {"deviceType": "ANDROID", "installationRegistrationID": token}
    assert stage.ask(Part.STRANGER, "POST", f"{stage.scope('app')}/installations", form).status == 201

    made = next(Crowd("a" * 12, 1).installations(REGISTERED_AT))
    alike(made, left(resources, "InstallationsTable", token), longer=0)


def test_a_subscription_is_as_subscribing_leaves_it(stage: Stage, resources: Mapping[str, str]) -> None:
    target = Target(TargetKind.TOPIC, Scope("a" * 12), "news", "0" * 16)

    alike(
        next(Crowd("a" * 12, 1).subscriptions(target)),
        left(resources, "SubscriptionsTable", "topic#app#news"),
        longer=0,
    )


@pytest.mark.parametrize("every", [1, 100])
def test_half_of_the_crowd_and_of_each_hundredth_is_on_each_network(every: int) -> None:
    crowd = Crowd("a" * 12, 20_000)
    networks = [device_of(user, number).network for number, user in enumerate(crowd.users())][::every]

    assert networks.count(Network.FCM) == networks.count(Network.APNS)


def test_users_lie_evenly_on_the_ring_and_every_hundredth_is_one_of_them() -> None:
    crowd = Crowd("a" * 12, 16_000)
    shards = [row["pk"]["S"] for row in crowd.recipients()]

    assert min(map(shards.count, set(shards))) > 800
    assert len(set(shards)) == 16
    assert set(crowd.users(every=100)) < set(crowd.users())
