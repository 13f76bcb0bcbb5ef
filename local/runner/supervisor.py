"""Puts the runner together: the functions' processes, the front, the pollers and the control."""

import asyncio
import signal
from collections.abc import Mapping

import aiohttp
from aiohttp import web

from local.runner.activity import Activity
from local.runner.aws import Aws, AwsError
from local.runner.config import Config
from local.runner.control import Control
from local.runner.discarded import Origin
from local.runner.disorder import Disorder
from local.runner.front import Front
from local.runner.manual import Manual
from local.runner.queue_records import QueueName
from local.runner.queues import QueuePoller
from local.runner.source_lane import Lane
from local.runner.streams import StreamPoller
from local.runner.worker import FunctionProcesses
from operate.template import Function, QueueSource, StreamSource, load

_HOST = "127.0.0.1"
_LAST_REQUESTS_SECONDS = 1.0


async def run(config: Config) -> None:
    """Runs until SIGTERM or SIGINT. The control answers as soon as everything does."""
    (config.state / "logs").mkdir(parents=True, exist_ok=True)
    # The pollers' long polls hold a connection each.
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        await Supervisor(config, Aws(session, config.poll_endpoint, config.region)).run()


class Supervisor:
    def __init__(self, config: Config, aws: Aws) -> None:
        self._config = config
        self._aws = aws
        self._template = load(
            config.template,
            parameters=config.parameters,
            stack_name=config.stack_name,
            region=config.region,
            account=config.account,
        )
        self._disorder = Disorder()
        self._activity = Activity()
        self._functions: Mapping[str, FunctionProcesses] = {
            name: FunctionProcesses(function, config, self._processes(function))
            for name, function in self._template.functions.items()
        }
        self._streams = [
            self._stream(self._functions[name], source)
            for name, function in self._template.functions.items()
            for source in function.streams
        ]
        self._queues = [
            self._queue(self._functions[name], source)
            for name, function in self._template.functions.items()
            for source in function.queues
        ]

    async def run(self) -> None:
        stop = asyncio.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(name, stop.set)
        front = Front(self._template, self._functions)
        described = self._config.template.parent / "docs" / "openapi.json"
        stack = self._config.state / "stack.json"
        manual = Manual(described, stack, f"http://{_HOST}:{self._config.port}")
        control = Control(self._functions, self._disorder, self.idle, manual)
        servers = [
            (web.ServerRunner(front.server(), shutdown_timeout=_LAST_REQUESTS_SECONDS), self._config.port),
            (web.AppRunner(control.application(), access_log=None), self._config.control_port),
        ]
        try:
            async with asyncio.TaskGroup() as tasks:
                pollers = [tasks.create_task(stream.run()) for stream in self._streams]
                pollers += [tasks.create_task(queue.run()) for queue in self._queues]
                for server, port in servers:
                    await server.setup()
                    await web.TCPSite(server, _HOST, port).start()
                await stop.wait()
                for poller in pollers:
                    poller.cancel()
        finally:
            for server, _ in servers:
                await server.cleanup()
            for function in self._functions.values():
                await function.close()

    async def idle(self) -> bool:
        """Nothing runs now, nothing ran while this was found out, and nothing is waiting anywhere."""
        begun = self._invocations
        try:
            rests = not self._running and all([await stream.caught_up() for stream in self._streams])
            rests = rests and all([await queue.empty() for queue in self._queues])
        except AwsError:
            return False
        return rests and not self._running and begun == self._invocations

    @property
    def _invocations(self) -> int:
        return sum(function.counts.invocations for function in self._functions.values())

    @property
    def _running(self) -> bool:
        return self._activity.running > 0 or any(function.busy for function in self._functions.values())

    def _share(self, function: Function, source: QueueSource | None = None) -> int:
        limit = self._config.limit(function.name)
        return min(limit, source.max_concurrency or limit) if source else limit

    def _processes(self, function: Function) -> int:
        """Enough for each source to have its share, so that none of them waits for another."""
        shares = [self._share(function, source) for source in function.queues]
        shares += [source.parallelization for source in function.streams]
        return sum(shares) + (self._share(function) if function.routes else 0)

    def _stream(self, function: FunctionProcesses, source: StreamSource) -> StreamPoller:
        resources = self._config.resources
        bucket = resources[source.failures_bucket] if source.failures_bucket else None

        def make_lane(origin: Origin) -> Lane:
            return Lane(
                source,
                origin,
                bucket,
                function,
                self._config.retry_seconds,
                self._aws,
                self._disorder,
                self._activity,
            )

        table = resources[source.table]
        return StreamPoller(source, table, function.arn, make_lane, self._aws, self._config.poll_seconds)

    def _queue(self, function: FunctionProcesses, source: QueueSource) -> QueuePoller:
        queue = QueueName(self._config.resources[source.queue], self._config.region)
        share = self._share(function.function, source)
        return QueuePoller(source, queue, function, share, self._aws, self._disorder, self._activity)
