"""The ports of a local stack: eight in a row, so that several stacks run side by side."""

import os
from dataclasses import dataclass

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Ports:
    first: int

    @property
    def front(self) -> int:
        return self.first

    @property
    def fakes(self) -> int:
        return self.first + 1

    @property
    def aws(self) -> int:
        return self.first + 2

    @property
    def ministack(self) -> int:
        return self.first + 3

    @property
    def fcm(self) -> int:
        return self.first + 4

    @property
    def apns_production(self) -> int:
        return self.first + 5

    @property
    def apns_sandbox(self) -> int:
        return self.first + 6

    @property
    def runner(self) -> int:
        return self.first + 7


def default_port() -> int:
    return int(os.environ.get("FANFARE_PORT", "4300"))


def default_state() -> str:
    """The folder of the stack's state: stack.json, ca.pem, logs."""
    return os.environ.get("FANFARE_STATE", ".local")


def http(port: int) -> str:
    return f"http://{HOST}:{port}"


def https(port: int) -> str:
    return f"https://{HOST}:{port}"
