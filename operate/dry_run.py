"""Asks a network whether it takes a credential, by one request that reaches nobody."""

from pathlib import Path

from fanfare.domain.device import Environment
from fanfare.domain.outcome.answer import Context, Provider
from fanfare.domain.outcome.consequence import Outcome, OutcomeKind
from fanfare.domain.payload import ApnsPayload, FcmPayload
from fanfare.networks.apns import Apns, ApnsPush, apns_id
from fanfare.networks.credentials import ApnsCredential, Credential, FcmCredential
from fanfare.networks.failures import CredentialError
from fanfare.networks.fcm import Fcm
from fanfare.networks.result import outcome_of
from operate.errors import CommandFailed, Declined, Unreachable
from operate.profile import Profile
from operate.template import load, template_path

NOBODY = "fanfare-credential-check"
"""A topic without subscribers for FCM, and no device token for APNs: it has no digit of one."""

ANSWER_S = 20.0
_VALIDATE = FcmPayload(b'{"validate_only":true,"message":{', b"}}", target="topic")
_PUSH = ApnsPayload(b'{"aps":{}}', "alert", 5, expiration=0)
_SECOND = Context(credential_attempt=2)

_WHY = {
    "invalid_grant": "the key was deleted, the account is disabled, or the clock of this machine is wrong",
    "InvalidProviderToken": "key, key ID and team ID do not belong together, or the key was revoked",
    "wrong_environment.BadEnvironmentKeyIdInToken": "the key is for the other environment",
    "wrong_environment.BadEnvironmentKeyInToken": "the key is for the other environment",
    "TopicDisallowed": "the key may not push to this topic",
    "ExpiredProviderToken": "the clock of this machine is wrong",
    "UNAUTHENTICATED": "FCM does not take the access token",
    "PERMISSION_DENIED": "it needs cloudmessaging.messages.create in the project, and the FCM API turned on",
    "NOT_FOUND": "there is no such project",
}


def ask(profile: Profile, credential: Credential, environment: Environment) -> str:
    """Return the network's answer in a line. Raises Declined, Unreachable."""
    match credential:
        case FcmCredential():
            return _ask_fcm(profile, credential)
        case ApnsCredential():
            return _ask_apns(profile, credential, environment)


def _ask_fcm(profile: Profile, account: FcmCredential) -> str:
    fcm = Fcm.at(_endpoint(profile, "FCM_ENDPOINT"), account, ca_file=_ca_file(profile))
    try:
        [result] = fcm.send([NOBODY], _VALIDATE, deadline_s=ANSWER_S)
    except CredentialError as error:
        raise _no(error.outcome, "Google's token endpoint") from error
    finally:
        fcm.close()
    outcome = outcome_of(Provider.FCM, result, _SECOND)
    if outcome.kind is not OutcomeKind.DELIVERED:
        raise _no(outcome, "FCM")
    return f"FCM lets {account.client_email} send in {account.project_id}"


def _ask_apns(profile: Profile, key: ApnsCredential, environment: Environment) -> str:
    """BadDeviceToken is the answer to hope for: Apple comes to it when all else is right."""
    apns = Apns.at(_endpoint(profile, f"APNS_{environment.upper()}_ENDPOINT"), key, ca_file=_ca_file(profile))
    try:
        [result] = apns.send([ApnsPush(NOBODY, apns_id(NOBODY, NOBODY))], _PUSH, deadline_s=ANSWER_S)
    finally:
        apns.close()
    outcome = outcome_of(Provider.APNS, result, _SECOND)
    if outcome.reason != "BadDeviceToken":
        raise _no(outcome, f"APNs ({environment})")
    return f"APNs ({environment}) takes the key {key.key_id} of {key.team_id} for {key.topics[0]}"


def _no(outcome: Outcome, who: str) -> CommandFailed:
    if outcome.blames_credential:
        why = _WHY.get(outcome.reason)
        return Declined(f"{who} refuses the credential: {outcome.reason}" + (f" ({why})" if why else ""))
    return Unreachable(f"{who} gave no verdict on the credential: {outcome.reason}; try again later")


def _endpoint(profile: Profile, variable: str) -> str:
    """As deliver has it: its environment is made of the template's parameters."""
    text = load(template_path(), parameters=profile.parameters).functions["deliver"].environment[variable]
    assert isinstance(text, str), "an endpoint is a parameter, and no resource"
    return text


def _ca_file(profile: Profile) -> str:
    """The roots of the local stack; a deployed one's lie where its functions run, and not here."""
    path = _endpoint(profile, "NETWORK_CA_FILE")
    return path if Path(path).is_file() else ""
