"""Payloads for the networks without any device. content.py makes them, deliver only adds the device."""

from dataclasses import dataclass, replace

from fanfare.domain.device import Network

VALIDATE_ONLY = b'{"validate_only":true,'


@dataclass(frozen=True, slots=True)
class FcmPayload:
    """The body of messages:send: prefix, the target (`"token":"..."` or `"fid":"..."`), suffix."""

    prefix: bytes
    suffix: bytes
    target: str = ""
    """Field that addresses the device. Empty: `token` or `fid`, depending on the form of each token."""
    ttl_s: int | None = None
    """Time to live from acceptance on."""
    ttl_at: int = 0
    """Position of the time to live's digits in the suffix."""

    def with_left(self, left_ms: int) -> "FcmPayload":
        """Return the payload with this remaining time to live in its bytes."""
        if self.ttl_s is None:
            return self
        left_s = -(-max(0, left_ms) // 1000)
        before, after = self.suffix[: self.ttl_at], self.suffix[self.ttl_at + len(str(self.ttl_s)) :]
        return replace(self, suffix=b"%b%d%b" % (before, left_s, after), ttl_s=left_s)

    @property
    def validate_only(self) -> bool:
        """True if FCM only validates the push and does not deliver it."""
        return self.prefix.startswith(VALIDATE_ONLY)


@dataclass(frozen=True, slots=True)
class ApnsPayload:
    body: bytes
    push_type: str
    priority: int
    collapse_id: str | None = None
    expiration: int | None = None
    """Epoch seconds; 0 means now or never. Computed for each attempt from `ttl_s`."""
    ttl_s: int | None = None
    """Time to live from acceptance on."""

    def with_left(self, left_ms: int, now: int) -> "ApnsPayload":
        if self.ttl_s is None:
            return self
        return replace(self, expiration=-(-(now + left_ms) // 1000) if left_ms > 0 else 0)


@dataclass(frozen=True, slots=True)
class Payloads:
    """One push message, ready for each network; None for a network that it does not go to."""

    fcm: FcmPayload | None
    apns: ApnsPayload | None

    def left_ms(self, network: Network, at: int, now: int) -> int | None:
        """Return the remaining time to live on the network, negative once it is over; None if it has no
        limit.

        `at` is the acceptance; both times are epoch ms.
        """
        payload = self.fcm if network is Network.FCM else self.apns
        return None if payload is None or payload.ttl_s is None else at + 1000 * payload.ttl_s - now

    def as_of(self, at: int, now: int) -> "Payloads":
        """Return the payloads with the time to live that remains now, in whole seconds, at least 0."""

        fcm, apns = (self.left_ms(network, at, now) or 0 for network in (Network.FCM, Network.APNS))
        return Payloads(
            fcm=self.fcm and self.fcm.with_left(fcm),
            apns=self.apns and self.apns.with_left(apns, now),
        )
