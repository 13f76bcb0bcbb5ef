"""A network's address, and the certificates to trust for it."""

import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from fanfare.domain.outcome.answer import Transport

HTTPS_PORT = 443

type Address = tuple[int, int, int, tuple[object, ...]]
"""Family, kind and protocol of a socket, and the address to connect to."""


class NoConnection(Exception):
    """No connection was made, and nothing was sent; `why` is the failed step."""

    def __init__(self, why: Transport) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Endpoint:
    host: str
    port: int = HTTPS_PORT
    ca_file: str = ""
    """File with the trusted roots in PEM; empty for the system's roots."""

    @staticmethod
    def of(url: str, ca_file: str = "") -> "Endpoint":
        """Parse `https://host[:port]`; raises ValueError for any other form."""
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
        """Look the host up, again each time, as Apple asks. Raises NoConnection."""
        try:
            found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise NoConnection(Transport.DNS_FAILURE) from error
        return [(family, kind, protocol, address) for family, kind, protocol, _, address in found]
