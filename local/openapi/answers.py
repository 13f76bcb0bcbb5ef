"""The forms of the answers. The endpoints make them as they go; tests compare every answer with these."""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, defstruct, field

from fanfare.api.parsing import contract_name
from fanfare.domain.device import DeviceType
from fanfare.domain.parameters import FIXED, LIMITS, SECONDS, SWITCHES

type Milliseconds = Annotated[int, Meta(ge=0, description="Since 1970-01-01 UTC, in milliseconds")]
type UserID = Annotated[str, Meta(min_length=1)]


class Error(Struct, rename=contract_name):
    """Every error. Further facts depend on its errorCode."""

    error_code: str
    message: str
    suppressed: list[Any]


class GatewayError(Struct):
    """API Gateway's answer where it refuses a request before the server sees it."""

    message: str


class UserForOthers(Struct, rename=contract_name):
    """The part of a user that others see. The user and the administrator see all of it."""

    user_id: UserID
    login_name: str | UnsetType = UNSET
    display_name: str | UnsetType = UNSET


class UserAnswer(UserForOthers, rename=contract_name):
    """A user, with the fields that the app added."""

    internal_user_id: int | UnsetType = UNSET
    email_address: str | UnsetType = UNSET
    email_address_verified: bool | UnsetType = UNSET
    phone_number: str | UnsetType = UNSET
    phone_number_verified: bool | UnsetType = UNSET
    email_address_pending: str | UnsetType = field(default=UNSET, name="_emailAddressPending")
    phone_number_pending: str | UnsetType = field(default=UNSET, name="_phoneNumberPending")
    country: str | UnsetType = UNSET
    locale: str | UnsetType = UNSET
    has_password: bool | UnsetType = field(default=UNSET, name="_hasPassword")
    disabled: bool | UnsetType = field(default=UNSET, name="_disabled")


class NewUser(UserAnswer, rename=contract_name):
    """The user as made; the tokens where the media type of the request asked for them."""

    access_token: str | UnsetType = field(default=UNSET, name="_accessToken")
    refresh_token: str | UnsetType = field(default=UNSET, name="_refreshToken")


class UserTimes(Struct, rename=contract_name):
    modified_at: Milliseconds


AppParameters = defstruct(
    "AppParameters",
    [
        *((name.name.lower(), bool, field(name=name.value)) for name in SWITCHES),
        *((name.name.lower(), int, field(name=name.value)) for name in (*SECONDS, *LIMITS)),
        *((f"fixed_{i}", type(FIXED[name]), field(name=name)) for i, name in enumerate(FIXED)),
    ],
    namespace={"__doc__": "As they hold now, also where nothing was set."},
)


class AdminSession(Struct, rename=contract_name):
    """`until`: when it ends by itself, where it does."""

    session_id: str
    started_at: Milliseconds
    current: Annotated[bool, Meta(description="It is the one that asks")]
    until: Milliseconds | UnsetType = UNSET


class AdminSessions(Struct, rename=contract_name):
    sessions: list[AdminSession]
    pagination_key: str | UnsetType = UNSET


class Token(Struct):
    id: Annotated[str, Meta(description="The user's ID; admin or anonymous for others")]
    access_token: str
    expires_in: Annotated[int, Meta(ge=0, description="Seconds; 2147483647 says never")]
    token_type: str
    refresh_token: str | UnsetType = UNSET


class NewInstallation(Struct, rename=contract_name):
    installation_id: str
    installation_registration_id: str


class InstallationAnswer(NewInstallation, rename=contract_name):
    """A device token and its owner."""

    device_type: DeviceType
    installation_type: DeviceType
    user_id: UserID
    development: bool
    network: Literal["FCM", "APNS"]
    bundle_id: str | UnsetType = UNSET


class Installations(Struct):
    installations: list[InstallationAnswer]


class TopicName(Struct, rename=contract_name):
    topic_id: str


class Topics(Struct, rename=contract_name):
    topics: list[TopicName]
    pagination_key: Annotated[str, Meta(description="Of the next page; missing on the last")] | UnsetType = (
        UNSET
    )


class BucketAnswer(Struct, rename=contract_name):
    bucket_type: str
    size: Annotated[int, Meta(ge=0)]
    size_at_least: Annotated[bool, Meta(description="`size` is as far as was counted")] | UnsetType = UNSET


class Queried(Struct, rename="camel"):
    """A page of objects, or how many there are."""

    query_description: str
    results: list["ObjectAnswer"]
    next_pagination_key: (
        Annotated[str, Meta(pattern="^[A-Za-z0-9_-]+$", description="Of the next page; missing on the last")]
        | UnsetType
    ) = UNSET
    aggregations: (
        Annotated[dict[str, int], Meta(description="The count, by the name that was asked for")] | UnsetType
    ) = UNSET


class BodyTimes(Struct, rename=contract_name):
    modified_at: Milliseconds


class NewObject(Struct, rename=contract_name):
    object_id: str
    created_at: Milliseconds
    data_type: str
    modified_at: Milliseconds | UnsetType = UNSET


class ObjectTimes(Struct, rename=contract_name):
    modified_at: Milliseconds
    created_at: Milliseconds | UnsetType = UNSET


class ObjectAnswer(Struct):
    """The object, with the server's additions."""

    id: str = field(name="_id")
    created: Milliseconds = field(name="_created")
    modified: Milliseconds = field(name="_modified")
    data_type: str = field(name="_dataType")
    version: str = field(name="_version")
    owner: UserID | UnsetType = field(default=UNSET, name="_owner")


class NewMessage(Struct, rename=contract_name):
    push_message_id: str


class Deliveries(Struct):
    done: int
    dead: int
    total: int | UnsetType = UNSET


class FailureAnswer(Struct, rename=contract_name):
    installation_id: str
    outcome: str
    reason: str


class MessageStatus(Struct, rename=contract_name):
    """The results of a send: deliveries given up by reason, devices by outcome, failures up to a bound."""

    push_message_id: str
    sent_at: Milliseconds
    state: Annotated[str, Meta(pattern="^(accepted|sending|ended|given_up)$")]
    deliveries: Deliveries
    given_up: dict[str, int]
    devices: dict[str, int]
    failures: list[FailureAnswer]


class GroupAnswer(Struct, rename=contract_name):
    group_id: str
    name: str
    owner: UserID | UnsetType = UNSET


class Groups(Struct, rename=contract_name):
    groups: list[GroupAnswer]
    pagination_key: str | UnsetType = UNSET


class NewGroup(Struct, rename=contract_name):
    group_id: str
    not_found_users: list[str]


class Member(Struct, rename=contract_name):
    user_id: UserID


class Members(Struct, rename=contract_name):
    members: list[Member]
    pagination_key: str | UnsetType = UNSET
