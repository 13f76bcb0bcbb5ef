"""The errors that a caller of the API can get.

FanfareError
├── InvalidInput            the request breaks a rule of the contract
│   ├── InvalidJson         its body is not a JSON object
│   └── QueryNotSupported   a query of a kind or a size that this server does not do
├── NotAuthenticated        no valid credentials
│   ├── WrongToken          a bearer token that is unknown, expired or revoked
│   ├── WrongRefreshToken   a refresh token that is unknown, used or revoked
│   ├── WrongPassword       the old password, at a change, is not the password
│   └── InvalidGrant        a login that fails
├── NotPermitted            authenticated, but without the right
├── NotAllowed              the caller has the right, but the present state forbids the change
├── NotFound                AppNotFound, UserNotFound, GroupNotFound, InstallationNotFound, TopicNotFound,
│                           BucketNotFound, ObjectNotFound, SubscriptionNotFound, FilterNotFound,
│                           MessageNotFound, GrantNotFound, ObjectBodyNotFound,
│                           ParameterNotFound, SessionNotFound
├── AlreadyExists           UserAlreadyExists, GroupAlreadyExists, GrantAlreadyExists, TopicAlreadyExists,
│                           BucketAlreadyExists, ObjectAlreadyExists, SubscriptionAlreadyExists
├── StaleVersion            If-Match names a version that is no longer the object's
├── TooManyRequests         a limit is used up; `retryAfter` gives the seconds until it is not
├── MethodNotAllowed        the path exists, but not with this method; `allow` lists its methods
├── NotImplementedHere      a part of Kii that this server does not have
└── Busy                    too many writers at once; trying again will help

Each carries `details`, the contract's extra fields of the error body. Its status and errorCode stand in
api/error_answers.py.
"""


class FanfareError(Exception):
    def __init__(self, message: str, **details: object) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class InvalidInput(FanfareError):
    pass


class InvalidJson(InvalidInput):
    pass


class QueryNotSupported(InvalidInput):
    pass


class NotAuthenticated(FanfareError):
    pass


class WrongToken(NotAuthenticated):
    pass


class WrongRefreshToken(NotAuthenticated):
    pass


class WrongPassword(NotAuthenticated):
    pass


class InvalidGrant(NotAuthenticated):
    pass


class NotPermitted(FanfareError):
    pass


class NotAllowed(FanfareError):
    pass


class NotFound(FanfareError):
    pass


class AppNotFound(NotFound):
    pass


class ParameterNotFound(NotFound):
    pass


class GroupNotFound(NotFound):
    pass


class GrantNotFound(NotFound):
    pass


class SessionNotFound(NotFound):
    pass


class UserNotFound(NotFound):
    pass


class InstallationNotFound(NotFound):
    pass


class TopicNotFound(NotFound):
    pass


class BucketNotFound(NotFound):
    pass


class ObjectNotFound(NotFound):
    pass


class ObjectBodyNotFound(NotFound):
    pass


class SubscriptionNotFound(NotFound):
    pass


class FilterNotFound(NotFound):
    pass


class MessageNotFound(NotFound):
    pass


class AlreadyExists(FanfareError):
    pass


class UserAlreadyExists(AlreadyExists):
    pass


class GroupAlreadyExists(AlreadyExists):
    pass


class GrantAlreadyExists(AlreadyExists):
    pass


class TopicAlreadyExists(AlreadyExists):
    pass


class BucketAlreadyExists(AlreadyExists):
    pass


class ObjectAlreadyExists(AlreadyExists):
    pass


class SubscriptionAlreadyExists(AlreadyExists):
    pass


class StaleVersion(FanfareError):
    pass


class TooManyRequests(FanfareError):
    pass


class MethodNotAllowed(FanfareError):
    pass


class NotImplementedHere(FanfareError):
    pass


class Busy(FanfareError):
    pass
