"""A stack's state folder: its description of the stack, and the lock that its owner holds."""

import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any


@dataclass(frozen=True, slots=True)
class StateFolder:
    folder: Path

    @property
    def stack_json(self) -> Path:
        """There as long as the stack is ready for clients."""
        return self.folder / "stack.json"

    @property
    def app_json(self) -> Path:
        """The ID and the keys of the stack's own app, which outlive the stack."""
        return self.folder / "app.json"

    @property
    def ca_file(self) -> Path:
        return self.folder / "ca.pem"

    def log(self, name: str) -> Path:
        return self.folder / "logs" / f"{name}.log"

    def write(self, path: Path, values: Mapping[str, Any]) -> None:
        """Whole or not at all: readers wait for the file to appear."""
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".new")
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(values, indent=2) + "\n")
        draft.replace(path)

    def take(self) -> IO[str] | None:
        """The lock, as a file to be held open by the stack's owner; None while another holds it."""
        self.log("x").parent.mkdir(parents=True, exist_ok=True)
        lock = self._lock.open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            return None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        return lock

    def owner(self) -> int | None:
        """The PID of the process that owns the stack; None when there is none."""
        if not self._lock.exists():
            return None
        with self._lock.open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(lock.read() or 0) or None
        return None

    @property
    def _lock(self) -> Path:
        return self.folder / "lock"
