"""What goes out to a network, whoever it is for. content.py makes it; deliver only adds the device."""

from dataclasses import dataclass

VALIDATE_ONLY = b'{"validate_only":true,'


@dataclass(frozen=True, slots=True)
class FcmPayload:
    """The body of messages:send is prefix + the target, `"token":"..."` or `"fid":"..."`, + suffix."""

    prefix: bytes
    suffix: bytes
    ttl_s: int | None = None

    @property
    def validate_only(self) -> bool:
        """Whether FCM is only asked if it would take the push."""
        return self.prefix.startswith(VALIDATE_ONLY)


@dataclass(frozen=True, slots=True)
class ApnsPayload:
    body: bytes
    push_type: str
    priority: int
    collapse_id: str | None = None
    expiration: int | None = None


@dataclass(frozen=True, slots=True)
class Payloads:
    """One push message, ready for each network; None where it does not go there."""

    fcm: FcmPayload | None
    apns: ApnsPayload | None
