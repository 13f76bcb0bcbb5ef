"""The probe of a lane: a push that reaches no phone, with an answer that tells the state of the lane.

No user's push decides about a lane: it may fail for a reason of its own, and each device with which a silent
network was tried would have to be sent to again.
"""

from collections.abc import Callable

from fanfare.domain.addressee import Addressee
from fanfare.domain.device import Device, Environment, Network
from fanfare.domain.outcome.answer import Context, Provider, Transport
from fanfare.domain.outcome.consequence import Outcome
from fanfare.domain.payload import ApnsPayload, FcmPayload, Payloads
from fanfare.domain.push import Push
from fanfare.networks.failures import CredentialError
from fanfare.networks.result import Result, Unknown, outcome_of
from fanfare.pipeline.senders.sender import RENEWED, LaneSender
from fanfare.runtime import logs
from fanfare.runtime.clock import Clock

ANSWER_S = 10.0
"""The longest that a probe takes."""

RESERVED_S = 5.0
"""Seconds that an attempt keeps for a probe after its sending; a quarter of a short time."""

LEAST_S = 1.0
"""With less time than this a probe would say nothing about the lane."""

TRIES = 3
"""Most sends of a probe that the network did not process, as over a connection that has just ended."""

_NOBODY = {
    Network.FCM: Device.fcm("fanfare-probe"),  # a topic without subscribers
    Network.APNS: Device.apns(64 * "0"),  # no device token: its refusal is an answer
}

PROBE = Push(
    app="",
    id="probe",
    payloads=Payloads(
        fcm=FcmPayload(b'{"validate_only":true,"message":{', b"}}", target="topic"),
        apns=ApnsPayload(b'{"aps":{"content-available":1}}', "background", 5, expiration=0),
    ),
    at=0,
)


def reserved_s(left_s: float) -> float:
    """Return the seconds of an attempt that are kept for a probe after its sending."""
    return max(0.0, min(RESERVED_S, left_s / 4))


def ask(
    sender: LaneSender, network: Network, environment: Environment, left_s: Callable[[], float], clock: Clock
) -> Outcome:
    """Send a probe on the lane, again at once if the network did not process it."""
    nobody = Addressee("", _NOBODY[network], environment)
    context = Context(credential_attempt=RENEWED, now_s=clock() / 1000)
    for _ in range(TRIES):
        try:
            result = _send(sender, nobody, max(0.0, min(ANSWER_S, left_s())))
        except CredentialError as error:
            return error.outcome
        outcome = outcome_of(Provider(network), result, context)
        was_processed = outcome.spends_attempt or outcome.retry_after_s != 0
        if was_processed or left_s() <= 0:
            break
    return outcome


def _send(sender: LaneSender, nobody: Addressee, deadline_s: float) -> Result:
    try:
        [result] = sender.send(PROBE, [nobody], deadline_s, apart=False)
    except CredentialError:
        raise
    except Exception:  # noqa: BLE001 - a fault of ours must not lose the answers of the attempt
        logs.logger().exception("a probe failed", extra={"lane": sender.lane})
        return Unknown(Transport.PROTOCOL_ERROR)
    return result
