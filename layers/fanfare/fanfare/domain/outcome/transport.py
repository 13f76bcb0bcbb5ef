"""Transport events, where no answer came: docs/reference/outcomes.md lists them."""

from dataclasses import replace
from typing import assert_never

from fanfare.domain.outcome.answer import Provider, Silence, Transport
from fanfare.domain.outcome.consequence import Outcome, alarm, retry


def judge(provider: Provider, silence: Silence) -> Outcome:
    """What was not processed costs no attempt; what was written may have been done."""
    match silence.why:
        case (
            Transport.REFUSED_STREAM
            | Transport.GOAWAY_ABOVE
            | Transport.RESET_BEFORE_WRITE
            | Transport.NOT_SENT
        ):
            return replace(retry(silence.why, 0), spends_attempt=False)
        case Transport.DNS_FAILURE | Transport.CONNECT_TIMEOUT | Transport.CONNECT_FAILED:
            return replace(retry(silence.why, _base_delay_s(provider)), spends_attempt=False)
        case Transport.TLS_UNTRUSTED | Transport.NO_HTTP2:
            return alarm(silence.why)
        case (
            Transport.READ_TIMEOUT
            | Transport.RESET_AFTER_WRITE
            | Transport.RST_STREAM
            | Transport.GOAWAY_COVERED
            | Transport.GOAWAY_FOR_TOKENS
            | Transport.PROTOCOL_ERROR
        ):
            blamed = silence.why is Transport.GOAWAY_FOR_TOKENS
            return replace(retry(silence.why, _base_delay_s(provider)), unknown=True, of_device=blamed)
        case _:
            assert_never(silence.why)


def _base_delay_s(provider: Provider) -> int:
    match provider:
        case Provider.FCM:
            return 10
        case Provider.APNS | Provider.APNS_BROADCAST:
            return 5
        case Provider.GOOGLE_OAUTH | Provider.GOOGLE_STS | Provider.GOOGLE_IAMCREDENTIALS:
            return 1
        case _:
            assert_never(provider)
