"""A write with a lost answer is tried again, and has to recognize its own row."""

from collections.abc import Callable
from typing import Any

import pytest

from fanfare.runtime import clients
from tests.integration.api.conftest import World


class Losing:
    """Loses the answer to the next write after it was made."""

    def __init__(self) -> None:
        self.lost = 0
        self._armed = False

    def arm(self) -> None:
        self._armed = True

    def __call__(
        self, response: Any, endpoint: Any, operation: Any, attempts: int, caught_exception: Any, **_: Any
    ) -> float | None:
        writes = {"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"}
        if self._armed and operation.name in writes and response is not None and attempts == 1:
            self._armed = False
            self.lost += 1
            return 0.0  # like botocore after a timeout: the same request once more
        return None


LOG_IN = "application/vnd.kii.RegistrationAndAuthorizationRequest+json"


@pytest.fixture
def losing(world: World) -> Losing:
    handler = Losing()
    clients.dynamodb().meta.events.register_first("needs-retry.dynamodb", handler)  # type: ignore[arg-type]
    return handler


OBJECT = {"a": 1}
SUBSCRIBE = "SUBSCRIBE_TO_TOPIC/UserID:ANY_AUTHENTICATED_USER"
CREATE = "CREATE_NEW_TOPIC/UserID:ANY_AUTHENTICATED_USER"
WRITE = "WRITE_EXISTING_OBJECT/UserID:ANY_AUTHENTICATED_USER"


def test_what_was_written_is_told_as_success(world: World, losing: Losing, subtests: pytest.Subtests) -> None:
    alice, admin = world.alice, world.admin
    sign_up = {"loginName": "carol", "password": "pass"}
    mine = f"/topics/t/push/subscriptions/users/{alice.user}"
    for client, method, path, body, status in (
        (world.nobody, "POST", "/users", sign_up, 201),
        (admin, "PUT", "/topics/t", b"", 204),
        (alice, "PUT", mine, b"", 204),
        (alice, "DELETE", mine, b"", 204),
        (alice, "PUT", "/users/me/buckets/bb", b"", 204),
        (alice, "PUT", "/users/me/buckets/bb/objects/o1", OBJECT, 201),
        (alice, "PUT", "/users/me/buckets/bb/objects/o1", OBJECT, 200),
        (alice, "PATCH", "/users/me/buckets/bb/objects/o1", {"b": 1}, 200),
        (alice, "PUT", "/users/me/buckets/bb/objects/o1/body", b"body", 200),
        (alice, "DELETE", "/users/me/buckets/bb/objects/o1/body", b"", 204),
        (alice, "PUT", "/users/me/buckets/cc/objects/o1", OBJECT, 201),
        (alice, "DELETE", "/users/me/buckets/bb/objects/o1", b"", 204),
        (alice, "DELETE", "/users/me/buckets/bb", b"", 204),
        (admin, "POST", "/topics/t/push/messages", {"data": {}, "gcm": {"enabled": True}}, 201),
        (admin, "DELETE", "/topics/t", b"", 204),
        (alice, "POST", "/installations", {"deviceType": "ANDROID", "installationRegistrationID": "t"}, 201),
        (alice, "DELETE", "/installations/ANDROID:t", b"", 204),
        (alice, "PUT", "/groups/g", {"name": "g"}, 201),
        (alice, "PUT", f"/groups/g/members/{world.bob.user}", b"", 204),
        (alice, "PUT", "/groups/g/name", "new", 204),
        (alice, "PUT", "/groups/g/topics/t", b"", 204),
        (alice, "PUT", f"/groups/g/topics/t/acl/{SUBSCRIBE}", b"", 204),
        (alice, "DELETE", f"/groups/g/topics/t/acl/{SUBSCRIBE}", b"", 204),
        (alice, "PUT", f"/groups/g/acl/{CREATE}", b"", 204),
        (alice, "DELETE", f"/groups/g/acl/{CREATE}", b"", 204),
        (alice, "PUT", "/buckets/dd/objects/o1", OBJECT, 201),
        (alice, "PUT", f"/buckets/dd/objects/o1/acl/{WRITE}", b"", 204),
        (alice, "DELETE", f"/buckets/dd/objects/o1/acl/{WRITE}", b"", 204),
        (alice, "DELETE", f"/groups/g/members/{world.bob.user}", b"", 204),
        (alice, "PUT", "/groups/g/owner", {"owner": world.bob.user}, 204),
        (world.bob, "DELETE", "/groups/g", b"", 204),
    ):
        with subtests.test(method=method, path=path):
            losing.arm()
            before = losing.lost
            assert client(method, path, body).status == status
            assert losing.lost == before + 1


def test_a_replaced_object_is_one_version_on(world: World, losing: Losing) -> None:
    world.alice("PUT", "/buckets/bb/objects/o1", OBJECT)

    losing.arm()
    answer = world.alice("PUT", "/buckets/bb/objects/o1", OBJECT, if_match="1")

    assert (answer.status, answer.headers["etag"]) == (200, '"2"')
    assert world.alice("GET", "/buckets/bb/objects/o1").json["_version"] == "2"


def test_a_pseudo_user_is_made_once(world: World, losing: Losing, everything: Callable[[], Any]) -> None:
    losing.arm()

    made = world.nobody("POST", "/users", {}, content_type=LOG_IN)

    assert (made.status, losing.lost) == (201, 1)
