"""The consequence of an answer for the push and its device token, with its reason."""

import re
from dataclasses import dataclass, replace
from enum import StrEnum

EXPIRED = "expired"
"""The reason of a push that would arrive after its time to live."""


class OutcomeKind(StrEnum):
    DELIVERED = "delivered"
    PURGE_TOKEN = "purge_token"
    SUSPECT = "suspect"
    RETRY_AFTER_DELAY = "retry_after_delay"
    RETRY_FRESH_CREDENTIAL = "retry_fresh_credential"
    DROP_PAYLOAD_ERROR = "drop_payload_error"
    PAUSE_ALARM_CREDENTIAL = "pause_alarm_credential"


class PurgeTarget(StrEnum):
    """The thing that a proof declares dead."""

    DEVICE_TOKEN = "device_token"
    LIVE_ACTIVITY_TOKEN = "live_activity_token"
    CHANNEL = "channel_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    kind: OutcomeKind
    reason: str
    """The network's own word if it gave one; short, and safe in a log and as the name of a counter."""
    retry_after_s: int | None = None
    """Delay before jitter; None if nothing is to be sent again."""
    proof_at_ms: int | None = None
    """The network's own time of the proof (epoch ms); None if it gave none."""
    told_by_apple: bool = False
    """FCM passed on an answer of APNs: the device is one of Apple's, even if it was installed as another."""
    purge_target: PurgeTarget | None = None
    new_connection: bool = False
    """Sending again helps on a new connection only."""
    spends_attempt: bool = True
    """False if the network did not process the push."""
    whole_lane: bool = True
    """For an alarm: False if only some devices are concerned, and others of the lane may get through."""
    unknown: bool = False
    """The push may have been delivered: sending again may double it."""
    of_device: bool = False
    """For a retry: the answer is about this device token and says nothing about its lane."""
    outlived: bool = False
    """The device was registered after the moment at which its token is said to have died."""

    @property
    def blames_credential(self) -> bool:
        """True if the same push could go through with another credential."""
        return self.kind is OutcomeKind.PAUSE_ALARM_CREDENTIAL and not self.spends_attempt


def delivered() -> Outcome:
    return _DELIVERED


def purge(
    reason: str,
    *,
    target: PurgeTarget = PurgeTarget.DEVICE_TOKEN,
    proof_at_ms: int | None = None,
) -> Outcome:
    """Return the outcome of a certain proof: an answer that the network gives only for something dead."""
    return Outcome(
        kind=OutcomeKind.PURGE_TOKEN, reason=_word(reason), purge_target=target, proof_at_ms=proof_at_ms
    )


def suspect(
    reason: str, *, target: PurgeTarget = PurgeTarget.DEVICE_TOKEN, told_by_apple: bool = False
) -> Outcome:
    """Return the outcome of a doubtful answer, which a mistake of ours causes as well as a dead device
    token."""
    return Outcome(
        kind=OutcomeKind.SUSPECT, reason=_word(reason), purge_target=target, told_by_apple=told_by_apple
    )


def retry(reason: str, delay_s: int) -> Outcome:
    return Outcome(kind=OutcomeKind.RETRY_AFTER_DELAY, reason=_word(reason), retry_after_s=delay_s)


def fresh(reason: str, *, new_connection: bool = False) -> Outcome:
    return Outcome(
        kind=OutcomeKind.RETRY_FRESH_CREDENTIAL,
        reason=_word(reason),
        retry_after_s=0,
        new_connection=new_connection,
    )


def drop(reason: str) -> Outcome:
    return Outcome(kind=OutcomeKind.DROP_PAYLOAD_ERROR, reason=_word(reason))


_OF_ANOTHER_ENVIRONMENT = frozenset(
    {"BadEnvironmentKeyIdInToken", "BadEnvironmentKeyInToken", "BadCertificateEnvironment"}
)


def alarm(reason: str, *, whole_lane: bool = True) -> Outcome:
    """Return the outcome for an operator. Its reason points out a key of the other APNs environment."""
    word = f"wrong_environment.{reason}" if reason in _OF_ANOTHER_ENVIRONMENT else reason
    return Outcome(kind=OutcomeKind.PAUSE_ALARM_CREDENTIAL, reason=_word(word), whole_lane=whole_lane)


def refused(reason: str) -> Outcome:
    """Return the outcome for a refused credential: the devices wait, and lose no try."""
    return replace(alarm(reason), spends_attempt=False)


def _word(reason: str) -> str:
    """Clean a reason, which comes from outside, for logs and for the name of a counter."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", reason)[:64] or "none"


_DELIVERED = Outcome(kind=OutcomeKind.DELIVERED, reason="accepted")
