"""A device to be reached, for its owner."""

from dataclasses import dataclass

from fanfare.domain.device import Device, Environment, open_digest


@dataclass(frozen=True, slots=True)
class Addressee:
    """One device to be reached, with its owner at the time of reading."""

    user: str
    device: Device
    environment: Environment

    @property
    def digest(self) -> bytes:
        return open_digest(self.user, self.device)
