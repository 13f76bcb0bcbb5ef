"""Users' actions in a window of time: refused beyond the limit, without effect, and without delaying
others."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import boto3
import pytest

from fanfare.api import passwords
from fanfare.domain.parameters import Parameter
from fanfare.domain.rate_limits import Use
from fanfare.runtime import clients, clock
from fanfare.store import apps, limits
from local.aws.watched import watched
from tests.integration.api.conftest import PASSWORD, Client, Tenant, World
from tests.integration.api.costs import calls

NOON = 1_800_000_000_000 // 86_400_000 * 86_400_000 + 43_200_000
MESSAGE = {"data": {"score": "3"}, "gcm": {"enabled": True}, "apns": {"enabled": True}}
TOO_MANY = (429, "TOO_MANY_REQUESTS")
MINUTE, QUARTER, HOUR, DAY = 60_000, 900_000, 3_600_000, 86_400_000


@dataclass
class Time:
    """The time of all requests, which a test moves on."""

    now: int = NOON

    def __call__(self) -> int:
        return self.now

    def passes(self, ms: int) -> None:
        self.now += ms


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    made = Time()
    monkeypatch.setattr(clock, "now", made)
    return made


@pytest.fixture
def world(time: Time, world: World) -> World:
    """The world before any sign-up was counted."""
    return world


def allow(world: World, limit: Parameter, most: int) -> None:
    assert world.admin("PUT", f"/configuration/parameters/{limit}", str(most)).status == 204
    apps.forget()


def install(client: Client, token: str, **more: Any) -> tuple[int, Any]:
    form = {"deviceType": "ANDROID", "installationRegistrationID": token, **more}
    answer = client("POST", "/installations", form)
    return answer.status, answer.json


def login(world: World, password: str, address: str = "203.0.113.7", name: str = "user-1") -> Any:
    """Log in from this address. The gateway tells the source of a request, and the test plays it."""
    front = world.front
    function, event = front.event(
        "POST",
        "/api/oauth2/token",
        headers={"x-kii-appid": world.app.id},
        body={"username": name, "password": password},
    )
    event["requestContext"]["http"]["sourceIp"] = address
    return front._handler(function)(event, None)["statusCode"]


class Kind:
    """Actions that users can repeat, each time with new names."""

    def __init__(self, world: World) -> None:
        self._numbers = count(1)
        self._world = world
        assert world.admin("PUT", "/topics/news").status == 204
        for user in (world.alice, world.bob):
            granted = f"/topics/news/acl/SEND_MESSAGE_TO_TOPIC/UserID:{user.user}"
            assert world.admin("PUT", granted).status == 204
        assert world.admin("PUT", "/buckets/notes").status == 204
        subscribed = f"/buckets/notes/filters/all/push/subscriptions/users/{world.bob.user}"
        assert world.admin("PUT", subscribed).status == 204
        for number in range(1, 9):
            world.admin("PUT", f"/topics/t{number}")

    def sends(self, client: Client) -> Any:
        return client("POST", "/topics/news/push/messages", MESSAGE)

    def installs(self, client: Client) -> Any:
        form = {"deviceType": "ANDROID", "installationRegistrationID": f"token-{next(self._numbers)}"}
        return client("POST", "/installations", form)

    def subscribes(self, client: Client) -> Any:
        return client("POST", f"/topics/t{next(self._numbers)}/push/subscriptions/users")

    def groups(self, client: Client) -> Any:
        return client("POST", "/groups", {"name": "Team", "owner": client.user or self._world.alice.user})

    def changes(self, client: Client) -> Any:
        return client("PUT", f"/buckets/notes/objects/of-{client.user}", {"n": next(self._numbers)})


KINDS = [
    (Kind.sends, Parameter.USER_SENDS_A_MINUTE, MINUTE),
    (Kind.sends, Parameter.USER_SENDS_A_DAY, DAY),
    (Kind.installs, Parameter.USER_INSTALLS_A_DAY, DAY),
    (Kind.subscribes, Parameter.USER_SUBSCRIPTIONS_A_DAY, DAY),
    (Kind.groups, Parameter.USER_GROUP_CHANGES_AN_HOUR, HOUR),
    (Kind.changes, Parameter.USER_OBJECT_CHANGES_A_MINUTE, MINUTE),
]


@pytest.mark.parametrize(("kind", "limit", "window"), KINDS)
def test_a_user_is_refused_beyond_the_limit_until_its_window_ends(
    world: World,
    time: Time,
    everything: Callable[[], Any],
    kind: Callable[[Kind, Client], Any],
    limit: Parameter,
    window: int,
) -> None:
    kinds = Kind(world)
    allow(world, limit, 3)
    assert [kind(kinds, world.alice).status // 100 for _ in range(3)] == [2, 2, 2]
    before = {name: rows for name, rows in everything().items() if name != "LimitsTable"}
    time.passes(1_500)

    refused = kind(kinds, world.alice)

    left = -(-(window - time.now % window) // 1000)
    assert refused.error == TOO_MANY
    assert (refused.json["limit"], refused.json["most"]) == (limit, 3)
    assert refused.headers["retry-after"] == str(left) == str(refused.json["retryAfter"])
    assert {name: rows for name, rows in everything().items() if name != "LimitsTable"} == before
    assert kind(kinds, world.bob).status // 100 == 2, "another user has a limit of one's own"
    time.now += window - time.now % window - 1
    assert kind(kinds, world.alice).error == TOO_MANY
    time.passes(1)
    assert kind(kinds, world.alice).status // 100 == 2


@pytest.mark.parametrize(("kind", "limit"), [(kind, limit) for kind, limit, _ in KINDS])
def test_the_administrator_has_no_limit_and_0_sets_none(
    world: World, kind: Callable[[Kind, Client], Any], limit: Parameter
) -> None:
    kinds = Kind(world)
    allow(world, limit, 1)
    administrator = world.admin if kind is not Kind.installs and kind is not Kind.subscribes else None
    if administrator is not None:
        assert {kind(kinds, administrator).status // 100 for _ in range(3)} == {2}
    allow(world, limit, 0)

    assert {kind(kinds, world.alice).status // 100 for _ in range(3)} == {2}


def test_thirty_topic_sends_of_one_pseudo_user_in_six_seconds(world: World, time: Time) -> None:
    made = world.nobody(
        "POST", "/users", {}, content_type="application/vnd.kii.RegistrationAndAuthorizationRequest+json"
    ).json
    pseudo = Client(
        world.front, world.app, {"authorization": f"Bearer {made['_accessToken']}"}, made["userID"]
    )
    assert pseudo("PUT", "/users/me/topics/mine").status == 204
    allow(world, Parameter.USER_SENDS_A_MINUTE, 20)
    answers = []
    for _ in range(30):
        answers.append(pseudo("POST", "/users/me/topics/mine/push/messages", MESSAGE).status)
        time.passes(200)

    assert answers == [201] * 20 + [429] * 10


def test_installing_again_is_not_counted_and_asks_for_no_limit(world: World) -> None:
    allow(world, Parameter.USER_INSTALLS_A_DAY, 1)
    assert install(world.alice, "one")[0] == 201

    with calls() as made:
        assert {install(world.alice, "one")[0] for _ in range(5)} == {201}

    assert [name for name, _ in made if "Limits" in name or "Apps" in name] == []
    assert install(world.alice, "one", development=True)[0] == 429


def test_what_is_refused_otherwise_is_not_counted(world: World) -> None:
    for limit in (
        *(
            Parameter.USER_SENDS_A_MINUTE,
            Parameter.USER_INSTALLS_A_DAY,
            Parameter.USER_OBJECT_CHANGES_A_MINUTE,
        ),
        *(Parameter.USER_SUBSCRIPTIONS_A_DAY, Parameter.USER_GROUP_CHANGES_AN_HOUR),
    ):
        allow(world, limit, 1)
    kinds = Kind(world)
    alice = world.alice
    for _ in range(3):
        assert alice("POST", "/topics/news/push/messages", {"gcm": {"enabled": 3}}).status == 400
        assert install(alice, "")[0] == 400
        assert alice("POST", "/topics/none/push/subscriptions/users").status == 404
        assert alice("POST", "/groups", {"name": ""}).status == 400
        match = {"if_match": "99"}
        assert alice("PUT", "/buckets/notes/objects/one", {"n": 1}, **match).status in (404, 409)

    for kind in (Kind.sends, Kind.installs, Kind.subscribes, Kind.groups, Kind.changes):
        assert kind(kinds, alice).status // 100 == 2, kind


def test_a_change_that_reaches_nobody_is_not_counted(world: World) -> None:
    allow(world, Parameter.USER_OBJECT_CHANGES_A_MINUTE, 1)

    written = {world.alice("PUT", "/buckets/quiet/objects/one", {"n": n}).status for n in range(5)}

    assert written == {200, 201}


def test_every_way_to_change_an_object_is_counted(world: World, subtests: pytest.Subtests) -> None:
    kinds = Kind(world)
    assert kinds.changes(world.alice).status == 201
    path = f"/buckets/notes/objects/of-{world.alice.user}"
    granted = f"{path}/acl/READ_EXISTING_OBJECT/UserID:{world.bob.user}"
    changes: list[tuple[str, str, Any, Mapping[str, str]]] = [
        ("PUT", path, {"n": 1}, {}),
        ("PATCH", path, {"n": 2}, {}),
        ("POST", path, {"n": 3}, {"x_http_method_override": "PATCH"}),
        ("PUT", f"{path}/body", "text", {"content_type": "text/plain"}),
        ("PUT", granted, b"", {}),
        ("DELETE", granted, b"", {}),
        ("DELETE", f"{path}/body", b"", {}),
        ("POST", "/buckets/notes/objects", {"n": 4}, {}),
        ("DELETE", path, b"", {}),
    ]
    for most, (method, target, body, headers) in enumerate(changes, start=2):
        with subtests.test(method=method, target=target):
            allow(world, Parameter.USER_OBJECT_CHANGES_A_MINUTE, most - 1)
            assert world.alice(method, target, body, **headers).error == TOO_MANY
            allow(world, Parameter.USER_OBJECT_CHANGES_A_MINUTE, most)
            assert world.alice(method, target, body, **headers).status // 100 == 2


def test_a_patch_that_changes_nothing_is_not_counted(world: World) -> None:
    kinds = Kind(world)
    allow(world, Parameter.USER_OBJECT_CHANGES_A_MINUTE, 1)
    assert kinds.changes(world.alice).status == 201
    path = f"/buckets/notes/objects/of-{world.alice.user}"
    there = world.alice("GET", path).json["n"]

    assert world.alice("PATCH", path, {"n": there}).status == 200


def test_nobody_in_particular_is_counted_by_address(world: World) -> None:
    Kind(world)
    assert (
        world.admin("PUT", "/buckets/notes/acl/CREATE_OBJECTS_IN_BUCKET/UserID:ANONYMOUS_USER").status == 204
    )
    allow(world, Parameter.USER_OBJECT_CHANGES_A_MINUTE, 2)

    answers = [world.nobody("POST", "/buckets/notes/objects", {"n": n}).status for n in range(3)]

    assert answers == [201, 201, 429]


def test_a_refused_subscription_makes_no_bucket_and_marks_none(
    world: World, everything: Callable[[], Any]
) -> None:
    assert world.admin("PUT", "/buckets/there").status == 204
    allow(world, Parameter.USER_SUBSCRIPTIONS_A_DAY, 1)
    subscribe = "/buckets/{}/filters/all/push/subscriptions/users"
    assert world.alice("POST", subscribe.format("first")).status == 204
    before = {name: rows for name, rows in everything().items() if name != "LimitsTable"}

    for bucket in ("second", "there", "first-again"):
        assert world.alice("POST", subscribe.format(bucket)).error == TOO_MANY

    assert {name: rows for name, rows in everything().items() if name != "LimitsTable"} == before


def test_twenty_users_at_their_limits_refuse_nobody_a_first_change(
    world: World, time: Time, new_user: Callable[[Tenant], Client]
) -> None:
    """Users keep a first change even when the app's limit is used up."""
    kinds = Kind(world)
    allow(world, Parameter.USER_OBJECT_CHANGES_A_MINUTE, 6)
    allow(world, Parameter.APP_OBJECT_CHANGES_A_MINUTE, 30)
    crowd = [new_user(world.app) for _ in range(20)]
    answers = [[kinds.changes(user) for user in crowd] for _ in range(7)]

    accepted = sum(one.status // 100 == 2 for round_ in answers for one in round_)
    assert accepted <= 30 + len(crowd)
    assert answers[-1][0].error == TOO_MANY
    assert {one.json["limit"] for round_ in answers for one in round_ if one.status == 429} == {
        "userObjectChangesPerMinute",
        "appObjectChangesPerMinute",
    }
    assert kinds.changes(world.bob).status // 100 == 2, "another's first one"
    refused = kinds.changes(world.bob)
    assert (refused.error, refused.json["limit"]) == (TOO_MANY, "appObjectChangesPerMinute")
    assert kinds.changes(world.admin).status // 100 == 2
    time.passes(MINUTE)
    assert kinds.changes(world.bob).status // 100 == 2


def test_of_an_app_s_limit_most_uses_write_nothing(world: World) -> None:
    kinds = Kind(world)
    with calls() as made:
        for _ in range(59):
            assert kinds.changes(world.alice).status // 100 == 2

    assert len([one for one in made if one == (_table(made), "UpdateItem")]) == 59, "the user's own counter"


def _table(made: list[tuple[str, str]]) -> str:
    return next(name for name, _ in made if "Limits" in name)


def test_sixty_wrong_logins_in_six_seconds_and_then_the_right_one(world: World, time: Time) -> None:
    answers = []
    for _ in range(60):
        answers.append(login(world, "wrong"))
        time.passes(100)

    assert answers == [400] * 10 + [429] * 50
    assert login(world, PASSWORD) == 429, "it may have been guessed"
    assert login(world, PASSWORD, "203.0.113.8") == 200, "its owner is somewhere else"
    assert login(world, PASSWORD, name="user-2") == 200, "another account"
    time.passes(QUARTER)
    assert login(world, PASSWORD) == 200


def test_an_address_guesses_at_many_accounts(world: World) -> None:
    allow(world, Parameter.ADDRESS_FAILED_LOGINS, 5)
    answers = [login(world, "wrong", name=f"somebody-{number}") for number in range(6)]

    assert answers == [400] * 5 + [429]
    assert login(world, PASSWORD) == 429
    assert login(world, PASSWORD, "203.0.113.8") == 200


def test_an_address_that_is_refused_uses_up_no_account_s_limit(world: World) -> None:
    allow(world, Parameter.ADDRESS_FAILED_LOGINS, 3)
    for _ in range(20):
        login(world, "wrong")

    assert [login(world, "wrong", "203.0.113.8") for _ in range(2)] == [400, 400]
    assert login(world, PASSWORD, "203.0.113.8") == 200


def test_an_address_of_the_network_of_an_ipv6_address_is_the_same_address(world: World) -> None:
    allow(world, Parameter.ADDRESS_FAILED_LOGINS, 2)
    answers = [login(world, "wrong", f"2001:db8::{number:x}", f"user-{number}") for number in range(3)]

    assert answers == [400, 400, 429]


def test_a_name_that_nobody_has_is_answered_as_one_that_somebody_has(world: World) -> None:
    known = [login(world, "wrong", "203.0.113.8", "user-1") for _ in range(12)]
    unknown = [login(world, "wrong", "203.0.113.9", "nobody-here") for _ in range(12)]

    assert known == unknown == [400] * 10 + [429] * 2


@pytest.mark.parametrize("name", ["user-1", "nobody-here"])
def test_the_spelling_of_a_name_makes_no_other_account_of_it(world: World, name: str) -> None:
    answers = [login(world, "wrong", name=name) for _ in range(5)]
    answers += [login(world, "wrong", name=f"LOGIN_NAME:{name}") for _ in range(6)]

    assert answers == [400] * 10 + [429]


def test_no_password_is_hashed_for_who_is_refused_without_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hashing costs more than anything else in the API."""
    allow(world, Parameter.ADDRESS_NEW_USERS_AN_HOUR, 1)
    allow(world, Parameter.ACCOUNT_FAILED_LOGINS, 1)
    wrong = {"oldPassword": "wrong", "newPassword": "something"}
    assert world.alice("PUT", "/users/me/password", wrong).status == 401

    def none(*_: object) -> Any:
        raise AssertionError("argon2 was asked")

    monkeypatch.setattr(passwords, "hashed", none)
    monkeypatch.setattr(passwords, "matches", none)
    given = {"loginName": "carol", "password": PASSWORD}

    assert world.nobody("POST", "/users", given).error == TOO_MANY
    assert world.alice("POST", "/users/me", {"password": "another horse"}).status == 400
    assert world.alice("PUT", "/users/me/password", wrong).error == TOO_MANY


def test_an_app_s_limit_that_is_raised_holds_at_once(world: World) -> None:
    use = Use(world.app.id, Parameter.APP_OBJECT_CHANGES_A_MINUTE, "app", 1, NOON)
    assert [limits.take_of_app(use) for _ in range(3)] == [True, False, False]

    raised = replace(use, most=3)

    assert [limits.take_of_app(raised) for _ in range(3)] == [True, True, False]
    assert not limits.take_of_app(use)


def test_a_right_login_is_counted_nowhere(world: World) -> None:
    with calls() as made:
        assert {login(world, PASSWORD) for _ in range(12)} == {200}

    assert {operation for name, operation in made if "Limits" in name} <= {"BatchGetItem"}


def test_a_wrong_old_password_is_a_guess_too(world: World) -> None:
    given = {"oldPassword": "wrong", "newPassword": "something"}
    answers = [world.alice("PUT", "/users/me/password", given).status for _ in range(11)]

    assert answers == [401] * 10 + [429]
    assert world.alice("PUT", "/users/me/password", {**given, "oldPassword": PASSWORD}).error == TOO_MANY
    assert world.admin("PUT", f"/users/{world.alice.user}/password", given).status == 204


def test_sign_ups_are_counted_by_address(world: World, time: Time) -> None:
    allow(world, Parameter.ADDRESS_NEW_USERS_AN_HOUR, 2)  # two users of the world were made already
    kind = "application/vnd.kii.RegistrationAndAuthorizationRequest+json"

    assert world.nobody("POST", "/users", {}, content_type=kind).error == TOO_MANY
    given = {"loginName": "carol", "password": PASSWORD}
    assert world.admin("POST", "/users", given).status == 201, "a server has no limit"
    time.passes(HOUR)
    assert world.nobody("POST", "/users", {}, content_type=kind).status == 201


@pytest.fixture
def losing(world: World) -> Iterator[list[int]]:
    """Lose this number of answers to updates; the client sends the request again."""
    left, other = [0], boto3.client("dynamodb")

    def first(operation: str, arguments: dict[str, Any]) -> None:
        if operation == "UpdateItem" and left[0]:
            left[0] -= 1
            other.update_item(**arguments)

    with watched(clients.dynamodb(), before=first):
        yield left


def test_a_use_whose_answer_is_lost_counts_once(world: World, losing: list[int]) -> None:
    use = Use(world.app.id, Parameter.USER_SENDS_A_MINUTE, world.alice.user, 2, NOON)
    for most in (1, 2):
        losing[0] = 1
        assert limits.take(use) == most

    assert limits.taken([use]) == [2]
    with pytest.raises(Exception, match="used up"):
        limits.take(replace(use, at=NOON + 1))


def test_a_counter_is_kept_for_two_windows(world: World) -> None:
    use = Use(world.app.id, Parameter.USER_SENDS_A_MINUTE, world.alice.user, 2, NOON)
    limits.take(use)

    row = limits.LimitRow.get(f"{world.app.id}#{use.limit}:{use.subject}#{NOON // MINUTE}")
    assert row.expires == NOON // 1000 + 120
