"""What goes out to a network, whoever it is for. content.py makes it; deliver only adds the device."""

from dataclasses import dataclass, replace

from fanfare.domain.device import Network

VALIDATE_ONLY = b'{"validate_only":true,'


@dataclass(frozen=True, slots=True)
class FcmPayload:
    """The body of messages:send is prefix + the target, `"token":"..."` or `"fid":"..."`, + suffix."""

    prefix: bytes
    suffix: bytes
    target: str = ""
    """The field that addresses; empty for `token` or `fid`, by the form of each."""
    ttl_s: int | None = None
    """The time to live from the acceptance on."""
    ttl_at: int = 0
    """Where its digits stand in the suffix."""

    def with_left(self, left_ms: int) -> "FcmPayload":
        """The payload with so much time to live in its bytes."""
        if self.ttl_s is None:
            return self
        left_s = -(-max(0, left_ms) // 1000)
        before, after = self.suffix[: self.ttl_at], self.suffix[self.ttl_at + len(str(self.ttl_s)) :]
        return replace(self, suffix=b"%b%d%b" % (before, left_s, after), ttl_s=left_s)

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
    """Epoch seconds; 0: now or never. Made for each attempt, from `ttl_s`."""
    ttl_s: int | None = None
    """The time to live from the acceptance on."""

    def with_left(self, left_ms: int, now: int) -> "ApnsPayload":
        if self.ttl_s is None:
            return self
        return replace(self, expiration=-(-(now + left_ms) // 1000) if left_ms > 0 else 0)


@dataclass(frozen=True, slots=True)
class Payloads:
    """One push message, ready for each network; None where it does not go there."""

    fcm: FcmPayload | None
    apns: ApnsPayload | None

    def left_ms(self, network: Network, at: int, now: int) -> int | None:
        """How much of the time to live is left on the network, below 0 when it is over; None: it has none.

        `at` is the acceptance; both times are epoch ms.
        """
        payload = self.fcm if network is Network.FCM else self.apns
        return None if payload is None or payload.ttl_s is None else at + 1000 * payload.ttl_s - now

    def as_of(self, at: int, now: int) -> "Payloads":
        """The payloads as they go out now, with the time to live that is left: whole seconds, at least 0."""

        fcm, apns = (self.left_ms(network, at, now) or 0 for network in (Network.FCM, Network.APNS))
        return Payloads(
            fcm=self.fcm and self.fcm.with_left(fcm),
            apns=self.apns and self.apns.with_left(apns, now),
        )
