"""GOAWAY: the last stream that the server processes, and its reason for leaving (RFC 9113, 6.8)."""

import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Goaway:
    last_stream_id: int
    debug_data: bytes = b""

    @property
    def blames_device_tokens(self) -> bool:
        """True if the reason is device tokens. APNs gives it in JSON by its documentation, and in plain text
        in practice."""
        try:
            told = json.loads(self.debug_data)
        except (ValueError, RecursionError):
            return b"BadDeviceToken" in self.debug_data
        return isinstance(told, dict) and told.get("reason") == "BadDeviceToken"
