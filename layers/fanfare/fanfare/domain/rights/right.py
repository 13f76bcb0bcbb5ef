"""The rights, and the checks that need no list: a user's own things, and the administrator."""

from enum import StrEnum

from fanfare.domain.errors import NotPermitted
from fanfare.domain.rights.caller import Caller


class Right(StrEnum):
    """Kii's verbs."""

    CREATE_NEW_TOPIC = "CREATE_NEW_TOPIC"
    SUBSCRIBE_TO_TOPIC = "SUBSCRIBE_TO_TOPIC"
    SEND_MESSAGE_TO_TOPIC = "SEND_MESSAGE_TO_TOPIC"
    CREATE_NEW_BUCKET = "CREATE_NEW_BUCKET"
    CREATE_OBJECTS_IN_BUCKET = "CREATE_OBJECTS_IN_BUCKET"
    QUERY_OBJECTS_IN_BUCKET = "QUERY_OBJECTS_IN_BUCKET"
    READ_OBJECTS_IN_BUCKET = "READ_OBJECTS_IN_BUCKET"
    DROP_BUCKET_WITH_ALL_CONTENT = "DROP_BUCKET_WITH_ALL_CONTENT"
    READ_EXISTING_OBJECT = "READ_EXISTING_OBJECT"
    WRITE_EXISTING_OBJECT = "WRITE_EXISTING_OBJECT"


def require_self(caller: Caller, user: str) -> None:
    """Raise NotPermitted unless the caller is this user or the administrator."""
    if not caller.is_admin and caller.user != user:
        raise not_permitted(caller, "this belongs to another user; ask as that user, or as the administrator")


def require_admin(caller: Caller) -> None:
    """Raise NotPermitted unless the caller is the administrator."""
    if not caller.is_admin:
        raise not_permitted(
            caller, "this is for the app's administrator; log in with the app's client ID and secret"
        )


def not_signed_in(caller: Caller) -> NotPermitted:
    return not_permitted(
        caller, "this is for signed-in users; log in and send the header Authorization: Bearer {access token}"
    )


def not_permitted(caller: Caller, why: str) -> NotPermitted:
    return NotPermitted(why, authenticatedAppID=caller.app, authenticatedPrincipalID=caller.user)
