"""Outcome of each answer and each silence: choose the table, and end a push that would come too late."""

from dataclasses import replace
from typing import assert_never

from fanfare.domain.outcome import apns, fcm, google, transport
from fanfare.domain.outcome.answer import Answer, Context, Provider, Silence
from fanfare.domain.outcome.consequence import EXPIRED, Outcome, drop

NOTHING_KNOWN = Context()


def judge(provider: Provider, reply: Answer | Silence, context: Context = NOTHING_KNOWN) -> Outcome:
    outcome = _by_table(provider, reply, context)
    left_s = context.seconds_to_expiry
    if left_s is not None and outcome.retry_after_s is not None and outcome.retry_after_s > left_s:
        return replace(drop(EXPIRED), unknown=outcome.unknown, of_device=outcome.of_device)
    return outcome


def _by_table(provider: Provider, reply: Answer | Silence, context: Context) -> Outcome:
    if isinstance(reply, Silence):
        return transport.judge(provider, reply)
    match provider:
        case Provider.FCM:
            return fcm.judge(reply, context)
        case Provider.APNS:
            return apns.judge(reply, context)
        case Provider.APNS_BROADCAST:
            return apns.judge_broadcast(reply, context)
        case Provider.GOOGLE_OAUTH | Provider.GOOGLE_STS | Provider.GOOGLE_IAMCREDENTIALS:
            return google.judge(reply)
        case _:
            assert_never(provider)
