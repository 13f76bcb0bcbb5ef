"""Device tokens and their owners, described."""

from fanfare.api import installations
from fanfare.domain import errors
from local.openapi import answers
from local.openapi.operation import JSON, Answer, Body, Operation, Operations, kii

_TYPES = {"enum": ["ANDROID", "IOS"]}
_BUNDLE_ID = {"type": "string", "pattern": "^[A-Za-z0-9.-]{1,155}$"}

OPERATIONS: Operations = {
    installations.install: Operation(
        summary="Install: the device is the user's from now on, whoever had it before",
        who="a user for himself, the administrator for the user of userID",
        body=Body(
            type=installations.Install,
            example={
                "deviceType": "IOS",
                "installationRegistrationID": "00fc13adff785122b4ad28809a342098",
                "development": False,
            },
            media=(kii("InstallationCreationRequest"), JSON),
            rules={
                "required": ["installationRegistrationID"],
                "properties": {
                    "installationRegistrationID": {"type": "string", "pattern": "^[0-9a-f]{2,512}$"},
                    "network": {"enum": ["FCM", "APNS", None]},
                    "bundleID": {"anyOf": [_BUNDLE_ID, {"type": "null"}]},
                    "thingID": {"type": "null"},
                },
                "anyOf": [
                    {"required": ["deviceType"], "properties": {"deviceType": _TYPES}},
                    {"required": ["installationType"], "properties": {"installationType": _TYPES}},
                ],
            },
        ),
        answers=(
            Answer(201, answers.NewInstallation, (kii("InstallationCreationResponse"),), ("Location",)),
        ),
        errors=(errors.UserNotFound,),
    ),
    installations.of: Operation(
        summary="List a user's installations, or all",
        who="the user; the administrator, and all only for the administrator",
        query=("userID",),
        answers=(Answer(200, answers.Installations),),
        errors=(errors.UserNotFound, errors.NotImplementedHere),
    ),
    installations.get: Operation(
        summary="Read an installation",
        who="its owner and the administrator",
        answers=(Answer(200, answers.Installation, (kii("InstallationRetrievalResponse"),)),),
        errors=(errors.InstallationNotFound,),
    ),
    installations.delete: Operation(
        summary="Uninstall",
        who="its owner and the administrator",
        errors=(errors.InstallationNotFound,),
    ),
}
