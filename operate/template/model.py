"""The declarations of a template, as far as the local stack needs them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from operate.template.intrinsics import Joined, Reference, TemplateError, Text


@dataclass(frozen=True, slots=True)
class Route:
    """A route of the HTTP API. Method ANY takes every method, path `$default` all that is left."""

    method: str
    path: str

    @property
    def key(self) -> str:
        return "$default" if self.path == "$default" else f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class StreamSource:
    """A DynamoDB stream that calls a function. -1 is no limit, as in AWS."""

    name: str
    table: str
    starting_position: str
    batch_size: int
    window_seconds: float
    parallelization: int
    max_retries: int
    max_age_seconds: int
    bisect: bool
    report_failures: bool
    filters: tuple[str, ...]
    failures_bucket: str | None


@dataclass(frozen=True, slots=True)
class QueueSource:
    """A queue that calls a function."""

    name: str
    queue: str
    batch_size: int
    window_seconds: float
    max_concurrency: int | None
    report_failures: bool


@dataclass(frozen=True, slots=True)
class Function:
    """`name` is the name of its folder: one folder is one function."""

    logical_id: str
    name: str
    folder: Path
    handler: str
    timeout: int
    memory: int
    recursive_loop: str
    layers: tuple[Path, ...]
    environment: Mapping[str, Text]
    routes: tuple[Route, ...]
    streams: tuple[StreamSource, ...]
    queues: tuple[QueueSource, ...]

    def variables(self, resources: Mapping[str, str]) -> dict[str, str]:
        """The environment with the resources' physical names (of queues: URLs) put in."""
        return {name: _resolved(value, resources) for name, value in self.environment.items()}


@dataclass(frozen=True, slots=True)
class Table:
    """`arguments` are those of boto3's create_table, without TableName."""

    logical_id: str
    arguments: Mapping[str, Any]
    ttl_attribute: str | None

    @property
    def stream_view(self) -> str | None:
        view: str | None = self.arguments.get("StreamSpecification", {}).get("StreamViewType")
        return view


@dataclass(frozen=True, slots=True)
class Queue:
    """`attributes` are those of boto3's create_queue, without RedrivePolicy."""

    logical_id: str
    attributes: Mapping[str, str]
    dead_letters: str | None
    max_receive_count: int | None

    @property
    def visibility_seconds(self) -> int:
        return int(self.attributes.get("VisibilityTimeout", "30"))

    @property
    def fifo(self) -> bool:
        return self.attributes.get("FifoQueue") == "true"


@dataclass(frozen=True, slots=True)
class Bucket:
    logical_id: str


@dataclass(frozen=True, slots=True)
class Cors:
    """CorsConfiguration of the HTTP API."""

    allow_origins: tuple[str, ...]
    allow_methods: tuple[str, ...]
    allow_headers: tuple[str, ...]
    expose_headers: tuple[str, ...]
    max_age: int | None
    allow_credentials: bool


@dataclass(frozen=True, slots=True)
class Template:
    """Functions are keyed by name, everything else by logical ID."""

    functions: Mapping[str, Function]
    tables: Mapping[str, Table]
    queues: Mapping[str, Queue]
    buckets: Mapping[str, Bucket]
    cors: Cors | None


def _resolved(value: Text, resources: Mapping[str, str]) -> str:
    match value:
        case str():
            return value
        case Joined(parts):
            return "".join(_resolved(part, resources) for part in parts)
        case Reference(logical_id, attribute):
            if logical_id not in resources:
                raise TemplateError(f"{logical_id} is used in an environment, but was not made")
            return _attribute(resources[logical_id], attribute, logical_id)


def _attribute(physical: str, attribute: str | None, logical_id: str) -> str:
    match attribute:
        case None:
            return physical
        case "QueueName":
            return urlsplit(physical).path.rpartition("/")[2]
        case "QueueUrl":
            return physical
        case _:
            raise TemplateError(f"{logical_id}.{attribute}: functions get names and URLs here, nothing else")
