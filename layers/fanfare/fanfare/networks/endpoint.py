"""Where a network listens, and a TLS connection to it: verified, with HTTP/2 agreed on, or none at all."""

import socket
import ssl
import time
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit

from fanfare.domain.answer import Transport

HTTPS_PORT = 443


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
    """The roots to trust, in PEM; empty for the system's."""

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

    def connect(self, limit_s: float) -> ssl.SSLSocket:
        """A connection with its handshake done. Raises NoConnection."""
        deadline = time.monotonic() + limit_s
        raw = self._reach(deadline)
        try:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            raw.settimeout(max(0.01, deadline - time.monotonic()))
            secured = _trusting(self.ca_file).wrap_socket(raw, server_hostname=self.host)
        except TimeoutError as error:
            raw.close()
            raise NoConnection(Transport.CONNECT_TIMEOUT) from error
        except ssl.SSLCertVerificationError as error:
            raw.close()
            raise NoConnection(Transport.TLS_UNTRUSTED) from error
        except ssl.SSLError as error:
            raw.close()
            refused = "NO_APPLICATION_PROTOCOL" in (error.reason or "")
            raise NoConnection(Transport.NO_HTTP2 if refused else Transport.CONNECT_FAILED) from error
        except OSError as error:
            raw.close()
            raise NoConnection(Transport.CONNECT_FAILED) from error
        if secured.selected_alpn_protocol() != "h2":
            secured.close()
            raise NoConnection(Transport.NO_HTTP2)
        return secured

    def _reach(self, deadline: float) -> socket.socket:
        """The first address that accepts. The name is looked up anew each time, as Apple asks."""
        try:
            found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise NoConnection(Transport.DNS_FAILURE) from error
        for family, kind, protocol, _, address in found:
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                break
            candidate = socket.socket(family, kind, protocol)
            try:
                candidate.settimeout(left_s)
                candidate.connect(address)
            except OSError:
                candidate.close()
                continue
            return candidate
        late = time.monotonic() >= deadline
        raise NoConnection(Transport.CONNECT_TIMEOUT if late else Transport.CONNECT_FAILED)


@cache
def _trusting(ca_file: str) -> ssl.SSLContext:
    """Reading the roots takes 27 ms: once, at first use."""
    context = ssl.create_default_context(cafile=ca_file or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["h2"])
    return context
