"""FCM's answers, HTTP v1: the first fitting rule decides. docs/reference/outcomes.md lists them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fanfare.domain.outcome.answer import Answer, Context, objects
from fanfare.domain.outcome.consequence import (
    Outcome,
    PurgeTarget,
    alarm,
    delivered,
    drop,
    fresh,
    purge,
    refused,
    retry,
    suspect,
)

BASE_DELAY_S = 10
QUOTA_DELAY_S = 60
_MOST_DOUBLINGS = 30  # keeps the delay a number that means something; a push has expired long before

_DEAD = frozenset({"Unregistered", "ExpiredToken"})
_DOUBTED_BY_APPLE = frozenset({"BadDeviceToken", "DeviceTokenNotForTopic"})
_CONFIGURED_TOPIC = frozenset({"BadTopic", "TopicDisallowed"})
_TARGET_FIELDS = frozenset({"message.token", "message.fid"})


@dataclass(frozen=True, slots=True)
class _Seen:
    """An answer of FCM taken apart; what is missing or has another shape is empty."""

    status: int
    is_json: bool
    status_word: str
    message: str
    fcm_errors: frozenset[str]
    apns_errors: frozenset[str]
    blamed_fields: frozenset[str]
    """The fields that BadRequest names; "" for a violation without one."""
    retry_after_s: int | None
    context: Context

    @property
    def reason(self) -> str:
        named = sorted(self.apns_errors - {""}) or sorted(self.fcm_errors - {""}) or [self.status_word]
        return named[0] or f"http_{self.status}"

    @property
    def dead(self) -> PurgeTarget:
        # Behind FCM it is Apple that judges the Live Activity token, never the registration.
        live = self.context.live_activity and bool(self.apns_errors)
        return PurgeTarget.LIVE_ACTIVITY_TOKEN if live else PurgeTarget.DEVICE_TOKEN

    @property
    def text_blames_token(self) -> bool:
        """The wording is not part of any contract, so it counts only where nothing else is said."""
        return "INVALID_ARGUMENT" in self.fcm_errors and "registration token" in self.message.lower()


def judge(answer: Answer, context: Context) -> Outcome:
    if answer.status == 200:
        return delivered()
    return _first(_RULES, _take_apart(answer, context))


def _take_apart(answer: Answer, context: Context) -> _Seen:
    document = answer.document()
    error = _object(_object(document).get("error"))
    details = objects(error.get("details"))
    requests = _of_type(details, "google.rpc.BadRequest")
    violations = [violation for request in requests for violation in objects(request.get("fieldViolations"))]
    return _Seen(
        status=answer.status,
        is_json=document is not None,
        status_word=_text(error.get("status")),
        message=_text(error.get("message")),
        fcm_errors=_words(_of_type(details, "google.firebase.fcm.v1.FcmError"), "errorCode"),
        apns_errors=_words(_of_type(details, "google.firebase.fcm.v1.ApnsError"), "reason"),
        blamed_fields=_words(violations, "field"),
        retry_after_s=answer.retry_after_s(context.now_s),
        context=context,
    )


def _of_type(details: list[Mapping[str, object]], name: str) -> list[Mapping[str, object]]:
    return [detail for detail in details if _text(detail.get("@type")).rpartition("/")[2] == name]


def _words(items: list[Mapping[str, object]], key: str) -> frozenset[str]:
    return frozenset(_text(item.get(key)) for item in items)


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _doubtful(reason: str, seen: _Seen) -> Outcome:
    return suspect(reason, target=seen.dead, told_by_apple=bool(seen.apns_errors))


def _unregistered(seen: _Seen) -> Outcome:
    """Certain for a device token. A bare installation ID may as well be one of another project."""
    if seen.context.bare_installation_id:
        return _doubtful("UNREGISTERED", seen)
    return purge("UNREGISTERED", target=seen.dead)


def _quota(seen: _Seen) -> Outcome:
    asked = seen.retry_after_s
    return retry(seen.reason, QUOTA_DELAY_S if asked is None else max(asked, BASE_DELAY_S))


def _unauthenticated(seen: _Seen) -> Outcome:
    return fresh(seen.reason) if seen.context.credential_attempt < 2 else refused(seen.reason)


def _third_party(seen: _Seen) -> Outcome:
    """Apple refuses the key that Firebase has of us; its own word says why, where it is told."""
    return alarm(min(seen.apns_errors, default="THIRD_PARTY_AUTH_ERROR"), whole_lane=False)


def _server_error(seen: _Seen) -> Outcome:
    doublings = min(max(seen.context.attempt - 1, 0), _MOST_DOUBLINGS)
    asked = seen.retry_after_s
    return retry(seen.reason, BASE_DELAY_S * 2**doublings if asked is None else asked)


type _Rule = tuple[Callable[[_Seen], bool], Callable[[_Seen], Outcome]]


def _first(rules: tuple[_Rule, ...], seen: _Seen) -> Outcome:
    return next(consequence(seen) for applies, consequence in rules if applies(seen))


_BAD_REQUEST_RULES: tuple[_Rule, ...] = (
    (lambda s: bool(s.apns_errors & _DEAD), lambda s: purge(s.reason, target=s.dead)),
    (lambda s: bool(s.apns_errors & _DOUBTED_BY_APPLE), lambda s: _doubtful(s.reason, s)),
    (lambda s: bool(s.apns_errors & _CONFIGURED_TOPIC), lambda s: alarm(s.reason, whole_lane=False)),
    (lambda s: bool(s.apns_errors), lambda s: drop(s.reason)),
    (
        lambda s: bool(s.blamed_fields) and s.blamed_fields <= _TARGET_FIELDS,
        lambda s: _doubtful("token_field", s),
    ),
    (lambda s: bool(s.blamed_fields), lambda s: drop("payload_field")),
    (lambda s: s.text_blames_token, lambda s: _doubtful("token_text", s)),
    (lambda s: True, lambda s: drop(s.reason)),
)

_RULES: tuple[_Rule, ...] = (
    (lambda s: "THIRD_PARTY_AUTH_ERROR" in s.fcm_errors, _third_party),
    (lambda s: "UNREGISTERED" in s.fcm_errors, _unregistered),
    (lambda s: "SENDER_ID_MISMATCH" in s.fcm_errors, lambda s: _doubtful(s.reason, s)),
    (lambda s: s.status == 429, _quota),
    (lambda s: s.status == 401, _unauthenticated),
    (lambda s: s.status == 403, lambda s: refused(s.reason)),
    (lambda s: s.status == 404 and s.is_json, lambda s: refused(s.reason)),
    (lambda s: s.status == 404, lambda s: retry("not_from_fcm", QUOTA_DELAY_S)),
    (lambda s: s.status == 408, lambda s: retry(s.reason, BASE_DELAY_S)),
    (lambda s: s.status == 400, lambda s: _first(_BAD_REQUEST_RULES, s)),
    (lambda s: s.status >= 500, _server_error),
    (lambda s: True, lambda s: drop(s.reason)),
)
