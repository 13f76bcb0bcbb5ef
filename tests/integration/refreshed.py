"""The end of what runtime.secrets reads beside the reading."""

import threading


def settled() -> bool:
    """Wait until no secret is read anew any more; False where one hangs."""
    reading = [thread for thread in threading.enumerate() if thread.name.startswith("refresh ")]
    for thread in reading:
        thread.join(30)
    return not any(thread.is_alive() for thread in reading)
