"""The runner's orders when it starts: one JSON file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec


@dataclass(frozen=True, slots=True)
class Config:
    """`aws_endpoint` is for functions (the fault proxy), `poll_endpoint` for pollers (MiniStack).

    `resources` is the result of create_resources. `concurrency` bounds the processes of a function, by its
    name, for each of its queues and for its routes; `default_concurrency` where it is silent.
    """

    template: Path
    state: Path
    port: int
    control_port: int
    aws_endpoint: str
    poll_endpoint: str
    resources: Mapping[str, str]
    parameters: Mapping[str, str] = field(default_factory=dict)
    stack_name: str = "fanfare"
    region: str = "us-east-1"
    account: str = "000000000000"
    concurrency: Mapping[str, int] = field(default_factory=dict)
    default_concurrency: int = 4
    released: Mapping[str, Path] = field(default_factory=dict)
    """For functions that run the code of a former release: the folder with its functions/ and layers/."""
    poll_seconds: float = 0.1
    retry_seconds: float = 0.25

    def limit(self, function: str) -> int:
        return self.concurrency.get(function, self.default_concurrency)


def read(path: Path) -> Config:
    """Read a Config. msgspec.ValidationError names the missing or wrong field."""
    return msgspec.json.decode(path.read_bytes(), type=Config, dec_hook=lambda kind, value: kind(value))


def write(config: Config, path: Path) -> None:
    path.write_bytes(msgspec.json.encode(config, enc_hook=str))
