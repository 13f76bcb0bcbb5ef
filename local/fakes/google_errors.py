"""Google's error envelopes, and the details that FCM puts into them (docs/reference/outcomes.md)."""

from collections.abc import Mapping
from typing import Any

from local.fakes.exchange import NetworkAnswer

_TYPE = "type.googleapis.com/"
_PLAIN_TYPE = {"content-type": "application/json; charset=UTF-8"}
UNAUTHENTICATED = (
    "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other "
    "valid authentication credential."
)

type Detail = dict[str, Any]


def error(
    status: int, name: str, message: str, *details: Detail, headers: Mapping[str, str] | None = None
) -> NetworkAnswer:
    content = {"code": status, "message": message, "status": name} | (
        {"details": list(details)} if details else {}
    )
    return NetworkAnswer.json(status, {"error": content}, _PLAIN_TYPE | dict(headers or {}))


def fcm_error(code: str) -> Detail:
    return {"@type": f"{_TYPE}google.firebase.fcm.v1.FcmError", "errorCode": code}


def apns_error(status: int, reason: str) -> Detail:
    """Apple's answer to FCM."""
    return {"@type": f"{_TYPE}google.firebase.fcm.v1.ApnsError", "statusCode": status, "reason": reason}


def bad_request(field: str, description: str) -> Detail:
    violation = {"field": field, "description": description}
    return {"@type": f"{_TYPE}google.rpc.BadRequest", "fieldViolations": [violation]}


def error_info(reason: str, domain: str, **metadata: str) -> Detail:
    return {"@type": f"{_TYPE}google.rpc.ErrorInfo", "reason": reason, "domain": domain, "metadata": metadata}


def quota_failure(subject: str, description: str) -> Detail:
    violation = {"subject": subject, "description": description}
    return {"@type": f"{_TYPE}google.rpc.QuotaFailure", "violations": [violation]}


def page(status: int, title: str) -> NetworkAnswer:
    """The answer of Google's front ends in HTML."""
    body = f"<html><title>Error {status} ({title})!!1</title></html>"
    return NetworkAnswer(status, body.encode(), {"content-type": "text/html; charset=UTF-8"})


def oauth_error(status: int, name: str, description: str = "") -> NetworkAnswer:
    """The token endpoints' form (RFC 6749, 5.2)."""
    told = {"error": name} | ({"error_description": description} if description else {})
    return NetworkAnswer.json(status, told, {"content-type": "application/json; charset=utf-8"})


def project_quota(project: str) -> NetworkAnswer:
    """The project's own quota: no FcmError, and no Retry-After (firebase-admin-go#719)."""
    limit = "Send requests per minute per project"
    return error(
        429,
        "RESOURCE_EXHAUSTED",
        f"Quota exceeded for quota metric 'Send requests' and limit '{limit}' of service "
        f"'fcm.googleapis.com' for consumer 'projects/{project}'.",
        error_info(
            "RATE_LIMIT_EXCEEDED",
            "googleapis.com",
            service="fcm.googleapis.com",
            consumer=f"projects/{project}",
            quota_metric="fcm.googleapis.com/send_requests",
            quota_limit="SendRequestsPerMinutePerProject",
        ),
    )


def unauthenticated(reason: str = "") -> NetworkAnswer:
    """An access token that is unknown, or the reason why one is not valid any more."""
    details = [error_info(reason, "googleapis.com", service="fcm.googleapis.com")] if reason else []
    challenge = 'Bearer realm="https://accounts.google.com/", error="invalid_token"'
    return error(401, "UNAUTHENTICATED", UNAUTHENTICATED, *details, headers={"www-authenticate": challenge})


def permission_denied(project: str) -> NetworkAnswer:
    permission = "cloudmessaging.messages.create"
    return error(
        403,
        "PERMISSION_DENIED",
        f"Permission '{permission}' denied on resource "
        f"'//cloudresourcemanager.googleapis.com/projects/{project}' (or it may not exist).",
        error_info("IAM_PERMISSION_DENIED", "cloudresourcemanager.googleapis.com", permission=permission),
    )
