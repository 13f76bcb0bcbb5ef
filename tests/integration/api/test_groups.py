"""Groups: the rights of their owners and members, and the groups' fates."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import boto3
import pytest

from fanfare.api import groups
from fanfare.domain.errors import Busy
from fanfare.domain.group import Group
from fanfare.domain.user import user_id
from fanfare.store import apps
from fanfare.store import groups as store
from tests.integration.api.conftest import Client, Tenant, World
from tests.integration.api.costs import calls

NOT_THERE = user_id(bytes(24))
TOO_MANY = (429, "TOO_MANY_REQUESTS")
OWNER_CHANGE = "application/vnd.kii.GroupOwnerChangeRequest+json"


def create(client: Client, path: str = "/groups/g1", **fields: Any) -> Any:
    return client("POST" if path == "/groups" else "PUT", path, {"name": "Friends", **fields})


def members(client: Client, group: str = "g1") -> set[str]:
    return {one["userID"] for one in client("GET", f"/groups/{group}/members").json["members"]}


def group_ids(client: Client, relation: str = "is_member", user: str = "") -> list[str]:
    found = client("GET", f"/groups?{relation}={user or client.user}").json["groups"]
    return [one["groupID"] for one in found]


def test_a_group_from_create_to_delete(world: World) -> None:
    made = world.alice(
        "POST",
        "/groups",
        {"name": "Friends", "owner": world.alice.user, "members": [world.bob.user, NOT_THERE, "x"]},
        content_type="application/vnd.kii.GroupCreationRequest+json",
    )

    assert made.status == 201
    assert made.headers["content-type"] == "application/vnd.kii.GroupCreationResponse+json"
    assert made.json["notFoundUsers"] == [NOT_THERE, "x"]
    group = f"/groups/{made.json['groupID']}"
    assert made.headers["location"].endswith(group)
    view = {"groupID": made.json["groupID"], "name": "Friends", "owner": world.alice.user}
    for client in (world.alice, world.bob, world.admin):
        assert client("GET", group).json == view
        assert members(client, made.json["groupID"]) == {world.alice.user, world.bob.user}

    assert world.alice("DELETE", group).status == 204

    for client in (world.alice, world.bob, world.admin):
        assert client("GET", group).error == (404, "GROUP_NOT_FOUND")
        assert client("GET", f"{group}/members").error == (404, "GROUP_NOT_FOUND")
    assert group_ids(world.alice) == group_ids(world.bob) == []
    assert world.alice("DELETE", group).json["groupID"] == made.json["groupID"]


def test_a_group_with_an_id_of_one_s_own(world: World) -> None:
    assert create(world.alice).status == 201
    for client in (world.alice, world.bob, world.admin):
        refused = create(client, owner=client.user or world.bob.user)
        assert refused.error == (409, "GROUP_ALREADY_EXISTS")
    for wrong in ("G1", "a" * 31, "a%20b", "a:b", "%C3%A9"):
        assert create(world.alice, f"/groups/{wrong}").error == (400, "INVALID_INPUT_DATA")
        assert world.alice("GET", f"/groups/{wrong}").error == (404, "GROUP_NOT_FOUND")
    assert create(world.alice, "/groups/a._-0").status == 201


def test_the_same_id_in_another_app_is_another_group(
    world: World, tenant: Callable[[], Tenant], new_user: Callable[[Tenant], Client]
) -> None:
    carol = new_user(tenant())
    create(world.alice)

    assert carol("GET", "/groups/g1").error == (404, "GROUP_NOT_FOUND")
    assert create(carol).status == 201
    assert carol.elsewhere(world.app)("GET", "/groups/g1").error == (403, "WRONG_TOKEN")
    assert members(carol) == {carol.user}
    assert members(world.alice) == {world.alice.user}


@pytest.mark.parametrize(
    "body", [{}, {"name": ""}, {"name": "x" * 191}, {"name": 1}, {"name": "x", "members": "u"}, []]
)
def test_what_a_group_cannot_be_made_of(world: World, everything: Callable[[], Any], body: Any) -> None:
    before = everything()

    assert world.alice("POST", "/groups", body).error == (400, "INVALID_INPUT_DATA")
    assert everything() == before


def test_a_user_makes_a_group_of_another_user(world: World) -> None:
    """kii-rest-client4j did so against the real cloud. The creator is in the group only if it asks for
    that."""
    assert create(world.alice, owner=NOT_THERE).error == (404, "USER_NOT_FOUND")
    assert create(world.alice, owner=world.bob.user, members=[world.alice.user]).status == 201
    assert create(world.alice, "/groups/g2", owner=world.bob.user).status == 201

    assert group_ids(world.bob, "owner") == ["g1", "g2"]
    assert group_ids(world.alice) == ["g1"]
    assert group_ids(world.alice, "owner") == []
    assert world.alice("PUT", "/groups/g1/name", b"Mine", content_type="text/plain").error[0] == 401
    assert world.alice("GET", "/groups/g2").error == (401, "UNAUTHORIZED")


def test_the_administrator_makes_groups_for_users(world: World) -> None:
    assert create(world.admin).error == (400, "INVALID_INPUT_DATA")
    assert create(world.admin, owner=NOT_THERE).error == (404, "USER_NOT_FOUND")

    assert create(world.admin, owner="LOGIN_NAME:user-1").status == 201

    assert world.alice("GET", "/groups/g1").json["owner"] == world.alice.user
    assert members(world.alice) == {world.alice.user}


def test_members_come_and_go(world: World) -> None:
    create(world.alice)
    bob = f"/groups/g1/members/{world.bob.user}"
    assert world.bob("GET", "/groups/g1").error == (401, "UNAUTHORIZED")

    for _ in range(2):
        assert world.alice("PUT", bob, content_type="application/json").status == 204
        assert members(world.bob) == {world.alice.user, world.bob.user}
    assert world.alice("PUT", f"/groups/g1/members/{NOT_THERE}").error == (404, "USER_NOT_FOUND")

    assert world.admin("DELETE", bob).status == 204
    assert world.bob("GET", "/groups/g1").error == (401, "UNAUTHORIZED")
    assert group_ids(world.bob) == []
    gone = world.alice("DELETE", bob)
    assert gone.error == (404, "USER_NOT_FOUND")
    assert gone.json["value"] == world.bob.user
    assert world.alice("DELETE", f"/groups/g1/members/{world.alice.user}").error == (
        409,
        "OPERATION_NOT_ALLOWED",
    )
    assert members(world.alice) == {world.alice.user}


def test_renaming_and_handing_over(world: World) -> None:
    create(world.alice, members=[world.bob.user])

    assert world.alice("PUT", "/groups/g1/name", "Väter 50 %", content_type="text/plain").status == 204
    assert world.bob("GET", "/groups/g1").json["name"] == "Väter 50 %"
    for wrong in (b"", "x" * 191):
        refused = world.alice("PUT", "/groups/g1/name", wrong, content_type="text/plain")
        assert refused.error == (400, "INVALID_INPUT_DATA")

    change = {"owner": world.bob.user}
    assert world.alice("PUT", "/groups/g1/owner", change, content_type=OWNER_CHANGE).status == 204
    assert world.alice("GET", "/groups/g1").json["owner"] == world.bob.user
    assert world.alice("DELETE", "/groups/g1").error == (401, "UNAUTHORIZED")
    assert world.bob("PUT", "/groups/g1/owner", {"owner": NOT_THERE}).error == (404, "USER_NOT_FOUND")
    assert world.bob("DELETE", f"/groups/g1/members/{world.alice.user}").status == 204
    assert world.bob("PUT", "/groups/g1/owner", {"owner": world.alice.user}).status == 204
    assert members(world.alice) == {world.alice.user, world.bob.user}
    assert world.alice("DELETE", "/groups/g1").status == 204


def test_lists_by_member_and_by_owner(world: World) -> None:
    create(world.alice, "/groups/g1", members=[world.bob.user])
    create(world.bob, "/groups/g2")

    for slash in ("", "/"):
        for client, relation, expected in (
            (world.bob, "is_member", ["g1", "g2"]),
            (world.bob, "owner", ["g2"]),
            (world.alice, "is_member", ["g1"]),
            (world.alice, "owner", ["g1"]),
        ):
            answer = client("GET", f"/groups{slash}?{relation}={client.user}&disable_cache=1")
            assert answer.status == 200
            assert [one["groupID"] for one in answer.json["groups"]] == expected
    assert group_ids(world.admin, "owner", world.bob.user) == ["g2"]
    assert group_ids(world.bob, "is_member", "me") == ["g1", "g2"]
    assert group_ids(world.bob, "is_member", world.alice.user) == ["g1"]
    assert group_ids(world.alice, "owner", "LOGIN_NAME:user-2") == ["g2"]
    for client in (world.nobody, world.stranger):
        asked = client("GET", f"/groups?is_member={world.alice.user}")
        assert asked.error == (401, "UNAUTHORIZED")
    assert world.admin("GET", f"/groups?owner={NOT_THERE}").error == (404, "USER_NOT_FOUND")
    assert world.alice("GET", "/groups").error == (400, "INVALID_INPUT_DATA")


def test_who_may(
    world: World,
    new_user: Callable[[Tenant], Client],
    everything: Callable[[], Any],
    subtests: pytest.Subtests,
) -> None:
    carol = new_user(world.app)
    create(world.alice, members=[world.bob.user])
    before = everything()
    reading = [("GET", "/groups/g1", b""), ("GET", "/groups/g1/members", b"")]
    writing = [
        ("DELETE", "/groups/g1", b""),
        ("PUT", "/groups/g1/name", "x"),
        ("PUT", "/groups/g1/owner", {"owner": carol.user}),
        ("PUT", f"/groups/g1/members/{carol.user}", b""),
        ("DELETE", f"/groups/g1/members/{world.alice.user}", b""),
    ]
    removing = [("DELETE", f"/groups/g1/members/{world.bob.user}", b"")]
    making = [("POST", "/groups", {"name": "x"}), ("GET", f"/groups?is_member={world.bob.user}", b"")]

    for who, client, requests in (
        ("member", world.bob, writing),
        ("other user", carol, reading + writing + removing),
        ("nobody", world.nobody, reading + writing + removing + making),
        ("stranger", world.stranger, reading + writing + removing + making),
    ):
        for method, path, body in requests:
            with subtests.test(who=who, method=method, path=path):
                assert client(method, path, body).error == (401, "UNAUTHORIZED")
                assert everything() == before


@pytest.mark.parametrize("named", ["{user}", "me", "LOGIN_NAME:user-2"])
def test_members_leave_by_themselves(sweep: Callable[[], int], world: World, named: str) -> None:
    create(world.alice, members=[world.bob.user])
    topic = "/groups/g1/topics/news"
    world.alice("PUT", topic)
    world.bob("PUT", f"{topic}/push/subscriptions/users/me")
    mine = f"/groups/g1/members/{named.format(user=world.bob.user)}"

    assert world.bob("DELETE", mine).status == 204
    assert members(world.alice) == {world.alice.user}
    assert group_ids(world.bob) == []
    assert world.bob("DELETE", mine).error == (404, "USER_NOT_FOUND")
    sweep()
    assert world.admin("GET", f"{topic}/push/subscriptions/count").json["count"] == 0


def test_the_owner_does_not_leave(world: World, everything: Callable[[], Any]) -> None:
    create(world.alice, members=[world.bob.user])
    before = everything()

    assert world.alice("DELETE", "/groups/g1/members/me").error == (409, "OPERATION_NOT_ALLOWED")
    assert everything() == before


def test_a_group_made_anew_has_none_of_the_old_members(
    sweep: Callable[[], int], world: World, tables: Mapping[str, str]
) -> None:
    create(world.alice, members=[world.bob.user])
    world.alice("DELETE", "/groups/g1")
    create(world.alice)

    assert members(world.alice) == {world.alice.user}
    assert group_ids(world.bob) == []
    assert world.bob("GET", "/groups/g1").error == (401, "UNAUTHORIZED")

    world.alice("PUT", f"/groups/g1/members/{world.bob.user}")
    assert sweep() > 0

    assert members(world.bob) == {world.alice.user, world.bob.user}
    rows = boto3.client("dynamodb").scan(TableName=tables["MembersTable"])["Items"]
    assert len(rows) == 2


def test_long_lists_come_in_pages(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "PAGE", 2)
    monkeypatch.setattr(groups, "MEMBERS", 1)
    for name in ("a", "b", "c", "d", "e"):
        both = {"name": "Team", "members": [world.bob.user]}
        assert world.alice("PUT", f"/groups/{name}", both).status == 201

    for target, listed, field in (
        (f"/groups?is_member={world.alice.user}&", "groups", "groupID"),
        ("/groups/a/members?", "members", "userID"),
    ):
        seen: list[str] = []
        page: Any = {"paginationKey": ""}
        answers = 0
        while "paginationKey" in page:
            page = world.alice("GET", f"{target}paginationKey={page['paginationKey']}").json
            seen += [one[field] for one in page[listed]]
            answers += 1
        assert len(seen) == len(set(seen)) == (5 if listed == "groups" else 2)
        assert answers == (3 if listed == "groups" else 2)
        wrong = world.alice("GET", f"{target}paginationKey=%7E")
        assert wrong.error == (400, "INVALID_INPUT_DATA")


def test_many_first_members_are_added_many_at_a_time(
    world: World, new_user: Callable[[Tenant], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert store.AT_A_TIME == 32
    monkeypatch.setattr(store, "AT_A_TIME", 2)
    others = [world.bob, *(new_user(world.app) for _ in range(4))]
    wanted = [*(one.user for one in others), NOT_THERE, world.alice.user]

    with calls() as made:
        answer = create(world.alice, members=wanted)

    assert answer.json["notFoundUsers"] == [NOT_THERE]
    assert members(world.alice) == {world.alice.user, *(one.user for one in others)}
    checks = [one for one in made if one == (made[0][0], "TransactConditionCheck")]
    assert len(checks) == 1 + 5 + 3, "of the owner, of each other member, of the group in each transaction"


def test_a_first_member_who_goes_meanwhile_is_told_as_not_found(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = store.known_users
    looks: list[int] = []

    def a_moment_ago(app: str, users: Sequence[str]) -> set[str]:
        looks.append(1)
        return set(users) if len(looks) == 1 else known(app, users)

    monkeypatch.setattr(store, "known_users", a_moment_ago)

    answer = create(world.alice, members=[NOT_THERE, world.bob.user])

    assert answer.json["notFoundUsers"] == [NOT_THERE]
    assert members(world.alice) == {world.alice.user, world.bob.user}


def test_a_group_that_lacks_some_of_its_first_members_says_so(
    world: World, new_user: Callable[[Tenant], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "AT_A_TIME", 1)
    others = [world.bob.user, *(new_user(world.app).user for _ in range(2))]
    add_all = store.add_all
    added: list[str] = []

    def failing(group: Group, users: Any, use: Any = None) -> list[str]:
        if added:
            raise Busy("too many changes at once; try again")
        added.extend(add_all(group, users, use))
        return added

    monkeypatch.setattr(store, "add_all", failing)

    answer = world.alice("POST", "/groups", {"name": "Friends", "members": others})

    assert answer.error == (503, "RESOURCE_TEMPORARILY_UNAVAILABLE")
    assert answer.json["missingUsers"] == others[1:]
    assert members(world.alice, answer.json["groupID"]) == {world.alice.user, others[0]}


def test_a_change_of_a_group_that_is_refused_is_not_counted(world: World, tables: Mapping[str, str]) -> None:
    """Otherwise three requests for a taken ID would use up the user's limit."""
    limit = "/configuration/parameters/userGroupChangesPerHour"
    assert world.admin("PUT", limit, "2").status == 204
    apps.forget()
    assert create(world.bob, "/groups/taken").status == 201

    assert [create(world.alice, "/groups/taken").status for _ in range(3)] == [409] * 3
    assert create(world.alice).status == 201
    for _ in range(3):
        assert world.alice("PUT", f"/groups/g1/members/{NOT_THERE}").status == 404
        assert world.alice("PUT", "/groups/g1/owner", {"owner": NOT_THERE}).status == 404
    assert world.alice("PUT", f"/groups/g1/members/{world.bob.user}").status == 204

    assert world.alice("PUT", "/groups/g1/owner", {"owner": world.bob.user}).error == TOO_MANY
    assert create(world.alice, "/groups/g2").error == TOO_MANY
    assert members(world.alice) == {world.alice.user, world.bob.user}
    assert group_ids(world.alice) == ["g1"]
