"""Recipients: each user's devices in one row, in ring order. Devices change only in a transaction with
Installations; the deletion mark is written alone."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pynamodb.attributes import NumberAttribute, UnicodeAttribute, UnicodeSetAttribute
from pynamodb.exceptions import UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from fanfare.domain.device import Device, Environment
from fanfare.domain.estimate import Sample
from fanfare.domain.ring import Arc, place, ring_key, user_of
from fanfare.store import pages
from fanfare.store.row import Row, condition_failed, read


@dataclass(frozen=True, slots=True)
class Recipient:
    """A user to be reached, with the devices by environment, in their packed form."""

    user: str
    production: frozenset[str]
    sandbox: frozenset[str]

    @property
    def devices(self) -> frozenset[str]:
        return self.production | self.sandbox


class RecipientRow(Row):
    class Meta:
        table_name = None
        setting = "recipients_table"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    production = UnicodeSetAttribute(null=True)
    sandbox = UnicodeSetAttribute(null=True)
    devices = NumberAttribute(null=True)
    """Number of members in both sets: a condition cannot add two sizes."""
    deleting_since = NumberAttribute(null=True)
    """Epoch ms; from then on no install and no subscription of this user succeeds."""
    deleted_at = NumberAttribute(null=True)
    """The value of `deleting_since`, once all rows of the user are deleted that can be read without an
    index."""
    expires = NumberAttribute(null=True)
    """Epoch seconds, for the row of a deleted user that installed nothing since."""


def shard_key(app: str, digit: str) -> str:
    return f"{app}#{digit}"


def row_of(app: str, user: str) -> RecipientRow:
    """Return the user's row for writing; nothing is read."""
    return RecipientRow(shard_key(app, place(user)[0]), ring_key(user))


def find(app: str, user: str) -> RecipientRow | None:
    """Return the user's row, strongly consistent."""
    return read(RecipientRow, shard_key(app, place(user)[0]), ring_key(user))


def mark_deleting(app: str, user: str, at: int) -> None:
    """Mark the user: from now on no install and no subscription succeeds, and no delivery finds a device."""
    row_of(app, user).update([RecipientRow.deleting_since.set(at), RecipientRow.expires.remove()])


def deleted(app: str, user: str, at: int, expires: int) -> bool:
    """Remove the mark of that moment (epoch ms) from a deleted user's row, which expires (epoch seconds).

    Returns False while a device is left in the row, or if it bears another mark.
    """
    empty = RecipientRow.production.does_not_exist() & RecipientRow.sandbox.does_not_exist()
    actions: list[Action] = [
        RecipientRow.deleting_since.remove(),
        RecipientRow.deleted_at.set(at),
        RecipientRow.expires.set(expires),
    ]
    try:
        row_of(app, user).update(actions, condition=(RecipientRow.deleting_since == at) & empty)
    except UpdateError as error:
        if condition_failed(error):
            return False
        raise
    return True


def not_deleting() -> Condition:
    return RecipientRow.deleting_since.does_not_exist()


def has_room(most: int) -> Condition:
    room: Condition = RecipientRow.devices.does_not_exist() | (RecipientRow.devices < most)
    return room


def adding(device: Device, environment: Environment) -> list[Action]:
    return [
        _set(environment).add({device.packed}),
        RecipientRow.devices.add(1),
        RecipientRow.expires.remove(),
    ]


def removing(gone: Iterable[tuple[Device, Environment]]) -> list[Action]:
    """Return the actions that remove the devices from their sets; they must be in them."""
    members: dict[Environment, set[str]] = {}
    for device, environment in gone:
        members.setdefault(environment, set()).add(device.packed)
    actions: list[Action] = [_set(name).delete(packed) for name, packed in members.items()]
    return [*actions, RecipientRow.devices.add(-sum(map(len, members.values())))]


def replacing(
    row: RecipientRow, gone: Iterable[tuple[Device, Environment]], device: Device, environment: Environment
) -> list[Action]:
    """Return the actions that put one device in for others. They set whole sets, because one update cannot
    both ADD to a set and DELETE from it."""
    members = {name: _members(row, name) for name in Environment}
    for out, its_environment in gone:
        members[its_environment].discard(out.packed)
    members[environment].add(device.packed)
    actions: list[Action] = [
        _set(name).set(packed) if packed else _set(name).remove() for name, packed in members.items()
    ]
    count = sum(map(len, members.values()))
    return [*actions, RecipientRow.devices.set(count), RecipientRow.expires.remove()]


def unchanged(row: RecipientRow) -> Condition:
    """Condition that the row holds exactly the devices that were read, and is not being deleted."""
    condition = not_deleting()
    for name in Environment:
        members = _members(row, name)
        condition &= (_set(name) == members) if members else _set(name).does_not_exist()
    return condition


def devices_of(row: RecipientRow) -> list[Device]:
    return [Device.unpack(packed) for name in Environment for packed in _members(row, name)]


def by_key(app: str, users: Sequence[str]) -> Iterator[Recipient]:
    """Yield the existing rows of these users, strongly consistent, 100 in a request; in no order."""
    keys = [{"pk": {"S": shard_key(app, place(user)[0])}, "sk": {"S": ring_key(user)}} for user in users]
    for item in pages.batch_get(RecipientRow.table_name(), keys):
        yield _recipient(item)


def on_arc(app: str, arc: Arc) -> Iterator[Recipient]:
    """Yield all users on the arc that ever had a device, in ring order, strongly consistent."""
    for digit in arc.digits:
        for item in pages.query(RecipientRow.table_name(), shard_key(app, digit), arc.bounds):
            yield _recipient(item)


def sample(app: str, digit: str, limit: int) -> Sample:
    """Return the first users of one shard, from which the number of the app's users is estimated."""
    return pages.sample(RecipientRow.table_name(), shard_key(app, digit), Arc(4, int(digit, 16)), limit)


def _recipient(item: dict[str, Any]) -> Recipient:
    if "deleting_since" in item:
        return Recipient(user_of(item["sk"]["S"]), frozenset(), frozenset())
    return Recipient(
        user_of(item["sk"]["S"]),
        frozenset(item["production"]["SS"]) if "production" in item else frozenset(),
        frozenset(item["sandbox"]["SS"]) if "sandbox" in item else frozenset(),
    )


def _set(environment: Environment) -> UnicodeSetAttribute:
    return RecipientRow.production if environment is Environment.PRODUCTION else RecipientRow.sandbox


def _members(row: RecipientRow, environment: Environment) -> set[str]:
    return set((row.production if environment is Environment.PRODUCTION else row.sandbox) or ())
