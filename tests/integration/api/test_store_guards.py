"""Two requests change the same user, group, session or access list at once, and neither change is lost. A
thing recreated under a name takes no change that was meant for the former one.

The other request runs as a whole before each call of the first in turn: the tests know no condition by name.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from types import SimpleNamespace

import boto3
import pytest

from fanfare.domain.errors import FanfareError
from fanfare.domain.group import Group
from fanfare.domain.parameters import Parameter
from fanfare.domain.rights.access_list import AccessList, Subject, SubjectKind
from fanfare.domain.rights.right import Right
from fanfare.domain.scope import Scope, TargetKind
from fanfare.store import accounts, apps, definitions, groups, members, open_sessions, row, scopes
from fanfare.store.accounts import User
from fanfare.store.definitions import Definition
from fanfare.store.open_sessions import Session
from tests.integration.aws_calls import every_moment

APP = "app1"
SCOPE = Scope(APP)
TABLES = ("Accounts", "Apps", "Buckets", "Members", "Topics")


@pytest.fixture(autouse=True)
def _bound(tables: Mapping[str, str]) -> None:
    row.bind(SimpleNamespace(**{f"{name.lower()}_table": tables[f"{name}Table"] for name in TABLES}))


def user(name: str) -> User:
    return User(app=APP, id=name, created_at=1, modified_at=1, login_name=f"n-{name}", password_hash="x")


def signed_up(*names: str) -> None:
    for name in names:
        accounts.register(user(name), None)


def claims(tables: Mapping[str, str]) -> dict[str, str]:
    """The owner of each address."""
    rows = boto3.client("dynamodb").scan(TableName=tables["AccountsTable"])["Items"]
    return {
        one["pk"]["S"].removeprefix(f"{APP}#"): one["user"]["S"] for one in rows if one["sk"]["S"] == "claim"
    }


@pytest.mark.parametrize("address", [False, True])
def test_two_changes_of_a_user_both_hold(tables: Mapping[str, str], address: bool) -> None:
    def change(name: str) -> None:
        to = {"email": f"{name}@example.com"} if address else {"display_name": "D"}
        accounts.change(APP, name, lambda found: replace(found, **to))  # type: ignore[arg-type]

    def other(name: str) -> None:
        accounts.change(APP, name, lambda found: replace(found, country="JP", login_name=f"o-{name}"))

    for name in every_moment(signed_up, change, other):
        found = accounts.find(APP, name)
        assert found is not None
        assert (found.country, found.login_name) == ("JP", f"o-{name}")
        assert (found.email == f"{name}@example.com") if address else (found.display_name == "D")
        mine = {claim for claim, owner in claims(tables).items() if owner == name}
        assert mine == {one.claim for one in found.addresses}


def test_a_user_who_is_deleted_while_something_changes_leaves_nothing(tables: Mapping[str, str]) -> None:
    def change(name: str) -> None:
        accounts.change(APP, name, lambda found: replace(found, email=f"{name}@example.com"))

    def delete(name: str) -> None:
        accounts.delete(APP, name)

    for prefix, first, other in (("ab", change, delete), ("cd", delete, change)):
        for name in every_moment(signed_up, first, other, prefix):
            assert accounts.find(APP, name) is None
            assert name not in claims(tables).values()


def test_of_two_who_want_an_address_one_gets_it(tables: Mapping[str, str]) -> None:
    """At the sign-up, and by a change."""
    signed_up("x")

    def sign_up(name: str) -> None:
        with suppress(FanfareError):
            accounts.register(replace(user(name), login_name=f"same-{name}"), None)

    def other(name: str) -> None:
        with suppress(FanfareError):
            accounts.register(replace(user(f"x-{name}"), login_name=f"same-{name}"), None)

    def change(name: str) -> None:
        with suppress(FanfareError):
            accounts.change(APP, "x", lambda found: replace(found, login_name=f"same-{name}"))

    for prefix, first in (("ab", sign_up), ("cd", change)):
        for name in every_moment(lambda _: None, first, other, prefix):
            found = accounts.find(APP, f"x-{name}")
            assert found is not None, "it came as a whole before the other's write"
            assert claims(tables)[f"LOGIN_NAME:same-{name}"] == found.id
            assert accounts.find(APP, name) is None
    now = accounts.find(APP, "x")
    assert now is not None
    assert now.login_name == "same-cd", "where nobody was in the way"


RIGHT = Right.CREATE_NEW_TOPIC
A, B, C = (Subject(SubjectKind.USER, name) for name in "abc")


@dataclass(frozen=True, slots=True)
class Listed:
    """An access list of one kind: made, changed and read by the scene's name."""

    make: Callable[[str], object]
    change: Callable[[str, Callable[[AccessList], AccessList]], None]
    read: Callable[[str], AccessList]

    def grant(self, subject: Subject, name: str) -> None:
        self.change(name, lambda found: found.granted(RIGHT, subject))


def of_target(kind: TargetKind) -> Listed:
    def found(name: str) -> Definition:
        one = definitions.find(kind, SCOPE, name)
        assert one is not None
        return one

    return Listed(
        lambda name: definitions.create(kind, SCOPE, name, None, 1),
        lambda name, decide: definitions.change_access(found(name).target, decide),
        lambda name: found(name).access,
    )


def of_scope(name: str) -> Scope:
    return Scope(APP, user=name)


LISTED = (
    *map(of_target, TargetKind),
    Listed(
        lambda _: None,
        lambda name, decide: scopes.change_access(of_scope(name), decide),
        lambda name: scopes.access_of(of_scope(name)),
    ),
)


@pytest.mark.parametrize("listed", LISTED, ids=["topic", "bucket", "scope"])
def test_two_changes_of_an_access_list_both_hold(listed: Listed) -> None:
    """Also where they are the first ones."""

    def make_and_change(name: str) -> None:
        listed.make(name)
        listed.grant(C, name)

    for prefix, prepare in (("ab", listed.make), ("cd", make_and_change)):
        for name in every_moment(prepare, partial(listed.grant, A), partial(listed.grant, B), prefix):
            assert listed.read(name).of(RIGHT) >= {A, B}


@pytest.mark.parametrize("kind", TargetKind)
def test_a_target_made_anew_takes_no_change_meant_for_the_former_one(kind: TargetKind) -> None:
    former: dict[str, Definition] = {}

    def make(name: str) -> None:
        made = definitions.create(kind, SCOPE, name, None, 1)
        assert made is not None
        former[name] = made

    def make_anew(name: str) -> None:
        definitions.delete(former[name].target)
        definitions.create(kind, SCOPE, name, None, 2)

    def change(name: str) -> None:
        target = former[name].target
        with suppress(FanfareError):
            definitions.change_access(target, lambda found: found.granted(RIGHT, A))

    def subscribe(name: str) -> None:
        definitions.mark_subscribed(former[name].target)

    def delete(name: str) -> None:
        definitions.delete(former[name].target)

    for prefix, first in (("ab", change), ("cd", subscribe), ("ef", delete)):
        for name in every_moment(make, first, make_anew, prefix):
            found = definitions.find(kind, SCOPE, name)
            assert found is not None
            assert (found.created_at, found.ever_subscribed) == (2, False)
            assert found.access == former[name].access


def group(name: str, ref: str = "ref1", owner: str = "u1") -> Group:
    return Group(APP, name, f"{ref}-{name}", "name", owner, 1)


def members_of(name: str, ref: str = "ref1") -> set[str]:
    """Return the members; both rows of each membership have to agree."""
    found = set(members.of(APP, f"{ref}-{name}"))
    assert found == {u for u in ("u1", "u2", "u3") if groups.is_member(APP, u, name, f"{ref}-{name}")}
    return found


def test_a_group_s_owner_is_a_member_whatever_comes_together() -> None:
    signed_up("u1", "u2", "u3")

    def make(name: str) -> None:
        assert groups.create(group(name))
        groups.add(group(name), "u2")

    def take_out(name: str) -> None:
        with suppress(FanfareError):
            groups.remove(group(name), "u2")

    def hand_over(name: str) -> None:
        groups.hand_over(group(name), "u2")

    for prefix, first, other in (("ab", take_out, hand_over), ("cd", hand_over, take_out)):
        for name in every_moment(make, first, other, prefix):
            found = groups.find(APP, name)
            assert found is not None
            assert found.owner == "u2"
            assert members_of(name) >= {"u1", "u2"}


def test_of_two_groups_of_one_id_one_is_made() -> None:
    one, other = goer("one"), goer("other")
    signed_up(one, other)
    made: dict[str, bool] = {}

    def create(name: str) -> None:
        made[name] = groups.create(group(name, owner=one))

    for name in every_moment(
        lambda _: None, create, lambda name: groups.create(group(name, "ref2", owner=other))
    ):
        found = groups.find(APP, name)
        assert found is not None
        assert (made[name], found.owner) == (False, other)
        assert list(members.of(APP, f"ref1-{name}")) == []


def test_a_group_that_was_handed_over_meanwhile_is_not_disowned() -> None:
    signed_up("u1", "u2", "u3")
    for name in every_moment(
        lambda name: groups.create(group(name)),
        lambda name: groups.disown(group(name)),
        lambda name: groups.hand_over(group(name), "u2"),
    ):
        found = groups.find(APP, name)
        assert found is not None
        assert found.owner == "u2"


def test_a_group_made_anew_takes_no_change_meant_for_the_former_one() -> None:
    signed_up("u1", "u2", "u3")

    def make(name: str) -> None:
        groups.create(group(name))
        groups.add(group(name), "u3")

    def make_anew(name: str) -> None:
        groups.delete(group(name))
        groups.leave(APP, "u1", name, group(name).ref)
        assert groups.create(group(name, "ref2"))
        groups.add(group(name, "ref2"), "u3")

    changes: tuple[Callable[[Group], object], ...] = (
        lambda former: groups.add(former, "u2"),
        lambda former: groups.add(former, "u3"),
        lambda former: groups.remove(former, "u3"),
        lambda former: groups.hand_over(former, "u2"),
        lambda former: groups.rename(former, "new name"),
        groups.disown,
        groups.delete,
        lambda former: groups.leave(APP, "u3", former.id, former.ref),
        lambda former: groups.leave(APP, "u1", former.id, former.ref),
    )
    for number, change in enumerate(changes):

        def refused_or_not(name: str, change: Callable[[Group], object] = change) -> None:
            with suppress(FanfareError):
                change(group(name))

        for name in every_moment(make, refused_or_not, make_anew, f"ab{number}"):
            found = groups.find(APP, name)
            assert found is not None
            assert (found.ref, found.name, found.owner) == (f"ref2-{name}", "name", "u1")
            assert members_of(name, "ref2") == {"u1", "u3"}


NOW = 1_800_000_000_000
"""Epoch ms."""


def goer(name: str) -> str:
    """Return a user ID of the usual form, by which a session is known to be a user's."""
    return f"{name:0>12}-0000-0000-0000-00000000"


def session(name: str, id: str, refresh_hash: str | None = None) -> Session:
    return Session(app=APP, holder=goer(name), id=id, began=0, refresh_hash=refresh_hash)


def test_no_membership_and_no_session_is_made_for_a_user_who_goes_meanwhile() -> None:
    signed_up("u1")

    def prepare(name: str) -> None:
        signed_up(goer(name))
        groups.create(group(f"g{name}"))
        open_sessions.add(session(name, "first", "hash"))

    def join(name: str) -> None:
        with suppress(FanfareError):
            groups.add(group(f"g{name}"), goer(name))

    def take_over(name: str) -> None:
        with suppress(FanfareError):
            groups.hand_over(group(f"g{name}"), goer(name))

    def found_one(name: str) -> None:
        with suppress(FanfareError):
            groups.create(group(f"h{name}", owner=goer(name)))

    def log_in(name: str) -> None:
        open_sessions.add(session(name, "second"))

    def renew(name: str) -> None:
        open_sessions.exchange(session(name, "first", "hash"), session(name, "second"), NOW)

    for number, first in enumerate((join, take_over, found_one, log_in, renew)):
        for name in every_moment(
            prepare, first, lambda name: accounts.delete(APP, goer(name)), f"ab{number}"
        ):
            assert set(members.of(APP, f"ref1-g{name}")) == {"u1"}
            assert list(groups.memberships(APP, goer(name))) == []
            assert groups.find(APP, f"h{name}") is None
            assert not open_sessions.is_open(APP, goer(name), "second", NOW)


def test_a_session_is_exchanged_once() -> None:
    def of(name: str, id: str, refresh_hash: str | None = None) -> Session:
        return Session(app=APP, holder=name, id=id, began=0, refresh_hash=refresh_hash)

    def renewed_as(id: str) -> Callable[[str], None]:
        def renew(name: str) -> None:
            open_sessions.exchange(of(name, "first", "hash"), of(name, id), NOW)

        return renew

    def log_in(name: str) -> None:
        signed_up(name)
        open_sessions.add(of(name, "first", "hash"))

    for name in every_moment(log_in, renewed_as("mine"), renewed_as("other")):
        opened = [one for one in ("first", "mine", "other") if open_sessions.is_open(APP, name, one, NOW)]
        assert opened == ["other"]


def test_two_parameters_of_an_app_set_at_once_both_hold() -> None:
    for name in every_moment(
        apps.create,
        lambda name: apps.set_parameter(name, Parameter.EXPOSE_USERS, "true", 0),
        lambda name: apps.set_parameter(name, Parameter.VERIFY_EMAIL, "true", 0),
    ):
        app = apps.find(name)
        assert app is not None
        assert app.parameters == {Parameter.EXPOSE_USERS: "true", Parameter.VERIFY_EMAIL: "true"}


def test_of_two_apps_of_one_id_one_is_made_and_keeps_its_secret() -> None:
    made: dict[str, tuple[apps.App, str] | None] = {}

    def create(name: str) -> None:
        made[name] = apps.create(name)

    def create_too(name: str) -> None:
        made[f"other {name}"] = apps.create(name)

    for name in every_moment(lambda _: None, create, create_too):
        other = made[f"other {name}"]
        assert other is not None
        assert made[name] is None
        assert apps.find(name) == other[0]
