"""Installations: one row for a device token, and so one owner. Moves go together with Recipients."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import batched
from secrets import token_hex

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import TransactWriteError, UpdateError
from pynamodb.expressions.condition import Condition

from fanfare.domain.device import MAX_DEVICES, Device, Environment, Network
from fanfare.domain.errors import UserNotFound
from fanfare.domain.limits import Use
from fanfare.domain.ring import WHOLE_RING
from fanfare.runtime.clock import Clock
from fanfare.store import limits, pages, recipients
from fanfare.store.row import Row, condition_failed, read, settle, transaction


@dataclass(frozen=True, slots=True)
class Installation:
    """The pair of one device token and one user; `generation` is new with every write."""

    app: str
    device: Device
    user: str
    environment: Environment
    registered_at: int
    generation: str

    @property
    def id(self) -> str:
        return self.device.installation_id


class InstallationRow(Row):
    class Meta:
        table_name = None
        setting = "installations_table"

    pk = UnicodeAttribute(hash_key=True)
    owner = UnicodeAttribute()
    network = UnicodeAttribute()
    token = UnicodeAttribute()
    sandbox = BooleanAttribute()
    registered_at = NumberAttribute()
    generation = UnicodeAttribute()


def find(app: str, installation_id: str) -> Installation | None:
    """The installation, strongly consistent."""
    row = read(InstallationRow, f"{app}#{installation_id}")
    return None if row is None else _installation(row)


def of_user(app: str, user: str) -> list[Installation]:
    """A user's installations, by the devices in the user's row: what was just installed is there."""
    row = recipients.find(app, user)
    return [] if row is None else of_devices(app, recipients.devices_of(row))


def of_app(app: str) -> Iterator[Installation]:
    """Every installation of the app, user by user in ring order: the administrator's list."""
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
    use_of_limit: Callable[[], Use | None] = lambda: None,
) -> Installation:
    """Make the device the user's: the last to install owns it.

    What is already so is one conditional write that refreshes registered_at, and is not counted; anything
    else a transaction. Raises UserNotFound (being deleted), TooManyRequests, Busy.
    """
    found = _refresh(app, user, device, environment, clock())
    if found is not None:
        return found
    use = use_of_limit()
    return settle(lambda: _move(app, user, device, environment, clock, use))


def remove(installation: Installation) -> bool:
    """Delete exactly this installation; False when it has meanwhile been changed, moved or deleted."""

    def step() -> bool:
        found = find(installation.app, installation.id)
        if found is None or found.generation != installation.generation:
            return False
        with transaction(InstallationRow) as writes:
            writes.delete(_row(found), condition=_as_read(found))
            writes.update(
                recipients.row_of(found.app, found.user), recipients.removing(found.device, found.environment)
            )
        return True

    return settle(step)


def remove_all(app: str, user: str) -> int:
    """Delete all installations of the user; how many there were. What another user takes meanwhile stays."""
    mine = [one for one in of_user(app, user) if one.user == user]
    return sum(map(remove, mine))


def _refresh(app: str, user: str, device: Device, environment: Environment, at: int) -> Installation | None:
    row = InstallationRow(f"{app}#{device.installation_id}")
    same = (InstallationRow.owner == f"{app}#{user}") & (
        InstallationRow.sandbox == (environment is Environment.SANDBOX)
    )
    generation = token_hex(8)
    try:
        row.update(
            [InstallationRow.registered_at.set(at), InstallationRow.generation.set(generation)],
            condition=same,
        )
    except UpdateError as error:
        if condition_failed(error):
            return None
        raise
    return _installation(row)


def _move(
    app: str, user: str, device: Device, environment: Environment, clock: Clock, use: Use | None
) -> Installation:
    """One try to make the device the user's, decided by what is there now; raises when a write is refused."""
    found = find(app, device.installation_id)
    row = recipients.find(app, user)
    if row is not None and row.deleting_since:
        raise UserNotFound("the user is being deleted", field="userID", value=user, appID=app)
    at = clock()
    stays = found is not None and found.user == user
    oldest: Installation | None = None
    if row is not None and not stays and (row.devices or 0) >= MAX_DEVICES:
        others = of_devices(app, recipients.devices_of(row))
        oldest = min(others, key=lambda one: one.registered_at)
        # Clocks differ: what comes last must also be the youngest.
        at = max(at, 1 + max(one.registered_at for one in others))
    new = Installation(app, device, user, environment, at, token_hex(8))
    try:
        with transaction(InstallationRow) as writes:
            writes.save(_row(new), condition=_as_read(found))
            if found is not None and not stays:
                old_owner = recipients.row_of(app, found.user)
                writes.update(old_owner, recipients.removing(device, found.environment))
            owner = recipients.row_of(app, user)
            if oldest is not None and row is not None:
                writes.delete(_row(oldest), condition=_as_read(oldest))
                exchange = recipients.replacing(row, oldest.device, device, environment)
                writes.update(owner, exchange, condition=recipients.unchanged(row))
            elif not stays:
                room = recipients.not_deleting() & recipients.has_room()
                writes.update(owner, recipients.adding(device, environment), condition=room)
            elif found is not None and found.environment is not environment:
                change = recipients.changing_environment(device, environment)
                writes.update(owner, change, condition=recipients.not_deleting())
            limits.add_to(writes, use)
    except TransactWriteError as error:
        limits.check(error, use)
        raise
    return new


def _as_read(found: Installation | None) -> Condition:
    """The row is still as it was read: nothing there, or the same generation."""
    if found is None:
        return InstallationRow.pk.does_not_exist()
    return InstallationRow.generation == found.generation


def of_devices(app: str, devices: Sequence[Device]) -> list[Installation]:
    """The installations of these devices, whoever owns them; in no order."""
    keys = [{"pk": {"S": f"{app}#{one.installation_id}"}} for one in devices]
    rows = [
        InstallationRow.from_raw_data(item) for item in pages.batch_get(InstallationRow.table_name(), keys)
    ]
    return [_installation(row) for row in rows]


def _row(installation: Installation) -> InstallationRow:
    return InstallationRow(
        f"{installation.app}#{installation.id}",
        owner=f"{installation.app}#{installation.user}",
        network=installation.device.network.value,
        token=installation.device.token,
        sandbox=installation.environment is Environment.SANDBOX,
        registered_at=installation.registered_at,
        generation=installation.generation,
    )


def _installation(row: InstallationRow) -> Installation:
    return Installation(
        app=row.pk.partition("#")[0],
        device=Device(Network(row.network), row.token),
        user=row.owner.partition("#")[2],
        environment=Environment.SANDBOX if row.sandbox else Environment.PRODUCTION,
        registered_at=int(row.registered_at),
        generation=row.generation,
    )
