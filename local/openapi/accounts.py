"""Users and how they log in, described."""

from collections.abc import Mapping
from typing import Any

from fanfare.api import accounts, login
from fanfare.api.parsing import FORM
from fanfare.domain import errors
from local.openapi import answers
from local.openapi.operation import JSON, Answer, Body, Caller, Operation, Operations, kii

_ADDRESSES = ("loginName", "emailAddress", "phoneNumber")


def _given(*names: str) -> Mapping[str, Any]:
    return {"required": list(names), "properties": {name: {"type": "string"} for name in names}}


_ADDRESS_GIVEN = {"anyOf": [_given(name) for name in _ADDRESSES]}
_ADDRESS_WITH_PASSWORD = {
    "if": _ADDRESS_GIVEN,
    "then": _given("password"),
    "else": {"properties": {"password": {"type": "null"}}},
}

OPERATIONS: Operations = {
    login.token: Operation(
        summary="Log in: a user by password, the administrator by client credentials",
        who="anybody",
        caller=Caller.WITHOUT_CREDENTIALS,
        body=Body(
            type=login.TokenRequest,
            example={"username": "alice", "password": "correct horse"},
            media=(JSON, kii("OauthTokenRequest"), FORM),
        ),
        answers=(Answer(200, answers.Token),),
        errors=(errors.InvalidGrant, errors.AppNotFound, errors.NotAuthenticated, errors.NotImplementedHere),
    ),
    accounts.sign_up: Operation(
        summary="Sign up; the media type says whether the answer carries an access token",
        who="anybody who knows the app; without address and password a pseudo user is made",
        caller=Caller.APP,
        body=Body(
            type=accounts.SignUp,
            example={"loginName": "alice", "password": "correct horse", "displayName": "Alice"},
            media=(kii("RegistrationAndAuthorizationRequest"), kii("RegistrationRequest"), JSON),
            rules=_ADDRESS_WITH_PASSWORD,
        ),
        answers=(
            Answer(
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
        who="all of it: the user and the administrator; names only: every other user",
        answers=(Answer(200, answers.User, (kii("UserDataRetrievalResponse"),)),),
    ),
}
