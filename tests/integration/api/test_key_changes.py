"""Keys that change during calls: none is refused that should pass, with the old key or with the new one."""

import random
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from fanfare.api import tokens
from fanfare.api.tokens import KNOWN_S, UNUSED_S, Claims
from fanfare.domain.errors import WrongToken
from fanfare.domain.rights.caller import Role
from fanfare.runtime import clients, clock, secrets
from fanfare.store import app_secrets, apps
from fanfare.store.app_secrets import Secret
from operate import signing_keys
from operate.errors import Declined
from operate.profile import Profile
from operate.signing_keys import SigningKeys
from tests.integration.api.conftest import Tenant, World
from tests.integration.refreshed import settled

PLACE = Profile("fleet", {})
NAME = PLACE.signing_keys_parameter
CLAIMS = Claims(app="app1", role=Role.USER, sub="u1", sid="s1")


@dataclass(slots=True)
class Fleet:
    """Environments, each with its copy of the parameter, on a clock of their own; a third of them mostly
    rest."""

    now: int = 1_800_000_000_000
    value: str = ""
    version: int = 0
    changed_at: int = 0
    kept: list[dict[str, Any]] = field(default_factory=lambda: [{} for _ in range(12)])

    def get_parameter(self, **_: object) -> Mapping[str, Any]:
        found = {
            "Value": self.value,
            "Version": self.version,
            "LastModifiedDate": datetime.fromtimestamp(self.changed_at / 1000, UTC),
        }
        return {"Parameter": found}

    def put_parameter(self, **given: Any) -> Mapping[str, int]:
        self.value, self.version, self.changed_at = given["Value"], self.version + 1, self.now
        return {"Version": self.version}

    def one_of(self, dice: random.Random) -> dict[str, Any]:
        rested = len(self.kept) // 3
        return dice.choice(self.kept[:rested] if dice.random() < 0.003 else self.kept[rested:])

    def keys(self) -> SigningKeys:
        return SigningKeys.of(PLACE)


@pytest.fixture
def fleet(monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    fleet = Fleet()
    ssm = SimpleNamespace(
        get_parameter=fleet.get_parameter,
        put_parameter=fleet.put_parameter,
        exceptions=SimpleNamespace(ParameterAlreadyExists=KeyError),
    )
    monkeypatch.setattr(clients, "ssm", lambda: ssm)
    monkeypatch.setattr(clock, "now", lambda: fleet.now)
    signing_keys.ensure(PLACE)
    for kept in fleet.kept:
        monkeypatch.setattr(secrets, "_kept", kept)
        secrets.read(NAME)
    yield fleet
    secrets.forget()


@pytest.fixture
def busy(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> Callable[[random.Random, int], list[str]]:
    """Return a function that lets the fleet work for some seconds: one environment accepts another's
    signatures."""
    made: list[tuple[str, bytes, int]] = []
    refused: list[str] = []

    def work(dice: random.Random, seconds: int) -> list[str]:
        until = fleet.now + 1000 * seconds
        while fleet.now < until:
            fleet.now += dice.randrange(1_000, 15_000)
            monkeypatch.setattr(secrets, "_kept", fleet.one_of(dice))
            made.append((tokens.sign(CLAIMS, NAME), tokens.mac(b"page", NAME)[:16], fleet.now))
            assert settled()
            monkeypatch.setattr(secrets, "_kept", fleet.one_of(dice))
            token, mac, at = dice.choice(made[-40:])
            try:
                tokens.verified(token, NAME, fleet.now)
            except WrongToken:
                refused.append(f"token of {at}, {fleet.now - at} ms old")
            if not tokens.is_mac(mac, b"page", NAME):
                refused.append(f"page key of {at}, {fleet.now - at} ms old")
            assert settled()
        return refused

    return work


@pytest.mark.parametrize("seed", range(2))
def test_signing_keys_change_and_nothing_is_refused(
    fleet: Fleet, busy: Callable[[random.Random, int], list[str]], seed: int
) -> None:
    dice = random.Random(seed)
    [old] = fleet.keys().keys
    busy(dice, 1_000)
    keys, new = fleet.keys().added()
    keys.put()
    assert busy(dice, KNOWN_S) == []
    fleet.keys().using(new, fleet.now, at_once=False).put()
    assert busy(dice, UNUSED_S) == []
    fleet.keys().without(old, fleet.now, at_once=False).put()
    assert busy(dice, 12_000) == []
    assert list(fleet.keys().keys) == [new]


def test_a_step_too_early_is_refused_and_changes_nothing(fleet: Fleet) -> None:
    [old] = fleet.keys().keys
    fleet.now += 10_000_000
    with pytest.raises(Declined, match="current key: `add`"):
        fleet.keys().without(old, fleet.now, at_once=True)
    keys, new = fleet.keys().added()
    keys.put()
    with pytest.raises(Declined, match=f"wait {KNOWN_S} s more"):
        fleet.keys().using(new, fleet.now, at_once=False)
    fleet.now += 1000 * KNOWN_S
    with pytest.raises(Declined, match="there is no key other"):
        fleet.keys().using("other", fleet.now, at_once=False)
    fleet.keys().using(new, fleet.now, at_once=False).put()
    fleet.now += 1000 * KNOWN_S
    with pytest.raises(Declined, match="wait 3600 s more"):
        fleet.keys().without(old, fleet.now, at_once=False)
    assert list(fleet.keys().without(old, fleet.now, at_once=True).keys) == [new], "after a leak"


def test_two_who_change_the_keys_at_once_are_told(fleet: Fleet) -> None:
    mine, theirs = fleet.keys().added()[0], fleet.keys().added()[0]
    theirs.put()
    with pytest.raises(Declined, match="changed by somebody else"):
        mine.put()


def test_the_client_secret_changes_under_load(world: World) -> None:
    app = world.app
    log_in = {app.client_secret: 200}
    with calls(lambda secret: token(world, app.client_id, secret), log_in) as answers:
        new = app_secrets.renew(found(app), Secret.CLIENT_SECRET)
        assert new is not None
        log_in[new] = 200
        answers.some()
        del log_in[app.client_secret]
        answers.some()
        assert app_secrets.retire(found(app), Secret.CLIENT_SECRET)
        log_in[app.client_secret] = 400
        answers.some()
    assert answers.wrong == []


def test_the_app_key_changes_under_load(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Functions learn of a new one within a minute, for which it is not handed out."""
    app, began = world.app, clock.now()
    later = [0]
    monkeypatch.setattr(clock, "now", lambda: began + later[0])
    accepted = {app.key: 200}
    with calls(lambda key: with_key(world, key), accepted) as answers:
        new = app_secrets.renew(found(app), Secret.APP_KEY)
        assert new is not None
        answers.some()
        later[0] = apps.KEPT_MS
        accepted[new] = 200
        answers.some()
        del accepted[app.key]
        answers.some()
        assert app_secrets.retire(found(app), Secret.APP_KEY)
        later[0] = 2 * apps.KEPT_MS
        answers.some()
        accepted[app.key] = 401
        answers.some()
    assert answers.wrong == []


@pytest.mark.parametrize("secret", Secret)
def test_two_are_good_at_most_and_either_can_end(world: World, secret: Secret) -> None:
    def good(text: str) -> bool:
        app = found(world.app)
        return app.has_key(text) if secret is Secret.APP_KEY else app.has_secret(app.client_id, text)

    first = world.app.key if secret is Secret.APP_KEY else world.app.client_secret
    assert not app_secrets.retire(found(world.app), secret), "one alone stays"
    before = found(world.app)
    leaked = app_secrets.renew(before, secret)
    assert leaked is not None
    assert app_secrets.renew(found(world.app), secret) is None
    assert app_secrets.renew(before, secret) is None, "somebody else was first"
    assert (good(first), good(leaked), good("other"), good("")) == (True, True, False, False)
    assert app_secrets.retire(found(world.app), secret, newest=True)
    assert (good(first), good(leaked)) == (True, False)
    second = app_secrets.renew(found(world.app), secret)
    assert second is not None
    assert app_secrets.retire(found(world.app), secret)
    assert (good(first), good(second)) == (False, True)


def found(app: Tenant) -> apps.App:
    there = apps.find(app.id)
    assert there is not None
    return there


def token(world: World, client_id: str, secret: str) -> int:
    body = {"client_id": client_id, "client_secret": secret}
    return world.front.request("POST", f"/api/apps/{world.app.id}/oauth2/token", headers={}, body=body).status


def with_key(world: World, key: str) -> int:
    headers = {"x-kii-appid": world.app.id, "x-kii-appkey": key}
    path = f"/api/apps/{world.app.id}/users/LOGIN_NAME:nobody"
    answer = world.front.request("GET", path, headers=headers, body=b"")
    return 401 if "X-Kii-AppKey" in answer.json["message"] else 200


class calls:
    """Threads that call with each of the texts continuously, and note unexpected answers."""

    def __init__(self, call: Callable[[str], int], expected: Mapping[str, int]) -> None:
        self.call, self.expected = call, expected
        self.wrong: list[tuple[int, int]] = []
        self._done, self._ended, self._more = 0, False, threading.Condition()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(3)]

    def some(self) -> None:
        """Wait until as many more calls have begun and ended as there are texts and threads."""
        with self._more:
            until = self._done + 4 * len(self._threads)
            assert self._more.wait_for(lambda: self._done >= until, timeout=60)

    def _run(self) -> None:
        while not self._ended:
            for text, status in list(self.expected.items()):
                answered = self.call(text)
                with self._more:
                    # A call under way at a change may be answered either way.
                    if answered != status and self.expected.get(text) == status:
                        self.wrong.append((answered, status))
                    self._done += 1
                    self._more.notify_all()

    def __enter__(self) -> "calls":
        for thread in self._threads:
            thread.start()
        self.some()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended = True
        for thread in self._threads:
            thread.join(30)
