"""GOAWAY: up to where the server goes on, and whom it blames for leaving (RFC 9113, 6.8)."""

import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Goaway:
    last_stream_id: int
    debug_data: bytes = b""

    @property
    def blames_device_tokens(self) -> bool:
        """APNs says so in JSON by its documentation, and in plain text in practice."""
        try:
            told = json.loads(self.debug_data)
        except (ValueError, RecursionError):
            return b"BadDeviceToken" in self.debug_data
        return isinstance(told, dict) and told.get("reason") == "BadDeviceToken"
