"""The ports of a local stack: eight in a row, so that several stacks run side by side."""

import os
import random
import socket
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


def free() -> int:
    """The first of eight free ports in a row, below those that the system hands out: for tests."""
    while True:
        first = random.randrange(10_000, 32_000)
        if all(_is_free(port) for port in range(first, first + 8)):
            return first


def _is_free(port: int) -> bool:
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind((HOST, port))
        except OSError:
            return False
        return True


def default_port() -> int:
    """Ends the program with one sentence where FANFARE_PORT is no such port."""
    text = os.environ.get("FANFARE_PORT", "4300")
    if not text.isdecimal() or not 1024 <= int(text) <= 65_528:
        raise SystemExit(f"FANFARE_PORT={text}: the first of eight ports in a row, from 1024 to 65528")
    return int(text)


def default_state() -> str:
    """The folder of the stack's state: stack.json, ca.pem, logs."""
    return os.environ.get("FANFARE_STATE", ".local")


def http(port: int) -> str:
    return f"http://{HOST}:{port}"


def https(port: int) -> str:
    return f"https://{HOST}:{port}"
