"""Who may do what: the rights that Kii gives by default, by scope. The administrator may do everything."""

from enum import StrEnum

from fanfare.domain.caller import Caller, Role
from fanfare.domain.errors import NotPermitted
from fanfare.domain.object import Object
from fanfare.domain.scope import Scope


class Right(StrEnum):
    """Kii's verbs, and DELETE_TOPIC, which Kii grants without a verb."""

    CREATE_NEW_TOPIC = "CREATE_NEW_TOPIC"
    DELETE_TOPIC = "DELETE_TOPIC"
    SUBSCRIBE_TO_TOPIC = "SUBSCRIBE_TO_TOPIC"
    SEND_MESSAGE_TO_TOPIC = "SEND_MESSAGE_TO_TOPIC"
    CREATE_NEW_BUCKET = "CREATE_NEW_BUCKET"
    CREATE_OBJECTS_IN_BUCKET = "CREATE_OBJECTS_IN_BUCKET"
    QUERY_OBJECTS_IN_BUCKET = "QUERY_OBJECTS_IN_BUCKET"
    READ_OBJECTS_IN_BUCKET = "READ_OBJECTS_IN_BUCKET"
    DROP_BUCKET_WITH_ALL_CONTENT = "DROP_BUCKET_WITH_ALL_CONTENT"


_ANY_USER_IN_APP_SCOPE = {
    Right.SUBSCRIBE_TO_TOPIC,
    Right.CREATE_NEW_BUCKET,
    Right.CREATE_OBJECTS_IN_BUCKET,
    Right.QUERY_OBJECTS_IN_BUCKET,
    Right.READ_OBJECTS_IN_BUCKET,
    Right.DROP_BUCKET_WITH_ALL_CONTENT,
}
_ANYBODY_IN_APP_SCOPE = {Right.QUERY_OBJECTS_IN_BUCKET, Right.READ_OBJECTS_IN_BUCKET}


def permits(caller: Caller, right: Right, scope: Scope) -> bool:
    """Whether the scope's defaults give the caller the right; in a user's scope the user has them all."""
    if caller.app != scope.app:
        return False
    match caller.role:
        case Role.ADMIN:
            return True
        case Role.USER if scope.user is not None:
            return caller.user == scope.user
        case Role.USER if scope.group is None:
            return right in _ANY_USER_IN_APP_SCOPE
        case Role.ANONYMOUS if scope.user is None and scope.group is None:
            return right in _ANYBODY_IN_APP_SCOPE
        case _:
            return False


def require(caller: Caller, right: Right, scope: Scope) -> None:
    """Raises NotPermitted."""
    if not permits(caller, right, scope):
        raise not_permitted(caller, f"{right} is needed")


def require_writer(caller: Caller, found: Object) -> None:
    """Changing an object is for its owner, the scope's user and the administrator; raises NotPermitted."""
    writers = {found.owner, found.bucket.scope.user} - {None}
    if not caller.is_admin and caller.user not in writers:
        raise not_permitted(caller, "WRITE_EXISTING_OBJECT is needed")


def require_self(caller: Caller, user: str) -> None:
    """What is a user's own is for the user and the administrator; raises NotPermitted."""
    if not caller.is_admin and caller.user != user:
        raise not_permitted(caller, "this belongs to another user")


def require_admin(caller: Caller) -> None:
    """Raises NotPermitted."""
    if not caller.is_admin:
        raise not_permitted(caller, "this is for the app's administrator")


def not_permitted(caller: Caller, why: str) -> NotPermitted:
    return NotPermitted(why, authenticatedAppID=caller.app, authenticatedPrincipalID=caller.user)
