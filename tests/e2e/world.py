"""The local stack as a test sees it: clients, the networks' record, the tables, and the faults."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
import requests

from fanfare.domain.ring import place, ring_key
from fanfare.runtime import clients
from local.aws.ministack import CREDENTIALS
from local.stack.signs import signs
from local.waiting import NO_ANSWER_S, while_moving
from operate.client import Client


@dataclass(slots=True)
class World:
    """One stack, shared by the tests of a session: each uses users and tokens of its own."""

    stack: Mapping[str, Any]
    stamp: str = field(default_factory=lambda: f"{time.time_ns():x}")
    _admin: Client | None = None

    @property
    def nobody(self) -> Client:
        return Client(self.stack["site"], self.stack["app_id"], self.stack["app_key"])

    @property
    def admin(self) -> Client:
        if self._admin is None:
            self._admin = self.nobody.administrator(self.stack["client_id"], self.stack["client_secret"])
        return self._admin

    def pseudo_user(self) -> Client:
        """A user without a password: quick to make."""
        nobody = self.nobody
        answer = nobody.call("POST", "/users", {}, type="RegistrationAndAuthorizationRequest")
        return Client(nobody.site, nobody.app_id, nobody.app_key, answer["_accessToken"], answer["userID"])

    def received(self, token: str | None = None) -> list[dict[str, Any]]:
        """Return the fake networks' record, oldest first."""
        answer = requests.get(
            f"{self.stack['fakes']}/received", params={"token": token} if token else {}, timeout=NO_ANSWER_S
        )
        answer.raise_for_status()
        return list(answer.json())

    def answer(self, **rule: Any) -> None:
        """Give the fake networks a rule for their answers."""
        requests.post(f"{self.stack['fakes']}/answers", json=rule, timeout=NO_ANSWER_S).raise_for_status()

    def set_parameter(self, name: str, value: str) -> None:
        """Set a parameter of the app; functions that know the app go by it within a minute."""
        answer = requests.put(
            f"{self.admin.site}/apps/{self.admin.app_id}/configuration/parameters/{name}",
            data=value,
            headers={"Authorization": f"Bearer {self.admin.token}", "Content-Type": "text/plain"},
            timeout=NO_ANSWER_S,
        )
        answer.raise_for_status()

    def status(self, push: str) -> dict[str, Any]:
        return self.admin.call("GET", f"/push/messages/{push}")

    def wait_for(self, true: Callable[[], bool], what: str) -> None:
        """As long as the stack does anything by itself."""
        came = while_moving(true, lambda: signs(self.stack))
        assert came, f"nothing moves any more: still waiting for {what}"

    def come_to_rest(self) -> None:
        """Wait until the stack has done nothing by itself for three seconds, even if something still waits in
        it."""
        while_moving(lambda: False, lambda: signs(self.stack), still_s=3)

    def idle(self) -> bool:
        """No function runs, the streams are read up, the queues are empty."""
        return bool(requests.get(f"{self.stack['runner']}/idle", timeout=NO_ANSWER_S).json())

    @contextmanager
    def faults(self, *rules: Mapping[str, Any]) -> Iterator[None]:
        """The AWS endpoint misbehaves by these rules meanwhile."""
        url = f"{self.stack['aws']}/_fanfare/faults"
        requests.post(url, json=list(rules), timeout=NO_ANSWER_S).raise_for_status()
        try:
            yield
        finally:
            requests.delete(url, timeout=NO_ANSWER_S).raise_for_status()

    def faults_made(self) -> int:
        """Return the number of requests that the faults in force have hit."""
        armed = requests.get(f"{self.stack['aws']}/_fanfare/faults", timeout=NO_ANSWER_S).json()
        return sum(one["hits"] for one in armed)


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables behind the API, read past every fault."""

    stack: Mapping[str, Any]

    def rows(self, table: str) -> list[dict[str, Any]]:
        pages = self._dynamodb().get_paginator("scan").paginate(TableName=self.stack["resources"][table])
        return [row for page in pages for row in page["Items"]]

    def devices(self, user: str | None) -> set[str]:
        row = self._recipient(user)
        return {packed for name in ("production", "sandbox") for packed in row.get(name, {}).get("SS", [])}

    def device_count(self, user: str | None) -> int:
        return int(self._recipient(user).get("devices", {}).get("N", "0"))

    def everything(self) -> dict[str, list[dict[str, Any]]]:
        """All rows of all tables, to compare before and after."""
        names = [name for name in self.stack["resources"] if name.endswith("Table")]
        return {name: sorted(self.rows(name), key=repr) for name in names}

    def _recipient(self, user: str | None) -> dict[str, Any]:
        assert user is not None
        key = {"pk": {"S": f"{self.stack['app_id']}#{place(user)[0]}"}, "sk": {"S": ring_key(user)}}
        answer = self._dynamodb().get_item(TableName=self.stack["resources"]["RecipientsTable"], Key=key)
        return dict(answer.get("Item", {}))

    def _dynamodb(self) -> Any:
        return boto3.client(
            "dynamodb",
            endpoint_url=self.stack["aws"],
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )


@contextmanager
def environment(stack: Mapping[str, Any]) -> Iterator[None]:
    """This process's own AWS clients go to the stack meanwhile, and forget it afterwards."""
    with pytest.MonkeyPatch.context() as patched:
        for name, value in (CREDENTIALS | {"AWS_ENDPOINT_URL": str(stack["aws"])}).items():
            patched.setenv(name, value)
        clients.forget()
        yield
    clients.forget()
