"""Installations: install, read, list and delete, by ID or by `{deviceType}:{device token}`."""

import re
from itertools import islice
from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import Response
from msgspec import Struct

from fanfare.api import addressing, answers, bounds, parsing
from fanfare.api.authentication import authenticate
from fanfare.api.request import Authenticating, Request
from fanfare.domain.caller import Caller
from fanfare.domain.device import Device, DeviceType, Environment, device
from fanfare.domain.errors import Busy, InstallationNotFound, InvalidInput, NotImplementedHere
from fanfare.domain.rights import not_permitted, require_admin, require_self
from fanfare.runtime import clock
from fanfare.store import installations
from fanfare.store.installations import Installation

LIST_LIMIT = 5_000
"""Installations in one answer: Kii's list has no pages, and an answer of Lambda no more than 6 MB."""

_REMOVE_TRIES = 5
_ID = re.compile(r"[a-z2-7]{26}")


class Install(Struct, rename=parsing.contract_name):
    device_type: bounds.Name | None = None
    installation_type: bounds.Name | None = None
    installation_registration_id: bounds.Name | None = None
    development: bool | None = None
    user_id: bounds.Name | None = None
    thing_id: bounds.Name | None = None


def install(request: Request[Authenticating]) -> Response[str]:
    caller = authenticate(request)
    given = parsing.document(request, Install)
    wanted = _device(given)
    environment = Environment.SANDBOX if given.development else Environment.PRODUCTION
    made = installations.install(caller.app, _owner(caller, given), wanted, environment, clock.now)
    body = {"installationID": made.id, "installationRegistrationID": made.device.token}
    location = request.location(f"installations/{made.id}")
    return answers.document(201, body, "InstallationCreationResponse", location)


def get(request: Request[Authenticating]) -> Response[str]:
    found = _found(authenticate(request), request.parameters["ref"])
    return answers.document(200, _view(found), "InstallationRetrievalResponse")


def of(request: Request[Authenticating]) -> Response[str]:
    """One user's, for the user and the administrator; all of the app's for the administrator only."""
    caller = authenticate(request)
    if "thingID" in request.query:
        raise NotImplementedHere("this server does not offer things")
    user = request.query.get("userID")
    if user is None:
        require_admin(caller)
        found = list(islice(installations.of_app(caller.app), LIST_LIMIT + 1))
        if len(found) > LIST_LIMIT:
            raise InvalidInput(f"there are more than {LIST_LIMIT} installations: ask for one user's")
    else:
        user = addressing.user_id(caller, user)
        require_self(caller, user)
        found = installations.of_user(caller.app, user)
    return answers.document(200, {"installations": [_view(one) for one in found]})


def delete(request: Request[Authenticating]) -> Response[str]:
    """What is deleted is what the caller may delete: it is looked at anew when it changes meanwhile."""
    caller = authenticate(request)
    found = _found(caller, request.parameters["ref"])
    for _ in range(_REMOVE_TRIES):
        if installations.remove(found):
            return answers.empty()
        again = installations.find(caller.app, found.id)
        if again is None:
            return answers.empty()
        require_self(caller, again.user)
        found = again
    raise Busy("the installation keeps changing; try again")


def _owner(caller: Caller, given: Install) -> str:
    """Users install for themselves, the administrator for a user; raises NotPermitted, UserNotFound."""
    if given.thing_id is not None:
        raise InvalidInput("thingID: this server does not offer things")
    if caller.is_admin:
        if given.user_id is None:
            raise InvalidInput("userID: whose installation is it?")
        return addressing.user_id(caller, given.user_id)
    if caller.user is None:
        raise not_permitted(caller, "a user's access token is needed")
    if given.user_id is not None:
        require_self(caller, given.user_id)
    return caller.user


def _device(given: Install) -> Device:
    name = given.device_type or given.installation_type
    if name is None:
        raise InvalidInput("deviceType is needed")
    if given.installation_type not in (None, name):
        raise InvalidInput("deviceType and installationType are two names of one field, and differ")
    if name not in DeviceType:
        raise InvalidInput(f"deviceType {name}: this server delivers to ANDROID and IOS")
    if given.installation_registration_id is None:
        raise InvalidInput("installationRegistrationID is needed")
    found = device(DeviceType(name), given.installation_registration_id)
    if found is None:
        raise InvalidInput(f"installationRegistrationID: not a device token of {name}")
    return found


def _found(caller: Caller, ref: str) -> Installation:
    """The installation that a path means, if the caller may see it."""
    if caller.user is None and not caller.is_admin:
        raise not_permitted(caller, "a user's access token is needed")
    fields: dict[str, Any] = {"installationID": ref}
    installation_id = ref if _ID.fullmatch(ref) else None
    name, colon, token = ref.partition(":")  # device tokens of FCM hold colons themselves
    if colon:
        fields = {"deviceType": name, "installationRegistrationID": token}
        meant = device(DeviceType(name), token) if name in DeviceType else None
        installation_id = meant.installation_id if meant else None
    found = installations.find(caller.app, installation_id) if installation_id else None
    if found is None:
        raise InstallationNotFound("the installation does not exist", **fields, appID=caller.app)
    require_self(caller, found.user)
    return found


def _view(installation: Installation) -> dict[str, object]:
    device_type = installation.device.type
    return {
        "installationID": installation.id,
        "installationRegistrationID": installation.device.token,
        "deviceType": device_type,
        "installationType": device_type,
        "userID": installation.user,
        "development": installation.environment is Environment.SANDBOX,
    }
