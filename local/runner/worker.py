"""A function's processes: started when they are needed, kept warm, replaced when they die."""

import asyncio
import contextlib
import json
import logging
import socket
import struct
import sys
import time
import uuid
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.runner.answer import Answer, Failed, Reason, Returned
from local.runner.config import Config
from local.runner.environment import arn, environment
from local.runner.journal import Invocation, Used, entry
from operate.template import Function

# Lambda gives ten seconds; here many processes start at once on few cores, which others may use as well.
_START_SECONDS = 300.0
_JOURNAL = 100_000  # entries of each function: a stack may run for days
_LARGEST_ANSWER = 6 * 1024 * 1024
_PROGRAM = Path(__file__).with_name("handler_process.py")
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Counts:
    """`errors` are failed invocations, `kills` processes ended by a signal that did not come from here."""

    invocations: int = 0
    errors: int = 0
    timeouts: int = 0
    kills: int = 0
    starts: int = 0


class Worker:
    """One process, one invocation at a time; not used again after a failure other than the handler's own."""

    def __init__(
        self, process: asyncio.subprocess.Process, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._process = process
        self._reader = reader
        self._writer = writer
        self._ready = False
        self._began = time.monotonic()
        self.init: Used | None = None
        self.used = Used()
        self.busy = True
        self.ended_here = False

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.returncode is None and not self.ended_here

    async def handle(self, order: dict[str, Any]) -> Any:
        """`order`: the event, and the seconds that it may take. Errors: HandlerError, Gone, TimeoutError.

        Afterwards `used` has the invocation's time, and `init` that of the process's start, if it was the
        first.
        """
        self.init, self.used = None, Used()
        if not self._ready:
            await self._wait_until_ready()
        async with asyncio.timeout(order["seconds"]):
            body = json.dumps(order).encode()
            try:
                self._writer.write(struct.pack(">I", len(body)) + body)
                await self._writer.drain()
            except OSError as error:
                raise Gone from error
            return (await self._receive())["result"]

    async def _wait_until_ready(self) -> None:
        try:
            async with asyncio.timeout(_START_SECONDS):
                told = await self._receive()
        except HandlerError:
            self.end()  # its module cannot be imported
            raise
        self.init = Used((time.monotonic() - self._began) * 1000, told["cpu_ms"])
        self._ready = True

    async def _receive(self) -> dict[str, Any]:
        try:
            head = await self._reader.readexactly(4)
            body = await self._reader.readexactly(struct.unpack(">I", head)[0])
        except (asyncio.IncompleteReadError, OSError) as error:
            raise Gone from error
        if len(body) > _LARGEST_ANSWER:
            raise HandlerError("Function.ResponseSizeTooLarge", f"The answer has {len(body)} bytes")
        frame: dict[str, Any] = json.loads(body)
        if "used" in frame:
            self.used = Used(**frame["used"])
        if "error" in frame:
            raise HandlerError(frame["error"]["errorType"], frame["error"]["errorMessage"])
        return frame

    async def ended(self) -> int:
        """Waits for the end of the process; returns its exit code, the signal's number below zero."""
        return await self._process.wait()

    def end(self) -> None:
        if self._process.returncode is None:
            self.ended_here = True
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        self._writer.close()


class Gone(Exception):
    """The process has ended."""


class HandlerError(Exception):
    """The handler raised, or its module did."""

    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(f"{error_type}: {message}")
        self.error_type = error_type
        self.message = message


class FunctionProcesses:
    """The processes of one function, `limit` at most; a caller waits while all are busy."""

    def __init__(self, function: Function, config: Config, limit: int) -> None:
        self.function = function
        self.counts = Counts()
        self.journal: deque[Invocation] = deque(maxlen=_JOURNAL)
        self.arn = arn(function, config)
        self.workers: list[Worker] = []
        self._environment = environment(function, config)
        self._log_file = config.state / "logs" / f"{function.name}.log"
        self._free = asyncio.Semaphore(limit)
        self._running = 0
        self._watchers: set[asyncio.Task[None]] = set()

    async def invoke(self, event: dict[str, Any]) -> Answer:
        self._running += 1
        asked = time.time() * 1000
        try:
            async with self._free:
                self.counts.invocations += 1
                answer = await self._invoke(event, str(uuid.uuid4()), asked)
        finally:
            self._running -= 1
        if isinstance(answer, Failed):
            self.counts.errors += 1
            self.counts.timeouts += answer.reason is Reason.TIMED_OUT
            self._note(f"{answer.error_type}: {answer.message} ({answer.reason})")
        return answer

    async def _invoke(self, event: dict[str, Any], request_id: str, asked: float) -> Answer:
        idle = (worker for worker in reversed(self.workers) if worker.alive and not worker.busy)
        worker = next(idle, None) or await self._start()
        worker.busy = True
        seconds = self.function.timeout
        told = f"RequestId: {request_id} Error:"
        failed = True
        try:
            order = {"event": event, "request_id": request_id, "arn": self.arn, "seconds": seconds}
            answer = Returned(await worker.handle(order))
            failed = False
            return answer
        except HandlerError as error:
            return Failed(Reason.RAISED, error.error_type, error.message)
        except Gone:
            await worker.ended()
            return Failed(Reason.EXITED, "Runtime.ExitError", f"{told} the process ended")
        except TimeoutError:
            worker.end()
            return Failed(
                Reason.TIMED_OUT, "Sandbox.Timedout", f"{told} Task timed out after {seconds:.2f} seconds"
            )
        except asyncio.CancelledError:
            worker.end()  # or the next one would get this answer
            raise
        finally:
            used, init = worker.used, worker.init
            self.journal.append(entry(self.function.name, event, used, init, asked=asked, failed=failed))
            worker.busy = False

    async def _start(self) -> Worker:
        ours, theirs = socket.socketpair()
        with self._log_file.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",  # not this folder, but only what PYTHONPATH names
                "-u",  # the output of a killed process is in the log
                str(_PROGRAM),
                str(theirs.fileno()),
                env=self._environment,
                cwd=self.function.folder,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        theirs.close()
        ours.setblocking(False)
        worker = Worker(process, *await asyncio.open_connection(sock=ours))
        self.counts.starts += 1
        self.workers.append(worker)
        watcher = asyncio.create_task(self._watch(worker))
        self._watchers.add(watcher)
        watcher.add_done_callback(self._watchers.discard)
        return worker

    async def _watch(self, worker: Worker) -> None:
        code = await worker.ended()
        self.workers.remove(worker)
        if code < 0 and not worker.ended_here:
            self.counts.kills += 1
        worker.end()

    def _note(self, text: str) -> None:
        """Write a line into the function's log, as Lambda does, and into the runner's."""
        _log.warning("%s: %s", self.function.name, text)
        with self._log_file.open("a") as log:
            log.write(f"{text}\n")

    @property
    def busy(self) -> bool:
        return self._running > 0

    async def close(self) -> None:
        for worker in self.workers:
            worker.end()
        await asyncio.gather(*self._watchers)
