"""The end of what runtime.secrets reads beside the reading."""

import threading
from collections.abc import Callable

from fanfare.runtime import secrets


def read_anew(name: str, go_on: Callable[[float], None]) -> None:
    """Let time go on until the secret is read anew beside a reading, and wait for that."""
    go_on(1.3 * secrets.KEPT_S)
    secrets.read(name)
    assert settled()


def settled() -> bool:
    """Wait until no secret is read anew any more; False where one hangs."""
    reading = [thread for thread in threading.enumerate() if thread.name.startswith("refresh ")]
    for thread in reading:
        thread.join(30)
    return not any(thread.is_alive() for thread in reading)
