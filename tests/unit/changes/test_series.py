"""The effect of each change, and the request that writes it."""

from collections import Counter

from fanfare.pipeline.dispatch.changes import CREATED, UPDATED
from measure.changes.series import APART, Change, Rows, change

ROW = {"pk": {"S": "app#ref"}, "sk": {"S": "pattern"}, "body": {"S": "{}"}, "change": {"S": "00ff"}}
ROWS = Rows(
    "objects",
    created={**ROW, "version": {"N": "1"}, "created_at": {"N": "1"}, "changed_at": {"N": "1"}},
    replaced={**ROW, "version": {"N": "2"}, "created_at": {"N": "1"}, "changed_at": {"N": "1"}},
)


def test_about_half_of_a_long_series_replaces_objects() -> None:
    events = Counter(change("s", number).event for number in range(5_000))
    assert events == {CREATED: 2_500 + APART // 2, UPDATED: 2_500 - APART // 2}


def test_a_replaced_object_was_created_long_before_and_is_replaced_once() -> None:
    series = [change("s", number) for number in range(1_000)]
    created = {one.object_id: (number, one.mark) for number, one in enumerate(series) if one.event == CREATED}
    replacing = [(number, one) for number, one in enumerate(series) if one.replaces is not None]
    assert all(created[one.object_id][0] < number - APART for number, one in replacing)
    assert all(created[one.object_id][1] == one.replaces for _, one in replacing)
    assert len({(one.object_id, one.event) for one in series}) == 1_000


def test_each_change_has_a_mark_of_its_own_as_long_as_the_stores() -> None:
    marks = {change("s", number).mark for number in range(1_000)}
    assert len(marks) == 1_000
    assert {len(mark) for mark in marks} == {16}


def test_series_have_objects_of_their_own() -> None:
    assert change("a", 0).object_id != change("b", 0).object_id


def test_a_new_object_is_put_where_none_is() -> None:
    request = ROWS.put(Change("o-1", CREATED, "0a", None), at=7)
    assert request["Item"] == {
        **ROWS.created,
        "sk": {"S": "o-1"},
        "change": {"S": "0a"},
        "created_at": {"N": "7"},
        "modified_at": {"N": "7"},
        "changed_at": {"N": "7"},
    }
    assert request["ConditionExpression"] == "attribute_not_exists(pk)"


def test_an_object_is_replaced_only_as_it_was_created() -> None:
    request = ROWS.put(Change("o-1", UPDATED, "0b", replaces="0a"), at=7)
    assert request["Item"]["version"] == {"N": "2"}
    assert request["Item"]["created_at"] == {"N": "1"}
    assert request["Item"]["changed_at"] == {"N": "7"}
    assert request["ExpressionAttributeValues"] == {":replaces": {"S": "0a"}}
