"""What an answer means for the push and its device token: one consequence, with its reason."""

import re
from dataclasses import dataclass, replace
from enum import StrEnum

EXPIRED = "expired"
"""The reason of a push that would come after its time."""


class OutcomeKind(StrEnum):
    DELIVERED = "delivered"
    PURGE_TOKEN = "purge_token"
    SUSPECT = "suspect"
    RETRY_AFTER_DELAY = "retry_after_delay"
    RETRY_FRESH_CREDENTIAL = "retry_fresh_credential"
    DROP_PAYLOAD_ERROR = "drop_payload_error"
    PAUSE_ALARM_CREDENTIAL = "pause_alarm_credential"


class PurgeTarget(StrEnum):
    """What a proof says is dead."""

    DEVICE_TOKEN = "device_token"
    LIVE_ACTIVITY_TOKEN = "live_activity_token"
    CHANNEL = "channel_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    kind: OutcomeKind
    reason: str
    """The network's own word where it gave one; short, and safe in a log and as a counter's name."""
    retry_after_s: int | None = None
    """Before jitter; None where nothing is to be sent again."""
    proof_at_ms: int | None = None
    """The network's own time of the proof; None where it gave none."""
    told_by_apple: bool = False
    """FCM passed on an answer of APNs: the device is one of Apple's, whatever it was installed as."""
    purge_target: PurgeTarget | None = None
    new_connection: bool = False
    """Sending again makes sense on a new connection only."""
    spends_attempt: bool = True
    """False where the network did not process the push."""
    whole_lane: bool = True
    """Of an alarm: False where it is about some devices, and others of the lane may get through."""
    unknown: bool = False
    """The push may have been delivered: sending again may double it."""
    of_device: bool = False
    """Of a retry: the answer is about this device token, and says nothing against its lane."""
    outlived: bool = False
    """The device was registered after the moment at which its token is said to have died."""

    @property
    def blames_credential(self) -> bool:
        """Whether the same push could go through with another credential."""
        return self.kind is OutcomeKind.PAUSE_ALARM_CREDENTIAL and not self.spends_attempt


def delivered() -> Outcome:
    return _DELIVERED


def purge(
    reason: str,
    *,
    target: PurgeTarget = PurgeTarget.DEVICE_TOKEN,
    proof_at_ms: int | None = None,
) -> Outcome:
    """A certain proof: the network gives this answer only for something dead."""
    return Outcome(
        kind=OutcomeKind.PURGE_TOKEN, reason=_word(reason), purge_target=target, proof_at_ms=proof_at_ms
    )


def suspect(
    reason: str, *, target: PurgeTarget = PurgeTarget.DEVICE_TOKEN, told_by_apple: bool = False
) -> Outcome:
    """A doubtful answer: a mistake of ours causes it as well as a dead device token."""
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
    """Somebody must look. Where APNs says that a key is one of the other environment, that is named."""
    word = f"wrong_environment.{reason}" if reason in _OF_ANOTHER_ENVIRONMENT else reason
    return Outcome(kind=OutcomeKind.PAUSE_ALARM_CREDENTIAL, reason=_word(word), whole_lane=whole_lane)


def refused(reason: str) -> Outcome:
    """Our credential is refused, not the push: its devices wait, and it was no try of theirs."""
    return replace(alarm(reason), spends_attempt=False)


def _word(reason: str) -> str:
    """A reason comes from outside and ends in logs and as the name of a counter."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", reason)[:64] or "none"


_DELIVERED = Outcome(kind=OutcomeKind.DELIVERED, reason="accepted")
