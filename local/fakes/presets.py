"""The networks' answers by name, so that a rule need not write out an envelope."""

import re
from collections.abc import Iterator

from local.fakes.exchange import NetworkAnswer
from local.fakes.google_errors import UNAUTHENTICATED as UNAUTHENTICATED_TEXT
from local.fakes.google_errors import (
    apns_error,
    bad_request,
    error,
    error_info,
    fcm_error,
    oauth_error,
    page,
    permission_denied,
    project_quota,
    quota_failure,
    unauthenticated,
)
from local.fakes.lane import FakeNetwork

APNS_REASONS = {
    400: (
        "BadCollapseId BadDeviceToken BadExpirationDate BadMessageId BadPriority BadTopic "
        "DeviceTokenNotForTopic DuplicateHeaders IdleTimeout InvalidPushType MissingDeviceToken MissingTopic "
        "PayloadEmpty TopicDisallowed"
    ),
    403: (
        "BadCertificate BadCertificateEnvironment BadEnvironmentKeyIdInToken BadEnvironmentKeyInToken "
        "ExpiredProviderToken Forbidden InvalidProviderToken MissingProviderToken UnrelatedKeyIdInToken"
    ),
    404: "BadPath",
    405: "MethodNotAllowed",
    410: "ExpiredToken Unregistered",
    413: "PayloadTooLarge",
    429: "TooManyProviderTokenUpdates TooManyRequests",
    500: "InternalServerError",
    503: "ServiceUnavailable Shutdown",
}
"""As docs/reference/outcomes.md lists them."""

_INVALID = "Request contains an invalid argument."
_NO_TOKEN = "The registration token is not a valid FCM registration token"
_ARGUMENT = (400, "INVALID_ARGUMENT")
_EXHAUSTED = (429, "RESOURCE_EXHAUSTED")


def _of_apns() -> Iterator[tuple[str, NetworkAnswer]]:
    for status, reasons in APNS_REASONS.items():
        for reason in reasons.split():
            name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", reason).lower()
            yield f"apns_{name}", NetworkAnswer.json(status, {"reason": reason})


def _of_fcm() -> dict[str, NetworkAnswer]:
    invalid = fcm_error("INVALID_ARGUMENT")
    third_party = fcm_error("THIRD_PARTY_AUTH_ERROR")
    not_there = "Requested entity was not found."
    return {
        "fcm_unregistered": error(404, "NOT_FOUND", not_there, fcm_error("UNREGISTERED")),
        "fcm_invalid_token": error(
            *_ARGUMENT, _INVALID, invalid, bad_request("message.token", "Invalid registration token")
        ),
        "fcm_invalid_token_text": error(*_ARGUMENT, _NO_TOKEN, invalid),
        "fcm_invalid_argument": error(*_ARGUMENT, _INVALID),
        "fcm_too_large": error(*_ARGUMENT, "Message is too large. The maximum is 4K (4096 bytes).", invalid),
        "fcm_android_too_big": error(*_ARGUMENT, "Android message is too big", invalid),
        "fcm_apns_unregistered": error(
            *_ARGUMENT, "APNs device token is disabled.", invalid, apns_error(410, "Unregistered")
        ),
        "fcm_apns_expired_token": error(
            *_ARGUMENT, "APNs device token is disabled.", invalid, apns_error(410, "ExpiredToken")
        ),
        "fcm_apns_bad_device_token": error(
            *_ARGUMENT,
            _INVALID,
            invalid,
            apns_error(400, "BadDeviceToken"),
            bad_request("message.token", "Invalid APNs device token"),
        ),
        "fcm_apns_wrong_topic": error(
            *_ARGUMENT, _INVALID, invalid, apns_error(400, "DeviceTokenNotForTopic")
        ),
        "fcm_apns_topic_disallowed": error(*_ARGUMENT, _INVALID, invalid, apns_error(400, "TopicDisallowed")),
        "fcm_apns_too_large": error(*_ARGUMENT, _INVALID, invalid, apns_error(413, "PayloadTooLarge")),
        "fcm_unauthenticated": unauthenticated(),
        "fcm_access_token_expired": unauthenticated("ACCESS_TOKEN_EXPIRED"),
        "fcm_third_party_auth": error(401, "UNAUTHENTICATED", UNAUTHENTICATED_TEXT, third_party),
        "fcm_apns_key_environment": error(
            401,
            "UNAUTHENTICATED",
            UNAUTHENTICATED_TEXT,
            third_party,
            apns_error(403, "BadEnvironmentKeyInToken"),
        ),
        "fcm_sender_id_mismatch": error(
            403, "PERMISSION_DENIED", "SenderId mismatch", fcm_error("SENDER_ID_MISMATCH")
        ),
        "fcm_permission_denied": permission_denied("fanfare-local"),
        "fcm_api_disabled": error(
            403,
            "PERMISSION_DENIED",
            "Firebase Cloud Messaging API has not been used in project 123456789 before or it is disabled.",
            error_info("SERVICE_DISABLED", "googleapis.com", service="fcm.googleapis.com"),
        ),
        "fcm_project_not_found": error(404, "NOT_FOUND", not_there),
        "fcm_quota": project_quota("fanfare-local"),
        "fcm_quota_exceeded": error(*_EXHAUSTED, "Quota exceeded.", fcm_error("QUOTA_EXCEEDED")),
        "fcm_quota_exceeded_retry_after": error(
            *_EXHAUSTED, "Quota exceeded.", fcm_error("QUOTA_EXCEEDED"), headers={"retry-after": "60"}
        ),
        "fcm_topic_quota": error(
            *_EXHAUSTED,
            "Topic quota exceeded.",
            fcm_error("QUOTA_EXCEEDED"),
            quota_failure("topic:news", "Topic message rate exceeded"),
        ),
        "fcm_internal": error(500, "INTERNAL", "Internal error encountered.", fcm_error("INTERNAL")),
        "fcm_unspecified": error(500, "UNKNOWN", "Unknown Error.", fcm_error("UNSPECIFIED_ERROR")),
        "fcm_unavailable": error(
            503, "UNAVAILABLE", "The service is currently unavailable.", fcm_error("UNAVAILABLE")
        ),
        "fcm_html_404": page(404, "Not Found"),
        "fcm_html_429": page(429, "Too Many Requests"),
        "fcm_html_500": page(500, "Server Error"),
        "fcm_html_502": page(502, "Server Error"),
        "fcm_html_503": page(503, "Service Unavailable"),
    }


def _of_oauth() -> dict[str, NetworkAnswer]:
    return {
        "oauth_invalid_grant": oauth_error(400, "invalid_grant", "Invalid JWT Signature."),
        "oauth_account_not_found": oauth_error(400, "invalid_grant", "Invalid grant: account not found"),
        "oauth_unauthorized_client": oauth_error(
            401, "unauthorized_client", "Client is unauthorized to retrieve access tokens using this method."
        ),
        "oauth_rate_limited": oauth_error(429, "rate_limit_exceeded"),
        "oauth_aws_expired": oauth_error(
            400, "invalid_grant", "Received invalid AWS response of type ExpiredToken"
        ),
        "oauth_impersonation_denied": error(
            403,
            "PERMISSION_DENIED",
            "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).",
            error_info("IAM_PERMISSION_DENIED", "iam.googleapis.com"),
        ),
        "oauth_internal": oauth_error(500, "internal_failure"),
        "oauth_html_503": page(503, "Service Unavailable"),
    }


PRESETS = dict(_of_apns()) | _of_fcm() | _of_oauth()


def network_of(preset: str) -> FakeNetwork:
    return FakeNetwork(preset.partition("_")[0])
