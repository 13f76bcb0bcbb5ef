"""Rows are brought back from a copy of their table, and nobody gets a push for it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from fanfare.domain.object import Object, Writing, created, replaced
from fanfare.domain.scope import Scope, Target, TargetKind
from fanfare.pipeline.dispatch import changes
from fanfare.store import definitions, objects, row
from operate import restoration
from operate.errors import Declined, Unusable
from operate.profile import Profile
from operate.template import template_path
from operate.template.intrinsics import read_yaml
from tests.integration.pipeline.conftest import APP, World

NOW = 1_800_000_000_000


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of the stores in this test."""

    buckets_table: str
    objects_table: str
    accounts_table: str


@dataclass(slots=True)
class Stage:
    """A bucket with a subscriber, its table, and the changes that dispatch sees of it."""

    table: str
    bucket: Target

    def write(self, name: str, body: str) -> None:
        writing = Writing(body, "application/json", "u1", NOW)

        def decide(before: Object | None) -> Object:
            return created(None, self.bucket, name, writing) if before is None else replaced(before, writing)

        objects.change(self.bucket, name, decide)

    def rows(self) -> dict[str, Any]:
        items = boto3.client("dynamodb").scan(TableName=self.table)["Items"]
        return {one["sk"]["S"]: one for one in items}

    def delete(self, name: str) -> None:
        item = self.rows()[name]
        key = {"pk": item["pk"], "sk": item["sk"]}
        boto3.client("dynamodb").delete_item(TableName=self.table, Key=key)

    def bodies(self) -> dict[str, str]:
        return {name: one["body"]["S"] for name, one in self.rows().items()}

    def pushes(self, before: dict[str, Any]) -> list[str]:
        """Return the objects with changes that would be pushed."""
        told = []
        for name, new in self.rows().items():
            old = before.get(name)
            if old == new:
                continue
            images = {"NewImage": new, **({} if old is None else {"OldImage": old})}
            if changes.Changes().push_of({"eventID": name, "dynamodb": images}) is not None:
                told.append(name)
        return sorted(told)


@pytest.fixture
def stage(world: World) -> Stage:
    tables = world.resources
    row.bind(Settings(tables["BucketsTable"], tables["ObjectsTable"], tables["AccountsTable"]))
    made = definitions.create(TargetKind.BUCKET, Scope(APP), "bb", None, 1)
    assert made is not None
    definitions.mark_subscribed(made.target)
    return Stage(tables["ObjectsTable"], made.target)


@pytest.fixture
def copied(stage: Stage) -> str:
    """The table as it was when there were three objects; then one was deleted, one changed, one made."""
    for name in ("kept", "deleted", "changed"):
        stage.write(name, "1")
    dynamodb = boto3.client("dynamodb")
    dynamodb.update_continuous_backups(
        TableName=stage.table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    copy = restoration.begin(stage.table, datetime.now(UTC) + timedelta(seconds=1))
    assert len(dynamodb.scan(TableName=copy)["Items"]) == 3
    stage.delete("deleted")
    stage.write("changed", "2")
    stage.write("new", "1")
    return copy


def test_what_is_missing_comes_back_and_nobody_gets_a_push(stage: Stage, copied: str) -> None:
    before = stage.rows()
    done = restoration.copy(copied, stage.table, NOW, mark="m1")
    assert (done.put, done.same, [one.rpartition("/")[2] for one in done.other]) == (1, 1, ["changed"])
    assert stage.bodies() == {"kept": "1", "deleted": "1", "changed": "2", "new": "1"}
    assert stage.pushes(before) == []
    again = restoration.copy(copied, stage.table, NOW, mark="m2")
    assert (again.put, again.same) == (0, 2), "what was put back is as it was, but for the mark"


def test_what_differs_comes_back_where_that_is_asked_for(stage: Stage, copied: str) -> None:
    before = stage.rows()
    assert restoration.copy(copied, stage.table, NOW, mark="m1", overwrite=True).put == 2
    assert stage.bodies() == {"kept": "1", "deleted": "1", "changed": "1", "new": "1"}
    assert stage.pushes(before) == []


def test_the_next_change_of_a_restored_object_is_a_push_again(stage: Stage, copied: str) -> None:
    restoration.copy(copied, stage.table, NOW, mark="m1", overwrite=True)
    for body in ("3", "4"):
        before = stage.rows()
        stage.write("deleted", body)
        assert stage.pushes(before) == ["deleted"]


def test_a_second_restore_over_a_first_is_no_push_either(stage: Stage, copied: str) -> None:
    restoration.copy(copied, stage.table, NOW, mark="m1", overwrite=True)
    stage.write("changed", "5")
    before = stage.rows()
    assert restoration.copy(copied, stage.table, NOW, mark="m2", overwrite=True).put == 1
    assert stage.pushes(before) == []


def test_a_row_that_changes_at_that_moment_is_left_as_it_is(
    stage: Stage, copied: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = restoration._told

    def meanwhile(item: Any) -> Any:
        if item["sk"]["S"] == "changed" and stage.bodies()["changed"] == "2":
            stage.write("changed", "6")
        return told(item)

    monkeypatch.setattr(restoration, "_told", meanwhile)
    done = restoration.copy(copied, stage.table, NOW, mark="m1", overwrite=True)
    assert [one.rpartition("/")[2] for one in done.other] == ["changed"]
    assert stage.bodies()["changed"] == "6"


def test_one_app_alone_comes_back_and_nothing_that_has_expired(stage: Stage, copied: str) -> None:
    assert restoration.copy(copied, stage.table, NOW, app="other").put == 0
    dynamodb = boto3.client("dynamodb")
    gone = next(one for one in dynamodb.scan(TableName=copied)["Items"] if one["sk"]["S"] == "deleted")
    dynamodb.put_item(TableName=copied, Item=gone | {"expires": {"N": str(NOW // 1000 - 1)}})
    assert restoration.copy(copied, stage.table, NOW, app=APP).put == 0
    assert "deleted" not in stage.bodies()


def test_an_import_names_what_is_left_and_nothing_that_it_does_not_take() -> None:
    template = read_yaml(template_path())
    names = {"ObjectsTable": "old-Objects", "ObjectBodiesBucket": "old-bodies"}
    importing, imported = restoration.importing(template, names)
    assert set(importing["Resources"]) == set(names)
    assert "Transform" not in importing
    assert all("DeletionPolicy" in one for one in importing["Resources"].values())
    assert [one["ResourceIdentifier"] for one in imported] == [
        {"TableName": "old-Objects"},
        {"BucketName": "old-bodies"},
    ]
    for wrong in ({"ExpressQueue": "q"}, {"NoTable": "t"}, {"ObjectsTable": ""}):
        with pytest.raises(Unusable, match="a table or a bucket of the template"):
            restoration.importing(template, wrong)


def test_what_would_be_sent_again_is_refused(stage: Stage, world: World) -> None:
    place = Profile("stack", world.resources)
    for table in ("MessagesTable", "LedgerTable", "LanesTable", "LimitsTable", "NoTable"):
        with pytest.raises(Unusable, match="rows of others live for days"):
            restoration.name_of(place, table)
    assert restoration.name_of(place, "ObjectsTable") == stage.table
    with pytest.raises(Declined, match="its keys are others"):
        restoration.copy(world.resources["InstallationsTable"], stage.table, NOW)
