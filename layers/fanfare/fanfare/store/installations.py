"""Installations: one row for each device, hence one owner. Recipients changes in the same transactions."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import batched
from secrets import token_hex

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import TransactWriteError, UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from fanfare.domain.device import MAX_DEVICES, Device, Environment
from fanfare.domain.doubt import Mark
from fanfare.domain.errors import Busy, UserNotFound
from fanfare.domain.rate_limits import Use
from fanfare.domain.ring import WHOLE_RING
from fanfare.runtime.clock import Clock
from fanfare.store import limits, pages, recipients
from fanfare.store.recipients import RecipientRow
from fanfare.store.row import Row, condition_failed, read, settle, transaction

REMOVING_PASSES = 3


@dataclass(frozen=True, slots=True)
class Installation:
    """A device and its owner; `generation` is new with every install, and a mark leaves it."""

    app: str
    device: Device
    user: str
    environment: Environment
    registered_at: int
    """Moment of the last install, epoch ms; an install that changes nothing counts, too."""
    owned_since: int
    """Moment from which the device has belonged to this user, epoch ms."""
    generation: str
    mark: Mark | None = None
    """The first strike of a doubtful answer."""

    @property
    def token_digest(self) -> str:
        return self.device.token_digest

    @property
    def id(self) -> str:
        return self.device.installation_id


class InstallationRow(Row):
    class Meta:
        table_name = None
        setting = "installations_table"

    pk = UnicodeAttribute(hash_key=True)
    owner = UnicodeAttribute()
    device = UnicodeAttribute()
    """The device in its packed form."""
    sandbox = BooleanAttribute()
    registered_at = NumberAttribute()
    owned_since = NumberAttribute()
    generation = UnicodeAttribute()
    doubted_at = NumberAttribute(null=True)
    """Moment of a network's doubtful answer about the device, epoch ms. Every install clears it."""
    doubted_on = UnicodeAttribute(null=True)
    """The sublane of that answer."""


def find(app: str, installation_id: str) -> Installation | None:
    """Return the installation, strongly consistent."""
    row = read(InstallationRow, f"{app}#{installation_id}")
    return None if row is None else _installation(row)


def of_user(app: str, user: str) -> list[Installation]:
    """Return a user's installations by the devices in the user's row, the latest install included."""
    row = recipients.find(app, user)
    return [] if row is None else of_devices(app, recipients.devices_of(row))


def of_app(app: str) -> Iterator[Installation]:
    """Yield every installation of the app, user by user in ring order: the administrator's list."""
    on_ring = recipients.on_arc(app, WHOLE_RING)
    devices = (Device.unpack(packed) for one in on_ring for packed in sorted(one.devices))
    for some in batched(devices, pages.BATCH, strict=False):
        yield from of_devices(app, some)


def install(
    app: str,
    user: str,
    device: Device,
    environment: Environment,
    clock: Clock,
    *,
    ending: Sequence[str] = (),
    most: int = MAX_DEVICES,
    use_of_limit: Callable[[], Use | None] = lambda: None,
) -> Installation:
    """Make the device the user's: the last user to install it owns it.

    An install that changes nothing is one conditional write that refreshes registered_at, and is not counted;
    any other is a transaction. `ending`: IDs of installations, of any owner, that end with it; they are read
    first. `most`: devices that a user can have; the one
    registered longest ago makes room. Raises UserNotFound (being deleted), TooManyRequests, Busy.
    """
    if not any(find(app, one) for one in ending):
        found = _refresh(app, user, device, environment, clock())
        if found is not None:
            return found
    use = use_of_limit()
    return settle(lambda: _move(app, user, device, environment, ending, most, clock, use))


def remove(installation: Installation) -> bool:
    """Delete this installation if it is still as it was read; False if it has changed or is gone."""

    def step() -> bool:
        found = find(installation.app, installation.id)
        if found is None or (found.generation, found.mark) != (installation.generation, installation.mark):
            return False
        with transaction(InstallationRow) as writes:
            writes.delete(row_of(found), condition=_as_read(found))
            owner = recipients.row_of(found.app, found.user)
            writes.update(owner, recipients.removing([(found.device, found.environment)]))
        return True

    return settle(step)


def remove_all(app: str, user: str, passes: int = REMOVING_PASSES) -> int:
    """Delete all installations of the user; return their number. A device that another user takes meanwhile
    stays.

    A device that is installed again meanwhile differs from the one read, and the next pass takes it. Raises
    Busy if some are left after all passes.
    """
    removed = 0
    for _ in range(passes):
        if not (found := _owned(app, user)):
            return removed
        removed += sum(map(remove, found))
    if _owned(app, user):
        raise Busy("the user's devices are being installed again; try again")
    return removed


def _owned(app: str, user: str) -> list[Installation]:
    return [one for one in of_user(app, user) if one.user == user]


def _refresh(app: str, user: str, device: Device, environment: Environment, at: int) -> Installation | None:
    row = InstallationRow(f"{app}#{device.installation_id}")
    same = (
        (InstallationRow.owner == f"{app}#{user}")
        & (InstallationRow.sandbox == (environment is Environment.SANDBOX))
        & (InstallationRow.device == device.packed)
    )
    actions: list[Action] = [
        InstallationRow.registered_at.set(at),
        InstallationRow.generation.set(token_hex(8)),
        InstallationRow.doubted_at.remove(),
        InstallationRow.doubted_on.remove(),
    ]
    try:
        row.update(actions, condition=same)
    except UpdateError as error:
        if condition_failed(error):
            return None
        raise
    return _installation(row)


def _move(
    app: str,
    user: str,
    device: Device,
    environment: Environment,
    ending: Sequence[str],
    most: int,
    clock: Clock,
    use: Use | None,
) -> Installation:
    """Try once to make the device the user's, by the rows as they are now; raises if a write is refused."""
    own = device.installation_id
    others = dict.fromkeys(one for one in ending if one != own)
    there = by_id(app, [own, *others])
    row = recipients.find(app, user)
    if row is not None and row.deleting_since:
        raise UserNotFound("the user is being deleted; sign up again", field="userID", value=user, appID=app)
    at = clock()
    gone = list(there.values())
    owned_since = min((one.owned_since for one in gone if one.user == user), default=at)
    if row is not None and (row.devices or 0) >= most and all(one.user != user for one in gone):
        devices = of_devices(app, recipients.devices_of(row))
        gone.append(min(devices, key=lambda one: one.registered_at))
        # Clocks differ, and the newest device must not be the first to make room.
        at = max(at, 1 + max(one.registered_at for one in devices))
    new = Installation(app, device, user, environment, at, owned_since, token_hex(8))
    try:
        with transaction(InstallationRow) as writes:
            writes.save(row_of(new), condition=_as_read(there.get(own)))
            for one in gone:
                if one.id != own:
                    writes.delete(InstallationRow(f"{app}#{one.id}"), condition=_as_read(one))
            for absent in others:
                if absent not in there:
                    writes.condition_check(InstallationRow, f"{app}#{absent}", condition=_as_read(None))
            _exchange(writes, gone, new, row, most)
            limits.add_to(writes, use)
    except TransactWriteError as error:
        limits.check(error, use)
        raise
    return new


def _exchange(
    writes: TransactWrite,
    gone: Sequence[Installation],
    new: Installation,
    row: RecipientRow | None,
    most: int,
) -> None:
    """Write the row of each user that loses or gets a device, once. `row`: the new owner's, as it was
    read."""
    lost: dict[str, list[tuple[Device, Environment]]] = defaultdict(list)
    for one in gone:
        lost[one.user].append((one.device, one.environment))
    replaced = lost.pop(new.user, [])
    owner = recipients.row_of(new.app, new.user)
    if replaced and row is not None:
        exchange = recipients.replacing(row, replaced, new.device, new.environment)
        writes.update(owner, exchange, condition=recipients.unchanged(row))
    else:
        room = recipients.not_deleting() & recipients.has_room(most)
        writes.update(owner, recipients.adding(new.device, new.environment), condition=room)
    for user, devices in lost.items():
        writes.update(recipients.row_of(new.app, user), recipients.removing(devices))


def _as_read(found: Installation | None) -> Condition:
    """Condition that the row is still as it was read: absent, or of the same generation."""
    if found is None:
        return InstallationRow.pk.does_not_exist()
    return InstallationRow.generation == found.generation


def mark(installation: Installation, first: Mark) -> bool:
    """Record the first strike on condition of the generation that was read; False if it has changed."""
    try:
        InstallationRow(f"{installation.app}#{installation.id}").update(
            [InstallationRow.doubted_at.set(first.at), InstallationRow.doubted_on.set(first.sublane)],
            condition=_as_read(installation),
        )
    except UpdateError as error:
        if condition_failed(error):
            return False
        raise
    return True


def by_id(app: str, ids: Collection[str], *, consistent: bool = True) -> dict[str, Installation]:
    """Return the existing installations among these IDs, 100 in a request; `consistent`: see
    pages.batch_get."""
    keys = [{"pk": {"S": f"{app}#{one}"}} for one in ids]
    items = pages.batch_get(InstallationRow.table_name(), keys, consistent=consistent)
    found = [_installation(InstallationRow.from_raw_data(item)) for item in items]
    return {one.id: one for one in found}


def of_devices(app: str, devices: Sequence[Device]) -> list[Installation]:
    """Return the installations of these devices in no order, with any owner and any token."""
    return list(by_id(app, {one.installation_id for one in devices}).values())


def row_of(installation: Installation) -> InstallationRow:
    """Return the installation as a row, without a mark."""
    return InstallationRow(
        f"{installation.app}#{installation.id}",
        owner=f"{installation.app}#{installation.user}",
        device=installation.device.packed,
        sandbox=installation.environment is Environment.SANDBOX,
        registered_at=installation.registered_at,
        owned_since=installation.owned_since,
        generation=installation.generation,
    )


def _installation(row: InstallationRow) -> Installation:
    return Installation(
        app=row.pk.partition("#")[0],
        device=Device.unpack(row.device),
        user=row.owner.partition("#")[2],
        environment=Environment.SANDBOX if row.sandbox else Environment.PRODUCTION,
        registered_at=int(row.registered_at),
        owned_since=int(row.owned_since),
        generation=row.generation,
        mark=None if row.doubted_at is None else Mark(int(row.doubted_at), row.doubted_on or ""),
    )
