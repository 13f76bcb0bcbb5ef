"""Two buckets of the stack's own app: one to which nobody subscribes, and one to which ten users do."""

from dataclasses import dataclass

from fanfare.domain.scope import Scope, TargetKind
from fanfare.store import definitions, row
from measure.changes import series
from measure.changes.writer import Writer
from measure.cost.stage import MeasuredStack
from measure.load.large_sends import subscribed
from operate.client import Client

QUIET, TOLD = "quiet", "told"
_PATTERN = "pattern"


@dataclass(frozen=True, slots=True)
class Objects:
    objects_table: str


@dataclass(frozen=True, slots=True)
class SubscribedBucket:
    """`devices`: the tokens of its subscribers, one each."""

    name: str
    writer: Writer
    devices: tuple[str, ...]


def buckets(stage: MeasuredStack, nobody: Client, admin: Client) -> tuple[SubscribedBucket, SubscribedBucket]:
    """Buckets made through the API: a quiet one, and one with subscribers."""
    row.bind(Objects(stage.resources["ObjectsTable"]))
    for name in (QUIET, TOLD):
        admin.call("PUT", f"/buckets/{name}")
    readers = subscribed(nobody, f"/buckets/{TOLD}/filters/all")
    devices = tuple(reader.token for reader in readers)
    return _bucket(stage, admin, QUIET, ()), _bucket(stage, admin, TOLD, devices)


def _bucket(stage: MeasuredStack, admin: Client, name: str, devices: tuple[str, ...]) -> SubscribedBucket:
    found = definitions.find(TargetKind.BUCKET, Scope(admin.app_id), name)
    assert found is not None
    return SubscribedBucket(name, Writer(stage.emulator, series.rows(found.target, _PATTERN)), devices)
