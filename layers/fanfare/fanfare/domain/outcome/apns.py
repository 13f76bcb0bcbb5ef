"""APNs' answers, for devices and broadcast channels: the first fitting rule decides.

docs/reference/outcomes.md lists them.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from fanfare.domain.outcome.answer import Answer, Context, whole_number
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

NOT_FROM_APNS_DELAY_S = 60
REGISTERED_AGAIN_DELAY_S = 60
THROTTLED_DELAY_S = 60
IDLE_DELAY_S = 1
SERVER_ERROR_DELAY_S = 900

_STALE_CREDENTIAL = frozenset({"ExpiredProviderToken", "UnrelatedKeyIdInToken"})


@dataclass(frozen=True, slots=True)
class _Seen:
    """An answer of APNs taken apart; an empty reason means that APNs did not write it."""

    status: int
    reason: str
    died_at_ms: int | None
    retry_after_s: int | None
    context: Context

    @property
    def dead(self) -> PurgeTarget:
        return PurgeTarget.LIVE_ACTIVITY_TOKEN if self.context.live_activity else PurgeTarget.DEVICE_TOKEN

    @property
    def registered_again(self) -> bool:
        registered = self.context.registered_at_ms
        return registered is not None and self.died_at_ms is not None and registered > self.died_at_ms


def judge(answer: Answer, context: Context) -> Outcome:
    return delivered() if answer.status == 200 else _first(_RULES, _take_apart(answer, context))


def judge_broadcast(answer: Answer, context: Context) -> Outcome:
    """An answer of the channel management or of a publication to a channel."""
    if answer.status in (200, 201, 204):
        return delivered()
    return _first((*_BROADCAST_RULES, *_RULES), _take_apart(answer, context))


def _take_apart(answer: Answer, context: Context) -> _Seen:
    document = answer.document()
    body = document if isinstance(document, dict) else {}
    reason = body.get("reason")
    return _Seen(
        status=answer.status,
        reason=reason if isinstance(reason, str) else "",
        died_at_ms=whole_number(body.get("timestamp")),
        retry_after_s=answer.retry_after_s(context.now_s),
        context=context,
    )


def _gone(seen: _Seen) -> Outcome:
    if seen.registered_again:
        again = retry("registered_again", REGISTERED_AGAIN_DELAY_S)
        return replace(again, of_device=True, outlived=True)
    return purge(seen.reason, target=seen.dead, proof_at_ms=seen.died_at_ms)


def _stale_credential(seen: _Seen) -> Outcome:
    if seen.context.credential_attempt >= 2:
        return refused(seen.reason)
    return fresh(seen.reason, new_connection=seen.reason == "UnrelatedKeyIdInToken")


def _throttled(seen: _Seen) -> Outcome:
    asked = seen.retry_after_s
    again = retry(seen.reason, THROTTLED_DELAY_S if asked is None else asked)
    return replace(again, of_device=seen.reason == "TooManyRequests")


type _Rule = tuple[Callable[[_Seen], bool], Callable[[_Seen], Outcome]]


def _first(rules: tuple[_Rule, ...], seen: _Seen) -> Outcome:
    return next(consequence(seen) for applies, consequence in rules if applies(seen))


_RULES: tuple[_Rule, ...] = (
    (lambda s: not s.reason, lambda s: retry("not_from_apns", NOT_FROM_APNS_DELAY_S)),
    (lambda s: s.status == 410, _gone),
    (
        lambda s: s.reason in ("BadDeviceToken", "DeviceTokenNotForTopic"),
        lambda s: suspect(s.reason, target=s.dead),
    ),
    (lambda s: s.reason == "IdleTimeout", lambda s: retry(s.reason, IDLE_DELAY_S)),
    (lambda s: s.reason == "TopicDisallowed", lambda s: refused(s.reason)),
    (lambda s: s.reason in _STALE_CREDENTIAL, _stale_credential),
    (lambda s: s.status == 403, lambda s: refused(s.reason)),
    (lambda s: s.status == 429, _throttled),
    (lambda s: s.status >= 500, lambda s: retry(s.reason, SERVER_ERROR_DELAY_S)),
    (lambda s: True, lambda s: drop(s.reason)),
)

_BROADCAST_RULES: tuple[_Rule, ...] = (
    (lambda s: s.reason == "ChannelNotRegistered", lambda s: purge(s.reason, target=PurgeTarget.CHANNEL)),
    (lambda s: s.reason in ("FeatureNotEnabled", "CannotCreateChannelConfig"), lambda s: alarm(s.reason)),
)
