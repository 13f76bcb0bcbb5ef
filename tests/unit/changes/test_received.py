"""The networks' record against the changes."""

from dataclasses import replace

from fanfare.pipeline.dispatch.changes import CREATED, UPDATED
from measure.changes.received import Came, of_entry, wrong
from measure.changes.series import Change

CHANGES = [Change("o-1", CREATED, "0a", None), Change("o-1", UPDATED, "0b", "0a")]
DEVICES = ("phone", "pad")
ALL = [Came(device, one.object_id, one.event, 1.0) for device in DEVICES for one in CHANGES]


def test_nothing_is_wrong_where_each_change_reached_each_device_once() -> None:
    assert wrong(reversed(ALL), CHANGES, DEVICES) == []
    assert wrong([], CHANGES, ()) == []


def test_a_missing_push_is_wrong_though_another_came_twice() -> None:
    assert wrong([*ALL[1:], ALL[1]], CHANGES, DEVICES) == [
        f"{CREATED} of o-1 came 0 times to phone, 1 expected",
        f"{UPDATED} of o-1 came 2 times to phone, 1 expected",
    ]


def test_what_nobody_asked_for_is_wrong() -> None:
    stray = replace(ALL[0], token="another")
    of_no_change = Came("pad", None, None, 1.0)
    assert len(wrong([*ALL, stray, of_no_change], CHANGES, DEVICES)) == 2
    assert wrong([stray], CHANGES, ()) == [f"{CREATED} of o-1 came 1 times to another, 0 expected"]


def test_a_push_is_read_by_the_keys_of_its_network() -> None:
    data = {"objectID": "o-1", "type": CREATED}
    fcm = {
        "network": "fcm",
        "token": "phone",
        "time": 5.0,
        "body": {"message": {"token": "phone", "data": data}},
    }
    apns = {"network": "apns", "token": "pad", "time": 6.0, "body": {"aps": {}, "oi": "o-1", "t": UPDATED}}
    assert of_entry(fcm) == Came("phone", "o-1", CREATED, 5.0)
    assert of_entry(apns) == Came("pad", "o-1", UPDATED, 6.0)


def test_a_push_of_no_change_is_told_from_the_others() -> None:
    fcm = {"network": "fcm", "token": "phone", "time": 5.0, "body": {"message": {"token": "phone"}}}
    assert of_entry(fcm) == Came("phone", None, None, 5.0)
