"""A population written straight into the tables: the rows that installing and subscribing would have made.

Thousands of users through the API would take minutes; a test of the pipeline wants them in seconds.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace

from fanfare.domain.device import Device, Environment
from fanfare.domain.ring import place, ring_key
from fanfare.domain.scope import Target
from fanfare.runtime import clock
from fanfare.store import row
from fanfare.store.installations import Installation, InstallationRow, row_of
from fanfare.store.recipients import RecipientRow
from fanfare.store.subscriptions import SubscriptionRow


@dataclass(frozen=True, slots=True)
class Person:
    user: str
    device: Device


def bind(resources: Mapping[str, str]) -> None:
    """Point the rows at a stack's tables; the AWS endpoint comes from the environment."""
    row.bind(
        SimpleNamespace(
            installations_table=resources["InstallationsTable"],
            recipients_table=resources["RecipientsTable"],
            subscriptions_table=resources["SubscriptionsTable"],
        )
    )


def people(count: int, *, prefix: str = "u") -> Iterator[Person]:
    """Users with one device each, by turns on FCM and on APNs; the same for the same prefix."""
    for number in range(count):
        user = f"{prefix}{number:010d}"
        if number % 2:
            device = Device.apns(f"{place(user)}{place(user[::-1])}{number:032x}")
        else:
            device = Device.fcm(f"{place(user)}{number % 1_000_000:06d}:{user}")
        yield Person(user, device)


def settle(app: str, population: Sequence[Person], subscribed_to: Target | None = None) -> None:
    """Write their devices, in production, and their subscriptions."""
    now = clock.now()
    if subscribed_to is not None:
        subscribe(app, population, subscribed_to)
    with RecipientRow.batch_write() as recipients, InstallationRow.batch_write() as installations:
        for person in population:
            recipients.save(
                RecipientRow(
                    f"{app}#{place(person.user)[0]}",
                    ring_key(person.user),
                    production={person.device.packed},
                    devices=1,
                )
            )
            generation = place(person.device.token)
            made = Installation(app, person.device, person.user, Environment.PRODUCTION, now, now, generation)
            installations.save(row_of(made))


def subscribe(app: str, population: Sequence[Person], target: Target) -> None:
    """Write their subscriptions."""
    now = clock.now()
    with SubscriptionRow.batch_write() as subscriptions:
        for person in population:
            digit = place(person.user)[0] if len(target.scope.shards) > 1 else "0"
            subscriptions.save(
                SubscriptionRow(
                    f"{app}#{target.ref}#{digit}",
                    ring_key(person.user),
                    user=f"{app}#{person.user}",
                    at=now,
                )
            )
