"""Sign-up, and the views of a user."""

from dataclasses import replace
from secrets import token_bytes, token_hex
from typing import Annotated

from aws_lambda_powertools.event_handler.api_gateway import Response
from msgspec import Meta, Raw

from fanfare.api import addressing, answers, authentication, limits, parsing, passwords, sessions
from fanfare.api.request import Authenticating, Request
from fanfare.domain import user
from fanfare.domain.errors import AppNotFound, InvalidInput
from fanfare.domain.parameters import Parameter, Parameters
from fanfare.domain.rights.caller import Caller, Role
from fanfare.store import accounts, apps
from fanfare.store.accounts import User

CUSTOM_LIMIT = 63 * 1024
"""Maximum size in bytes of the JSON of all fields that an app adds to a user."""

_AND_LOG_IN = "application/vnd.kii.registrationandauthorizationrequest+json"


type LoginName = Annotated[
    str,
    Meta(
        pattern=user.LOGIN_NAME,
        max_length=64,
        description="3 to 64 letters, digits, dots, hyphens and underscores",
    ),
]
type EmailAddress = Annotated[
    str, Meta(pattern=user.EMAIL, max_length=254, description="an e-mail address such as ann@example.com")
]
type PhoneNumber = Annotated[
    str,
    Meta(
        pattern=user.PHONE_OR_LOCAL,
        max_length=32,
        description="a phone number: a plus sign and 6 to 15 digits (+818011112222), or a local one",
    ),
]
"""International, or local to the user's country."""
type Password = Annotated[
    str, Meta(pattern=user.PASSWORD, max_length=50, description="4 to 50 printable ASCII characters")
]
type DisplayName = Annotated[str, Meta(min_length=1, max_length=50)]
type Country = Annotated[str, Meta(pattern=user.COUNTRY, max_length=2, description="two letters, such as JP")]
type Locale = Annotated[str, Meta(max_length=64)]


class SignUp(parsing.Open, rename=parsing.contract_name):
    login_name: LoginName | None = None
    email_address: EmailAddress | None = None
    phone_number: PhoneNumber | None = None
    password: Password | None = None
    display_name: DisplayName | None = None
    country: Country | None = None
    locale: Locale | None = None
    email_address_verified: bool | None = None
    phone_number_verified: bool | None = None

    @property
    def has_address(self) -> bool:
        return (self.login_name or self.email_address or self.phone_number) is not None


_SERVERS_OWN = {
    *SignUp.__struct_encode_fields__,
    *("userID", "internalUserID"),
}


def sign_up(request: Request[Authenticating]) -> Response[str]:
    """Sign a user up. Kii's media type decides if the answer has an access token; a pseudo user needs one."""
    caller = authentication.authenticate(request)
    log_in = request.content_type == _AND_LOG_IN
    parameters = parameters_of(request)
    given = parsing.document(request, SignUp)
    new = _new_user(request, caller, given, parameters)
    if not log_in and new.is_pseudo:
        raise InvalidInput(
            "loginName, emailAddress or phoneNumber is missing: send one of them "
            "with a password; or, for a pseudo user, "
            "send the body as application/vnd.kii.RegistrationAndAuthorizationRequest+json"
        )
    holder = Caller(caller.app, Role.USER, new.id)
    begun = sessions.begin(holder, parameters, None, request.now, pseudo=new.is_pseudo) if log_in else None
    limits.take_new_user(request, caller)
    if given.password is not None:
        # Hash late, because it costs the most: only a sign-up that is valid gets here.
        new = replace(new, password_hash=passwords.hashed(given.password))
    accounts.register(new, None if begun is None else begun.session)
    view = full_view(new)
    if begun is not None:
        view["_accessToken"] = sessions.token(begun.session, Role.USER, request)
        if begun.refresh is not None:
            view["_refreshToken"] = str(begun.refresh)
    kind = "RegistrationAndAuthorizationResponse" if log_in else "RegistrationResponse"
    headers = request.location(f"users/{new.id}") | ({} if begun is None else answers.NOT_STORED)
    return answers.document(201, view, kind, headers)


def get(request: Request[Authenticating]) -> Response[str]:
    """Answer with the whole user for the user and the administrator; others see names, unless the app exposes
    all."""
    caller = authentication.authenticate(request)
    found = addressing.user(caller, request.parameters["user"])
    whole = caller.is_admin or caller.user == found.id or parameters_of(request).value(Parameter.EXPOSE_USERS)
    view = full_view(found) if whole else _view_for_others(found)
    return answers.document(200, view, "UserDataRetrievalResponse")


def parameters_of(request: Request[Authenticating]) -> Parameters:
    """Return the app's parameters as they are now, since a change takes effect at once. Raises
    AppNotFound."""
    app = apps.current(request.app, request.now)
    if app is None:
        raise AppNotFound("the app does not exist; correct the app ID in the path", appID=request.app)
    return app.settings


def custom_fields(request: Request[Authenticating]) -> str:
    """Return the JSON text of the fields that the app added; raises InvalidInput."""
    given = parsing.fields(request)
    custom = parsing.encoded({name: value for name, value in given.items() if name not in _SERVERS_OWN})
    if len(custom.encode()) > CUSTOM_LIMIT:
        raise InvalidInput(
            f"the fields that you added have {len(custom.encode())} bytes together; "
            f"send at most {CUSTOM_LIMIT}"
        )
    return custom


def with_email(found: User, text: str, parameters: Parameters, *, verified: bool) -> User:
    """Return the user with this e-mail address; it is pending if the app requires verification and it lacks
    one."""
    if verified or not parameters.value(Parameter.VERIFY_EMAIL):
        return replace(found, email=text, pending_email=None)
    return replace(found, pending_email=None if text == found.email else text)


def with_phone(found: User, text: str, parameters: Parameters, *, verified: bool) -> User:
    """Return the user with this phone number, under the same rule as `with_email`."""
    if verified or not parameters.value(Parameter.VERIFY_PHONE):
        return replace(found, phone=text, pending_phone=None)
    return replace(found, pending_phone=None if text == found.phone else text)


def international(number: str, country: str | None) -> str:
    """Return the phone number in stored form, with + and the country's code. Raises InvalidInput."""
    found = user.phone_number(number, country)
    if found is None:
        raise InvalidInput(
            f"phoneNumber: {'not a number of the country' if country else 'a local number needs a country'}; "
            "send country (such as JP) with a local number, or + and the country's code before the number"
        )
    return found


def require_address(changed: User) -> None:
    """Raise InvalidInput for a user with a password and no address to log in with; a pending one is none."""
    if not changed.is_pseudo and not any(changed.addresses):
        raise InvalidInput(
            "loginName: this field is missing; send one, as other addresses cannot "
            "be logged in with until verified"
        )


def _new_user(
    request: Request[Authenticating], caller: Caller, given: SignUp, parameters: Parameters
) -> User:
    """Return the user to be created, without a hash of its password."""
    if given.has_address != (given.password is not None):
        raise InvalidInput(
            "password: it goes together with loginName, emailAddress or phoneNumber; send both or neither"
        )
    new = User(
        app=caller.app,
        id=user.user_id(token_bytes(user.ID_RANDOM_BYTES)),
        created_at=request.now,
        modified_at=request.now,
        login_name=given.login_name,
        display_name=given.display_name,
        country=given.country,
        locale=given.locale,
        custom=custom_fields(request),
        mark=token_hex(8),
    )
    if given.email_address is not None:
        verified = caller.is_admin and given.email_address_verified is True
        new = with_email(new, given.email_address, parameters, verified=verified)
    if given.phone_number is not None:
        verified = caller.is_admin and given.phone_number_verified is True
        number = international(given.phone_number, given.country)
        new = with_phone(new, number, parameters, verified=verified)
    if given.password is not None:
        new = replace(new, password_hash=passwords.NOT_HASHED)
    require_address(new)
    return new


def full_view(found: User) -> dict[str, object]:
    """Return the view of a user for the user and the administrator, the same at sign-up and later."""
    custom: dict[str, Raw] = parsing.raw_fields(found.custom)
    email, phone = found.email or found.pending_email, found.phone or found.pending_phone
    given = {
        "loginName": found.login_name,
        "emailAddress": email,
        "emailAddressVerified": None if email is None else found.email is not None,
        "_emailAddressPending": found.pending_email if found.email else None,
        "phoneNumber": phone,
        "phoneNumberVerified": None if phone is None else found.phone is not None,
        "_phoneNumberPending": found.pending_phone if found.phone else None,
        "displayName": found.display_name,
        "country": found.country,
        "locale": found.locale,
    }
    return {
        **custom,
        "userID": found.id,
        "internalUserID": user.internal_id(found.id),
        **{name: value for name, value in given.items() if value is not None},
        "_hasPassword": found.password_hash is not None,
        "_disabled": False,
    }


def _view_for_others(found: User) -> dict[str, object]:
    view = {"userID": found.id, "loginName": found.login_name, "displayName": found.display_name}
    return {name: value for name, value in view.items() if value is not None}
