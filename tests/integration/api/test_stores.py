"""Apps, definitions and objects as rows: the effects of two writers at once, and of memory."""

from collections.abc import Mapping
from dataclasses import dataclass

import boto3
import pytest

from fanfare.domain.errors import ObjectNotFound
from fanfare.domain.object import Object, Writing, created, deleted, replaced
from fanfare.domain.refusals import no_object
from fanfare.domain.scope import Scope, Target, TargetKind
from fanfare.store import apps, definitions, objects, row

SCOPE = Scope("app1")
BUCKET = Target(TargetKind.BUCKET, SCOPE, "bb", "ref1")


@dataclass(frozen=True, slots=True)
class Settings:
    apps_table: str
    topics_table: str
    buckets_table: str
    objects_table: str


@pytest.fixture(autouse=True)
def _bound(tables: Mapping[str, str]) -> None:
    names = ("AppsTable", "TopicsTable", "BucketsTable", "ObjectsTable")
    row.bind(Settings(*(tables[name] for name in names)))


def writing(text: str, at: int = 1) -> Writing:
    return Writing(text, "application/json", "u1", at)


def put(text: str) -> tuple[Object | None, Object]:
    def decide(found: Object | None) -> Object:
        if found is None or found.deleted:
            return created(found, BUCKET, "o1", writing(text))
        return replaced(found, writing(text, 2))

    return objects.change(BUCKET, "o1", decide)


def test_an_object_that_changes_while_it_is_decided_on_is_decided_on_anew() -> None:
    put('{"n":1}')
    seen: list[str] = []

    def decide(found: Object | None) -> Object:
        assert found is not None
        seen.append(found.body)
        if len(seen) == 1:
            put('{"n":2}')
        return replaced(found, writing('{"n":3}', 3))

    before, after = objects.change(BUCKET, "o1", decide)

    assert seen == ['{"n":1}', '{"n":2}']
    assert before is not None
    assert (before.version, after.version) == (2, 3)
    assert objects.find(BUCKET, "o1") == after


def test_an_object_that_goes_while_it_is_decided_on() -> None:
    put('{"n":1}')
    calls = 0

    def decide(found: Object | None) -> Object:
        nonlocal calls
        calls += 1
        if found is None or found.deleted:
            raise no_object(BUCKET, "o1")
        if calls == 1:
            objects.change(BUCKET, "o1", lambda one: deleted(one or found, None, 5))
        return replaced(found, writing('{"n":2}'))

    with pytest.raises(ObjectNotFound):
        objects.change(BUCKET, "o1", decide)
    assert objects.find(BUCKET, "o1") is None


def test_two_that_create_the_same_object_leave_one_of_version_two() -> None:
    def decide(found: Object | None) -> Object:
        if found is None:
            put('{"n":1}')
            return created(None, BUCKET, "o1", writing('{"n":2}'))
        return replaced(found, writing('{"n":2}'))

    before, after = objects.change(BUCKET, "o1", decide)

    assert before is not None
    assert (before.body, after.body, after.version) == ('{"n":1}', '{"n":2}', 2)


def test_sweeping_a_bucket_takes_as_much_as_it_may() -> None:
    def make(object_id: str) -> None:
        objects.change(BUCKET, object_id, lambda _: created(None, BUCKET, object_id, writing("{}")))

    for number in range(5):
        make(f"o{number}")

    assert [objects.sweep("app1", "ref1", 3) for _ in range(3)] == [3, 2, 0]
    assert objects.count(BUCKET) == objects.Count(0, complete=True)


@pytest.mark.parametrize("kind", list(TargetKind))
def test_a_definition_is_made_once_and_deleted_by_its_reference(kind: TargetKind) -> None:
    made = definitions.create(kind, SCOPE, "name", "u1", 7)
    assert made is not None
    assert (made.creator, made.created_at, made.ever_subscribed) == ("u1", 7, False)
    assert definitions.create(kind, SCOPE, "name", None, 8) is None
    assert definitions.find(kind, SCOPE, "name") == made

    definitions.delete(Target(kind, SCOPE, "name", "another"))
    assert definitions.find(kind, SCOPE, "name") == made
    assert not definitions.mark_subscribed(Target(kind, SCOPE, "name", "another"))
    assert definitions.mark_subscribed(made.target)
    found = definitions.find(kind, SCOPE, "name")
    assert found is not None
    assert found.ever_subscribed

    definitions.delete(made.target)
    definitions.delete(made.target)
    assert definitions.find(kind, SCOPE, "name") is None
    again = definitions.create(kind, SCOPE, "name", None, 9)
    assert again is not None
    assert again.target.ref != made.target.ref
    assert not definitions.mark_subscribed(made.target)


def test_a_user_s_names_are_not_the_app_s() -> None:
    for scope in (SCOPE, Scope("app1", user="u1"), Scope("app1", group="g1"), Scope("app2")):
        assert definitions.create(TargetKind.TOPIC, scope, "t", None, 1) is not None
        assert [one.target.name for one in definitions.in_scope(TargetKind.TOPIC, scope, "", 10)] == ["t"]


def test_an_app_keeps_no_secret(tables: Mapping[str, str]) -> None:
    made = apps.create("app1", fcm_parameter="/fanfare/apps/app1/fcm")
    assert made is not None
    app, secret = made

    assert apps.find("app1") == app
    assert apps.create("app1") is None
    assert apps.find("app1") == app
    assert app.fcm_parameter == "/fanfare/apps/app1/fcm"
    assert app.apns_parameter is None
    (item,) = boto3.client("dynamodb").scan(TableName=tables["AppsTable"])["Items"]
    assert secret not in str(item)
    assert app.has_secret(app.client_id, secret)
    assert not app.has_secret(app.client_id, app.client_secret_hash)
    assert not app.has_secret("other", secret)


def test_what_is_known_of_an_app_is_a_minute_old_at_most(tables: Mapping[str, str]) -> None:
    assert apps.known("app1", now=0) is None
    apps.create("app1")
    assert apps.known("app1", now=0) is not None

    boto3.client("dynamodb").delete_item(TableName=tables["AppsTable"], Key={"pk": {"S": "app1"}})

    assert apps.known("app1", now=apps.KEPT_MS - 1) is not None
    assert apps.known("app1", now=apps.KEPT_MS) is None
