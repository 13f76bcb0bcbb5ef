"""Translate an error into the contract's answer: the one table of statuses and errorCodes."""

from dataclasses import dataclass

from aws_lambda_powertools.event_handler.api_gateway import Response

from fanfare.api import answers
from fanfare.domain import errors
from fanfare.domain.errors import FanfareError
from fanfare.runtime import logs
from fanfare.store import aws_failures


@dataclass(frozen=True, slots=True)
class Form:
    """The form of an error: HTTP status, Kii's errorCode, and the exception's name in the media type."""

    status: int
    code: str
    name: str

    @property
    def media_type(self) -> str:
        return answers.kii_media_type(self.name)


_FORMS: dict[type[FanfareError], Form] = {
    errors.InvalidInput: Form(400, "INVALID_INPUT_DATA", "ValidationException"),
    errors.InvalidJson: Form(400, "INVALID_JSON", "ValidationException"),
    errors.QueryNotSupported: Form(400, "QUERY_NOT_SUPPORTED", "QueryNotSupportedException"),
    errors.NotAuthenticated: Form(401, "UNAUTHORIZED", "UnauthorizedAccessException"),
    errors.WrongToken: Form(403, "WRONG_TOKEN", "WrongTokenException"),
    errors.WrongRefreshToken: Form(403, "WRONG_REFRESH_TOKEN", "WrongRefreshTokenException"),
    errors.WrongPassword: Form(401, "WRONG_PASSWORD", "WrongPasswordException"),
    errors.InvalidGrant: Form(400, "invalid_grant", "OAuthException"),
    errors.NotPermitted: Form(401, "UNAUTHORIZED", "UnauthorizedAccessException"),
    errors.NotAllowed: Form(409, "OPERATION_NOT_ALLOWED", "OperationNotAllowedException"),
    errors.NotFound: Form(404, "NOT_FOUND", "NotFoundException"),
    errors.AppNotFound: Form(404, "APP_NOT_FOUND", "AppNotFoundException"),
    errors.ParameterNotFound: Form(
        404, "APP_CONFIG_PARAMETER_NOT_FOUND", "AppConfigParameterNotFoundException"
    ),
    errors.SessionNotFound: Form(404, "SESSION_NOT_FOUND", "SessionNotFoundException"),
    errors.UserNotFound: Form(404, "USER_NOT_FOUND", "UserNotFoundException"),
    errors.GroupNotFound: Form(404, "GROUP_NOT_FOUND", "GroupNotFoundException"),
    errors.GrantNotFound: Form(404, "ACL_NOT_FOUND", "ACLNotFoundException"),
    errors.InstallationNotFound: Form(404, "INSTALLATION_NOT_FOUND", "InstallationNotFoundException"),
    errors.TopicNotFound: Form(404, "TOPIC_NOT_FOUND", "TopicNotFoundException"),
    errors.BucketNotFound: Form(404, "BUCKET_NOT_FOUND", "BucketNotFoundException"),
    errors.ObjectNotFound: Form(404, "OBJECT_NOT_FOUND", "ObjectNotFoundException"),
    errors.ObjectBodyNotFound: Form(404, "OBJECT_BODY_NOT_FOUND", "ObjectBodyNotFoundException"),
    errors.SubscriptionNotFound: Form(
        404, "PUSH_SUBSCRIPTION_NOT_FOUND", "PushSubscriptionNotFoundException"
    ),
    errors.FilterNotFound: Form(404, "FILTER_NOT_FOUND", "FilterNotFoundException"),
    errors.MessageNotFound: Form(404, "PUSH_MESSAGE_NOT_FOUND", "PushMessageNotFoundException"),
    errors.AlreadyExists: Form(409, "OPERATION_NOT_ALLOWED", "OperationNotAllowedException"),
    errors.UserAlreadyExists: Form(409, "USER_ALREADY_EXISTS", "UserAlreadyExistsException"),
    errors.GroupAlreadyExists: Form(409, "GROUP_ALREADY_EXISTS", "GroupAlreadyExistsException"),
    errors.GrantAlreadyExists: Form(409, "ACL_ALREADY_EXISTS", "ACLAlreadyExistsException"),
    errors.TopicAlreadyExists: Form(409, "TOPIC_ALREADY_EXISTS", "TopicAlreadyExistsException"),
    errors.BucketAlreadyExists: Form(409, "BUCKET_ALREADY_EXISTS", "BucketAlreadyExistsException"),
    errors.ObjectAlreadyExists: Form(409, "OBJECT_ALREADY_EXISTS", "ObjectAlreadyExistsException"),
    errors.SubscriptionAlreadyExists: Form(
        409, "PUSH_SUBSCRIPTION_ALREADY_EXISTS", "PushSubscriptionAlreadyExistsException"
    ),
    errors.StaleVersion: Form(409, "OBJECT_VERSION_IS_STALE", "ObjectVersionIsStaleException"),
    errors.TooManyRequests: Form(429, "TOO_MANY_REQUESTS", "TooManyRequestsException"),
    errors.MethodNotAllowed: Form(405, "METHOD_NOT_ALLOWED", "MethodNotAllowedException"),
    errors.NotImplementedHere: Form(501, "OPERATION_NOT_IMPLEMENTED", "OperationNotImplementedException"),
    errors.Busy: Form(503, "RESOURCE_TEMPORARILY_UNAVAILABLE", "ResourceTemporarilyUnavailableException"),
}
_HEADERS = {"allow": "Allow", "retryAfter": "Retry-After"}
"""Details that are sent as headers, too."""

AGAIN_S = 5
"""Seconds until a request that was answered 503 should be repeated."""

UNEXPECTED = Form(500, "UNDEFINED_ERROR", "UndefinedException")


def form_of(error: type[FanfareError]) -> Form:
    return next(_FORMS[ancestor] for ancestor in error.__mro__ if ancestor in _FORMS)


def answer(error: Exception, request_id: str, route: str) -> Response[str]:
    """Return the answer. Unexpected errors are logged, with the route only: a path may hold a device
    token."""
    if isinstance(error, FanfareError):
        form = form_of(type(error))
        again = {"retryAfter": AGAIN_S} if form.status == 503 else {}
        return _told(form, error.message, again | error.details)
    where = {"request_id": request_id, "route": route}
    if aws_failures.is_transient(error):
        logs.logger().warning("AWS did not answer", exc_info=error, extra=where)
        return _told(form_of(errors.Busy), "the server is overloaded; try again", {"retryAfter": AGAIN_S})
    logs.logger().error("unexpected", exc_info=error, extra=where)
    return _told(
        UNEXPECTED,
        f"something went wrong on the server; try again, or tell the operator the request {request_id}",
        {},
    )


def _told(form: Form, message: str, details: dict[str, object]) -> Response[str]:
    given = {name: value for name, value in details.items() if value is not None}
    body = {"errorCode": form.code, "message": message, "suppressed": [], **given}
    headers = {header: str(given[name]) for name, header in _HEADERS.items() if name in given}
    return answers.document(form.status, body, form.name, headers)
