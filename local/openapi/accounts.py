"""Users and how they log in, described."""

from collections.abc import Mapping
from typing import Annotated, Any

from msgspec import Meta

from fanfare.api import (
    account_changes,
    account_deletion,
    accounts,
    admin_sessions,
    app_parameters,
    bounds,
    login,
)
from fanfare.api.parsing import FORM
from fanfare.domain import errors
from local.openapi import answers
from local.openapi.operation import (
    JSON,
    AllowedCaller,
    DescribedAnswer,
    DescribedBody,
    Operation,
    Operations,
    kii,
)

_OWN = "the user and the administrator"
_ADMIN = "the administrator"
_ADDRESSES = ("loginName", "emailAddress", "phoneNumber")


def _given(*names: str) -> Mapping[str, Any]:
    return {"required": list(names), "properties": {name: {"type": "string"} for name in names}}


_ADDRESS_GIVEN = {"anyOf": [_given(name) for name in _ADDRESSES]}
_ADDRESS_WITH_PASSWORD = {
    "if": _ADDRESS_GIVEN,
    "then": _given("password"),
    "else": {"properties": {"password": {"type": "null"}}},
}

_VALUE = Annotated[str, Meta(max_length=bounds.PARAMETER)]

OPERATIONS: Operations = {
    login.token: Operation(
        summary="Log in: a user by password, the administrator by client credentials",
        who="anybody",
        caller=AllowedCaller.WITHOUT_CREDENTIALS,
        body=DescribedBody(
            type=login.TokenRequest,
            example={"username": "alice", "password": "correct horse"},
            media=(JSON, kii("OauthTokenRequest"), FORM),
        ),
        answers=(DescribedAnswer(200, answers.Token),),
        errors=(
            *(errors.InvalidGrant, errors.WrongRefreshToken, errors.AppNotFound),
            errors.NotAuthenticated,
        ),
    ),
    accounts.sign_up: Operation(
        summary="Sign up; the media type says whether the answer carries an access token",
        who="anybody who knows the app; without address and password a pseudo user is made",
        caller=AllowedCaller.APP,
        body=DescribedBody(
            type=accounts.SignUp,
            example={"loginName": "alice", "password": "correct horse", "displayName": "Alice"},
            media=(kii("RegistrationAndAuthorizationRequest"), kii("RegistrationRequest"), JSON),
            rules=_ADDRESS_WITH_PASSWORD,
        ),
        answers=(
            DescribedAnswer(
                201,
                answers.NewUser,
                (kii("RegistrationAndAuthorizationResponse"), kii("RegistrationResponse")),
                ("Location",),
            ),
        ),
        errors=(errors.UserAlreadyExists,),
    ),
    accounts.get: Operation(
        summary="Read a user",
        who="the user and the administrator; other users see names only, unless the app exposes all",
        answers=(DescribedAnswer(200, answers.UserAnswer, (kii("UserDataRetrievalResponse"),)),),
    ),
    account_changes.update: Operation(
        summary="Change a user: what is given is changed, the app's own fields are replaced as a whole",
        who=_OWN,
        body=DescribedBody(
            type=account_changes.UserUpdate,
            example={"displayName": "Alice in Berlin", "score": 5},
            media=(kii("UserUpdateRequest"), JSON),
        ),
        answers=(DescribedAnswer(200, answers.UserTimes, (kii("UserUpdateResponse"),)),),
        errors=(errors.UserAlreadyExists, errors.NotImplementedHere),
    ),
    account_changes.change_password: Operation(
        summary="Change a user's password; on request all other sessions end. Devices stay",
        who="the user with the old password, the administrator without it",
        body=DescribedBody(
            type=account_changes.PasswordChange,
            example={"oldPassword": "correct horse", "newPassword": "battery staple"},
            media=(kii("ChangePasswordRequest"), JSON),
        ),
        errors=(errors.WrongPassword, errors.NotAllowed),
    ),
    account_changes.change_email: Operation(
        summary="Change a user's e-mail address; it is pending while the app wants it verified",
        who=_OWN,
        body=DescribedBody(
            type=account_changes.EmailAddressChange,
            example={"emailAddress": "alice@example.com"},
            media=(kii("EmailAddressModificationRequest"), JSON),
        ),
        errors=(errors.UserAlreadyExists, errors.NotAllowed),
    ),
    account_changes.change_phone: Operation(
        summary="Change a user's phone number; it is pending while the app wants it verified",
        who=_OWN,
        body=DescribedBody(
            type=account_changes.PhoneNumberChange,
            example={"phoneNumber": "+818011112222"},
            media=(kii("PhoneNumberModificationRequest"), JSON),
        ),
        errors=(errors.UserAlreadyExists, errors.NotAllowed),
    ),
    account_deletion.delete: Operation(
        summary="Delete a user with everything that is the user's; groups of others stay", who=_OWN
    ),
    account_deletion.end_sessions: Operation(
        summary="End all sessions of a user, and uninstall the user's devices (not in Kii)",
        who=_OWN,
        query=("keepDevices",),
        errors=(errors.NotAllowed, errors.InvalidInput),
    ),
    admin_sessions.of: Operation(
        summary="List the administrator's sessions, a page at a time (not in Kii)",
        who=_ADMIN,
        query=("paginationKey",),
        answers=(DescribedAnswer(200, answers.AdminSessions),),
        errors=(errors.InvalidInput,),
    ),
    admin_sessions.end_one: Operation(
        summary="End a session of the administrator's (not in Kii)",
        who=_ADMIN,
        errors=(errors.SessionNotFound,),
    ),
    admin_sessions.end_all: Operation(
        summary="End all sessions of the administrator's, this one too (not in Kii)", who=_ADMIN
    ),
    app_parameters.read_all: Operation(
        summary="Read the app's parameters, as they hold now",
        who=_ADMIN,
        answers=(DescribedAnswer(200, answers.AppParameters),),
    ),
    app_parameters.read: Operation(
        summary="Read one of the app's parameters",
        who=_ADMIN,
        answers=(DescribedAnswer(200, bytes, ("text/plain",)),),
        errors=(errors.ParameterNotFound,),
    ),
    app_parameters.write: Operation(
        summary="Set one of the app's parameters; the body is the bare value",
        who=_ADMIN,
        body=DescribedBody(type=_VALUE, example="false", media=("text/plain",)),
        errors=(errors.ParameterNotFound, errors.NotAllowed),
    ),
}
