"""Installations: install, read, list and delete, by ID or by `{deviceType}:{device token}`."""

import re
from itertools import islice

from aws_lambda_powertools.event_handler.api_gateway import Response
from msgspec import Struct

from fanfare.api import addressing, answers, bounds, limits, parsing
from fanfare.api.authentication import app_of, authenticate
from fanfare.api.request import Authenticating, Request
from fanfare.domain.device import (
    Device,
    DeviceType,
    Environment,
    Network,
    device,
    is_bundle_id,
    is_like_apns,
    is_like_fcm,
    named,
)
from fanfare.domain.errors import Busy, InstallationNotFound, InvalidInput
from fanfare.domain.parameters import Parameter
from fanfare.domain.rights.caller import Caller
from fanfare.domain.rights.right import not_signed_in, require_admin, require_self
from fanfare.runtime import clock
from fanfare.store import installations
from fanfare.store.installations import Installation

LIST_LIMIT = 5_000
"""Maximum number of installations in one answer: Kii's list has no pages, and Lambda's answer is limited to 6
MB."""

_REMOVE_TRIES = 5
_ID = re.compile(r"[a-z2-7]{26}")


class Install(Struct, rename=parsing.contract_name):
    device_type: bounds.Name | None = None
    installation_type: bounds.Name | None = None
    installation_registration_id: bounds.Name | None = None
    development: bool | None = None
    network: bounds.Name | None = None
    bundle_id: bounds.Name | None = None
    user_id: bounds.Name | None = None
    thing_id: bounds.Name | None = None


def install(request: Request[Authenticating]) -> Response[str]:
    caller = authenticate(request)
    given = parsing.document(request, Install)
    wanted, *others = _identified(caller.app, _device(given), request.now)
    environment = Environment.SANDBOX if given.development else Environment.PRODUCTION
    owner = _owner(caller, given)
    made = installations.install(
        *(caller.app, owner, wanted, environment, clock.now),
        ending=[one.installation_id for one in others],
        use_of_limit=lambda: limits.use_of(request, caller, Parameter.USER_INSTALLS_A_DAY),
    )
    body = {"installationID": made.id, "installationRegistrationID": made.device.token}
    headers = request.location(f"installations/{made.id}") | answers.NOT_STORED
    return answers.document(201, body, "InstallationCreationResponse", headers)


def get(request: Request[Authenticating]) -> Response[str]:
    found = _found(authenticate(request), request)
    return answers.document(200, _view(found), "InstallationRetrievalResponse", answers.NOT_STORED)


def of(request: Request[Authenticating]) -> Response[str]:
    """List a user's installations, for that user and the administrator, or the app's for the
    administrator."""
    caller = authenticate(request)
    if "thingID" in request.query:
        raise InvalidInput("thingID: this server does not offer things; ask by userID")
    user = request.query.get("userID")
    if user is None:
        require_admin(caller)
        found = list(islice(installations.of_app(caller.app), LIST_LIMIT + 1))
        if len(found) > LIST_LIMIT:
            raise InvalidInput(f"userID: there are more than {LIST_LIMIT} installations; ask for one user's")
    else:
        user = addressing.user_id(caller, user)
        require_self(caller, user)
        found = installations.of_user(caller.app, user)
    body = {"installations": [_view(one) for one in found]}
    return answers.document(200, body, headers=answers.NOT_STORED)


def delete(request: Request[Authenticating]) -> Response[str]:
    """Delete the installation. If it changes meanwhile, the caller's right to delete it is checked again.

    An installation named by a device token is deleted only while it holds that token.
    """
    caller = authenticate(request)
    found = _found(caller, request)
    by_token = found.id != request.parameters["ref"]
    for _ in range(_REMOVE_TRIES):
        if installations.remove(found):
            return answers.empty()
        again = installations.find(caller.app, found.id)
        if again is None:
            return answers.empty()
        if by_token and again.device.token != found.device.token:
            raise _not_found(caller.app, request.parameters["ref"])
        require_self(caller, again.user)
        found = again
    raise Busy("the installation keeps changing; try again")


def _owner(caller: Caller, given: Install) -> str:
    """Return the owner: users install for themselves, the administrator for a user. Raises NotPermitted,
    UserNotFound."""
    if given.thing_id is not None:
        raise InvalidInput("thingID: this server does not offer things; send userID, or leave it out")
    if caller.is_admin:
        if given.user_id is None:
            raise InvalidInput("userID: this field is missing; send the ID of the device's owner")
        return addressing.user_id(caller, given.user_id)
    if caller.user is None:
        raise not_signed_in(caller)
    if given.user_id is not None:
        require_self(caller, given.user_id)
    return caller.user


def _device(given: Install) -> Device:
    name = given.device_type or given.installation_type
    if name is None:
        raise InvalidInput("deviceType: this field is missing; send ANDROID or IOS")
    if given.installation_type not in (None, name):
        raise InvalidInput(
            "deviceType, installationType: they are two names of one field, and differ; send one of them"
        )
    if name not in DeviceType:
        raise parsing.not_one_of("deviceType", name, list(DeviceType))
    platform = DeviceType(name)
    network = _network(given.network, platform)
    if given.bundle_id is not None and network is not Network.APNS:
        raise InvalidInput(
            "bundleID: it is for devices that are reached through APNs; leave it "
            "out, as FCM knows the app itself"
        )
    if given.bundle_id is not None and not is_bundle_id(given.bundle_id):
        raise InvalidInput(
            "bundleID: send 1 to 155 letters, digits, dots and hyphens, such as com.example.app"
        )
    if given.installation_registration_id is None:
        raise InvalidInput("installationRegistrationID: this field is missing; send the device token")
    token = given.installation_registration_id
    found = device(network, platform, token, bundle_id=given.bundle_id)
    if found is None or (network is Network.FCM and is_like_apns(token)):
        raise InvalidInput(
            f"installationRegistrationID: {_why_no_token(network, platform, token)}",
            invalidFields=["installationRegistrationID"],
        )
    return found


def _why_no_token(network: Network, platform: DeviceType, token: str) -> str:
    """Return the reason, which names mixed-up tokens: a device with the wrong network never gets a push."""
    if network is Network.APNS and is_like_fcm(token):
        return (
            "this is a device token of FCM, and those of APNs are hexadecimal; "
            'send "network": "FCM" with it, or the token of APNs'
        )
    if network is Network.APNS:
        return "not a device token of APNs; send up to 512 hexadecimal digits"
    if not is_like_apns(token):
        return "not a device token of FCM; send it as it is, 1 to 1024 printable ASCII characters, no spaces"
    other = "leave network out" if platform is DeviceType.IOS else 'send "deviceType": "IOS" with it'
    return f"this is a device token of APNs, 64 hexadecimal digits; {other}, or send the token of FCM"


def _network(name: str | None, platform: DeviceType) -> Network:
    if name is None:
        return platform.own_network
    if name not in Network.__members__:
        raise parsing.not_one_of("network", name, list(Network.__members__))
    if (network := Network[name]) is Network.APNS and platform is not DeviceType.IOS:
        raise InvalidInput(
            f"network: devices of {platform} are reached through FCM alone; send FCM, or leave it out"
        )
    return network


def _identified(app_id: str, device: Device, now: int) -> list[Device]:
    """Return the device as the app identifies its devices, followed by its other identity if it may be
    stored.

    The app is read only if that matters.
    """
    other = device.other_identity
    if other is None:
        return [device]
    app = app_of(app_id, now)
    both = [device, other] if device.whole_token is app.whole_tokens(now) else [other, device]
    return both if app.identity_changed else both[:1]


def _found(caller: Caller, request: Request[Authenticating]) -> Installation:
    """Return the path's installation, if the caller may see it."""
    if caller.user is None and not caller.is_admin:
        raise not_signed_in(caller)
    found = _meant(caller.app, request.parameters["ref"], request.now)
    if found is None:
        raise _not_found(caller.app, request.parameters["ref"])
    require_self(caller, found.user)
    return found


def _meant(app: str, ref: str, now: int) -> Installation | None:
    """Return the installation with this ID, or with this device token at present; former tokens do not
    count."""
    if _ID.fullmatch(ref):
        return installations.find(app, ref)
    name, _, token = ref.partition(":")  # FCM device tokens contain colons themselves
    if name not in DeviceType:
        return None
    for either in named(DeviceType(name), token):
        for one in _identified(app, either, now):
            found = installations.find(app, one.installation_id)
            if found is not None and (found.device.token, found.device.platform) == (one.token, name):
                return found
    return None


def _not_found(app: str, ref: str) -> InstallationNotFound:
    name, colon, token = ref.partition(":")
    fields = {"deviceType": name, "installationRegistrationID": token} if colon else {"installationID": ref}
    return InstallationNotFound(
        "the installation does not exist; send its installationID, or "
        "{deviceType}:{device token as it is now}",
        **fields,
        appID=app,
    )


def _view(installation: Installation) -> dict[str, object]:
    device_type = installation.device.platform
    bundle_id = installation.device.bundle_id
    return {
        "installationID": installation.id,
        "installationRegistrationID": installation.device.token,
        "deviceType": device_type,
        "installationType": device_type,
        "userID": installation.user,
        "development": installation.environment is Environment.SANDBOX,
        "network": installation.device.network.name,
        **({} if bundle_id is None else {"bundleID": bundle_id}),
    }
