"""Waiting for the background reads of runtime.secrets."""

import threading
from collections.abc import Callable

from fanfare.runtime import secrets


def read_anew(name: str, go_on: Callable[[float], None]) -> None:
    """Let time go on until the secret is read again in the background, and wait for that."""
    go_on(1.3 * secrets.KEPT_S)
    secrets.read(name)
    assert settled()


def settled() -> bool:
    """Wait until no secret is being read; False if a read hangs."""
    reading = [thread for thread in threading.enumerate() if thread.name.startswith("refresh ")]
    for thread in reading:
        thread.join(30)
    return not any(thread.is_alive() for thread in reading)
