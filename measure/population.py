"""A population, written straight into the tables: the rows that installing and subscribing would have left.

Users by the thousand through the API would take minutes. IDs and tokens have the length of real ones, since
AWS charges by size: a user ID of Kii's form, an FCM registration token of 163 characters for every second
user, and an APNs token of 64 for the others.
"""

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import shake_128
from itertools import batched
from typing import Any

import requests

from fanfare.domain.device import Device
from fanfare.domain.ring import place, ring_key
from fanfare.domain.scope import Target
from fanfare.domain.user import ID_RANDOM_BYTES, user_id
from fanfare.runtime import clients
from local.waiting import NO_ANSWER_S

type Item = dict[str, Any]

REGISTERED_AT = 1_795_000_000_000
_LOADED, _WRITTEN = 10_000, 25
"""Rows of one request to the emulator, and of one BatchWriteItem."""


@dataclass(frozen=True, slots=True)
class Person:
    """A user with one device."""

    user: str
    device: Device


@dataclass(frozen=True, slots=True)
class Crowd:
    """`size` users of an app with a device each; the same for the same app and size."""

    app: str
    size: int

    def users(self, every: int = 1) -> Iterator[str]:
        """All of them, or one in `every`."""
        for number in range(0, self.size, every):
            yield user_id(shake_128(f"{self.app}.{number}".encode()).digest(ID_RANDOM_BYTES))

    def people(self) -> Iterator[Person]:
        for number, user in enumerate(self.users()):
            yield Person(user, device_of(user, number))

    def recipients(self) -> Iterator[Item]:
        for person in self.people():
            yield recipient(self.app, person)

    def installations(self, owned_since: int) -> Iterator[Item]:
        """`owned_since` in epoch ms: the breaker ignores owners of less than a day."""
        for person in self.people():
            yield installation(self.app, person, REGISTERED_AT, owned_since)

    def subscriptions(self, target: Target, every: int = 1) -> Iterator[Item]:
        for user in self.users(every):
            yield subscription(target, user, REGISTERED_AT)


def people(count: int, *, prefix: str = "u") -> list[Person]:
    """Return users with one device each, by turns on FCM and on APNs; the same for the same prefix."""
    return list(Crowd(prefix, count).people())


def device_of(user: str, number: int) -> Device:
    """By turns on FCM and on APNs, in the whole crowd and among each hundredth of it."""
    if (number + number // 100) % 2:
        return Device.apns(shake_128(user.encode()).hexdigest(32))
    secret = urlsafe_b64encode(shake_128(user.encode()).digest(117)).decode()
    return Device.fcm(f"{secret[:22]}:APA91b{secret[22:]}"[:163])


def recipient(app: str, person: Person) -> Item:
    """Return the row of a user whose device is in production."""
    return {
        "pk": {"S": f"{app}#{place(person.user)[0]}"},
        "sk": {"S": ring_key(person.user)},
        "production": {"SS": [person.device.packed]},
        "devices": {"N": "1"},
    }


def installation(app: str, person: Person, registered_at: int, owned_since: int) -> Item:
    """Return the row of the user's device, in production. Both times are in epoch ms."""
    return {
        "pk": {"S": f"{app}#{person.device.installation_id}"},
        "owner": {"S": f"{app}#{person.user}"},
        "device": {"S": person.device.packed},
        "sandbox": {"BOOL": False},
        "registered_at": {"N": str(registered_at)},
        "owned_since": {"N": str(owned_since)},
        "generation": {"S": person.device.token_digest},
    }


def subscription(target: Target, user: str, at: int) -> Item:
    """Return the row of a user's subscription to a target of the app's, a user's or a group's scope."""
    scope = target.scope
    shard = place(user)[0] if scope.is_app else scope.shards
    owner = scope.key.removeprefix(f"{scope.app}#")
    return {
        "pk": {"S": f"{scope.app}#{target.ref}#{shard}"},
        "sk": {"S": ring_key(user)},
        "user": {"S": f"{scope.app}#{user}"},
        "target": {"S": f"{target.kind}#{owner}#{target.name}"},
        "at": {"N": str(at)},
    }


def settle(
    resources: Mapping[str, str], app: str, settlers: Sequence[Person], target: Target, at: int
) -> None:
    """Write people with their devices and their subscriptions to a target, all at `at` (epoch ms)."""
    subscribe(resources, settlers, target, at)
    write(resources["RecipientsTable"], (recipient(app, one) for one in settlers))
    write(resources["InstallationsTable"], (installation(app, one, at, at) for one in settlers))


def subscribe(resources: Mapping[str, str], subscribers: Iterable[Person], target: Target, at: int) -> None:
    """Write the subscriptions of these people to a target."""
    write(resources["SubscriptionsTable"], (subscription(target, one.user, at) for one in subscribers))


def write(table: str, items: Iterable[Item]) -> None:
    """Write rows through DynamoDB, with their stream records."""
    for batch in batched(items, _WRITTEN, strict=False):
        left: Any = {table: [{"PutRequest": {"Item": item}} for item in batch]}
        while left:
            left = clients.dynamodb().batch_write_item(RequestItems=left)["UnprocessedItems"]


def load(rows: str, table: str, items: Iterable[Item]) -> None:
    """Write rows by the million into the emulator, at `rows` (see local/aws/large_tables.py)."""
    with requests.Session() as session:
        for batch in batched(items, _LOADED, strict=False):
            session.put(f"{rows}/{table}", data=json.dumps(batch), timeout=NO_ANSWER_S).raise_for_status()
