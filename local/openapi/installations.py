"""Device tokens and their owners, described."""

from collections.abc import Iterator
from typing import Any

from fanfare.api import installations
from fanfare.domain import errors
from local.openapi import answers
from local.openapi.operation import JSON, DescribedAnswer, DescribedBody, Operation, Operations, kii

_BUNDLE_ID = {"anyOf": [{"type": "string", "pattern": "^[A-Za-z0-9.-]{1,155}$"}, {"type": "null"}]}
_APNS_TOKEN = {"type": "string", "pattern": "^[0-9A-Fa-f<> ]{1,1024}$"}
_FCM_TOKEN = {"type": "string", "pattern": "^[!-~]{1,1024}$", "not": {"pattern": "^[0-9A-Fa-f]{64}$"}}
_NAMES = ("deviceType", "installationType")


def _install(platform: str, networks: list[str | None], token: Any, **more: Any) -> Iterator[Any]:
    """The installs of a platform through one network, by either name of its type."""
    for name in _NAMES:
        types = {key: {"enum": [platform, None]} for key in _NAMES} | {name: {"enum": [platform]}}
        network = [] if None in networks else ["network"]
        yield {
            "required": [name, "installationRegistrationID", *network],
            "properties": {
                **types,
                "installationRegistrationID": token,
                "network": {"enum": networks},
                "thingID": {"type": "null"},
                **more,
            },
        }


_NO_BUNDLE_ID = {"bundleID": {"type": "null"}}

OPERATIONS: Operations = {
    installations.install: Operation(
        summary="Install: the device is the user's from now on, whoever had it before",
        who="a user for himself, the administrator for the user of userID",
        body=DescribedBody(
            type=installations.Install,
            example={
                "deviceType": "IOS",
                "installationRegistrationID": "00fc13adff785122b4ad28809a342098",
                "development": False,
            },
            media=(kii("InstallationCreationRequest"), JSON),
            rules={
                "anyOf": [
                    *_install("ANDROID", ["FCM", None], _FCM_TOKEN, **_NO_BUNDLE_ID),
                    *_install("IOS", ["APNS", None], _APNS_TOKEN, bundleID=_BUNDLE_ID),
                    *_install("IOS", ["FCM"], _FCM_TOKEN, **_NO_BUNDLE_ID),
                ],
            },
        ),
        answers=(
            DescribedAnswer(
                201, answers.NewInstallation, (kii("InstallationCreationResponse"),), ("Location",)
            ),
        ),
        errors=(errors.UserNotFound,),
    ),
    installations.of: Operation(
        summary="List a user's installations, or all",
        who="the user; the administrator, and all only for the administrator",
        query=("userID",),
        answers=(DescribedAnswer(200, answers.Installations),),
        errors=(errors.UserNotFound,),
    ),
    installations.get: Operation(
        summary="Read an installation",
        who="its owner and the administrator",
        answers=(DescribedAnswer(200, answers.InstallationAnswer, (kii("InstallationRetrievalResponse"),)),),
        errors=(errors.InstallationNotFound,),
    ),
    installations.delete: Operation(
        summary="Uninstall",
        who="its owner and the administrator",
        errors=(errors.InstallationNotFound,),
    ),
}
