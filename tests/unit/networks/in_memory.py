"""A connection without a socket: its output is kept, and `h2` is the server at the other end."""

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.settings import SettingCodes, Settings

from fanfare.networks.http2.connection import Connection


class Paper:
    """A transport that takes all data at once."""

    def __init__(self) -> None:
        self.full = False
        self.left = 0
        self.written = bytearray()

    def put(self, data: bytes, mark: int = 0) -> None:
        self.written += data
        self.left = max(self.left, mark)

    def flush(self) -> None:
        """Do nothing: all data is taken at once."""

    def taken(self) -> bytes:
        data = bytes(self.written)
        self.written.clear()
        return data


def connection(wire: Paper, *, first_alone: bool = False, most_streams: int = 1000) -> Connection:
    return Connection(wire, "example.com", first_alone=first_alone, most_streams=most_streams)


def server(initial: dict[SettingCodes, int] | None = None) -> H2Connection:
    h2 = H2Connection(H2Configuration(client_side=False, header_encoding="latin-1"))
    h2.local_settings = Settings(client=False, initial_values=initial or {})
    # h2 applies these only when settings change later.
    h2.max_inbound_frame_size = h2.local_settings.max_frame_size
    h2.decoder.max_allowed_table_size = h2.local_settings.header_table_size
    h2.initiate_connection()
    return h2
