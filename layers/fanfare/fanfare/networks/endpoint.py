"""Where a network listens, and what it may be trusted by."""

import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from fanfare.domain.outcome.answer import Transport

HTTPS_PORT = 443

type Address = tuple[int, int, int, tuple[object, ...]]
"""Family, kind and protocol of a socket, and what it connects to."""


class NoConnection(Exception):
    """There is none, and nothing was sent; `why` says how far it came."""

    def __init__(self, why: Transport) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Endpoint:
    host: str
    port: int = HTTPS_PORT
    ca_file: str = ""
    """The roots to trust, in PEM; empty for the networks' own, as the system has them."""

    @staticmethod
    def of(url: str, ca_file: str = "") -> "Endpoint":
        """From `https://host[:port]`. Raises ValueError for any other scheme or form."""
        parts = urlsplit(url)
        if (
            parts.scheme != "https"
            or not parts.hostname
            or parts.path.strip("/")
            or parts.query
            or parts.username
        ):
            raise ValueError(f"{url!r} is not https://host[:port]")
        return Endpoint(parts.hostname, parts.port or HTTPS_PORT, ca_file)

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == HTTPS_PORT else f"{host}:{self.port}"

    def look_up(self) -> list[Address]:
        """Anew each time, as Apple asks. Raises NoConnection."""
        try:
            found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise NoConnection(Transport.DNS_FAILURE) from error
        return [(family, kind, protocol, address) for family, kind, protocol, _, address in found]
