"""Child processes that never outlive their parent, even when it is killed.

Run as a module it becomes the command that it is given, tied to the process that started it.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from local.waiting import Patience

ROOT = Path(__file__).parents[1]
_PR_SET_PDEATHSIG = 1


class NotReady(Exception):
    """A process ended, or did not answer in time; the message has the end of its log."""


@dataclass(frozen=True, slots=True)
class Child:
    """A started process with its log."""

    name: str
    popen: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        return self.popen.pid

    def wait_until(self, ready: Callable[[], bool], limit_s: float = 60) -> None:
        """`limit_s`: of the process' CPU time. Raises NotReady."""
        patience = Patience(self.pid, limit_s)
        while not ready():
            if self.popen.poll() is not None:
                raise NotReady(f"{self.name} ended with {self.popen.returncode}:\n{self._end_of_log()}")
            if patience.over:
                raise NotReady(f"{self.name} is not ready after {patience}:\n{self._end_of_log()}")
            time.sleep(0.05)

    def stop(self, patience_s: float = 10) -> None:
        """End it by SIGTERM, and by SIGKILL if it does not listen."""
        if self.popen.poll() is None:
            self.popen.terminate()
        try:
            self.popen.wait(patience_s)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()

    def _end_of_log(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-30:])


def start(
    name: str, command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
) -> Child:
    """Start a command from the repository's root, in a process group of its own; its output goes to the log.

    On Linux it gets SIGTERM when the *thread* that called this ends: start from one that stays.
    """
    tied = [sys.executable, "-m", "local.processes", str(os.getpid()), *command]
    with log.open("wb") as file:
        popen = subprocess.Popen(
            tied,
            cwd=ROOT,
            env=dict(os.environ if environment is None else environment) | {"PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            process_group=0,
        )
    return Child(name, popen, log)


def run(
    command: Sequence[str],
    environment: Mapping[str, str] | None = None,
    *,
    folder: Path = ROOT,
    limit_s: float = 60,
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, with its output as text. Raises TimeoutExpired when its Patience is over."""
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        patience = Patience(process.pid, limit_s)
        while True:
            try:
                output, errors = process.communicate(timeout=1)
            except subprocess.TimeoutExpired:
                if patience.over:
                    process.kill()
                    raise
            else:
                return subprocess.CompletedProcess(command, process.returncode, output, errors)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def answers(url: str) -> bool:
    """True if a GET is answered with success."""
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:  # nosec B310  # the local stack
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def _become(parent: int, command: list[str]) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() == parent:  # else it died before the tie was made
        os.execvp(command[0], command)


if __name__ == "__main__":
    _become(int(sys.argv[1]), sys.argv[2:])
