"""Bodies of objects: any bytes of any media type, kept in S3 and recorded in the object's row."""

import re
from typing import Any, Protocol

from aws_lambda_powertools.event_handler.api_gateway import Response

from fanfare.api import answers, objects
from fanfare.api.request import Authenticating, Request, Sweeping
from fanfare.domain import refusals
from fanfare.domain.errors import InvalidInput
from fanfare.domain.object import ATTACHMENT_LIMIT, Attachment, Object, with_attachment, without_attachment
from fanfare.domain.rights.caller import Caller
from fanfare.store import bodies

_ANY_BYTES = "application/octet-stream"
_SHOWN = re.compile(
    r"(text/plain|application/json|image/(?!svg)[a-z0-9.-]+|(audio|video|font)/[a-z0-9.-]+)"
    r"( *; *charset=[a-z0-9_-]+)?",
    re.IGNORECASE,
)
"""Media types that browsers show or play; they are told to save all others."""

_MEDIA_TYPE = re.compile(r"[\x20-\x7E]{1,255}")


class Keeping(Authenticating, Protocol):
    """Settings of a function that reads bodies."""

    @property
    def object_bodies_bucket(self) -> str: ...


class KeepingAndSweeping(Keeping, Sweeping, Protocol):
    """Settings of a function that changes bodies."""


def put(request: Request[KeepingAndSweeping]) -> Response[str]:
    """Store the body first and record it second, so that the object has the whole new body or the old one."""
    content_type, content = _sent(request)
    new: Attachment | None = None
    is_stored = False

    def noted(caller: Caller, existing: Object) -> Object:
        nonlocal new
        new = new or bodies.new(existing.bucket, existing.id, content_type, len(content), request.now)
        return with_attachment(existing, new, caller.user, request.now)

    def store(existing: Object) -> None:
        nonlocal is_stored
        if new is not None and not is_stored:
            objects.sweep_bodies(request, existing)
            bodies.store(request.settings.object_bodies_bucket, new, content)
            is_stored = True

    _, after = objects.change(request, noted, store)
    times = {"modifiedAt": after.modified_at}
    return answers.document(200, times, "ObjectBodyUpdateResponse", _etag(after.attachment))


def get(request: Request[Keeping]) -> Response[Any]:
    found = objects.found(request)
    attachment = _attachment(found)
    content = bodies.load(request.settings.object_bodies_bucket, attachment)
    if content is None:
        raise refusals.no_body(found.bucket, found.id)
    return answers.Bytes(200, attachment.content_type, content, _headers(attachment))


def head(request: Request[Authenticating]) -> Response[str]:
    attachment = _attachment(objects.found(request))
    return Response(204, attachment.content_type, "", _headers(attachment))


def delete(request: Request[Sweeping]) -> Response[str]:
    def without(caller: Caller, existing: Object) -> Object:
        _attachment(existing)
        return without_attachment(existing, caller.user, request.now)

    objects.change(request, without, lambda existing: objects.sweep_bodies(request, existing))
    return answers.empty()


def _sent(request: Request[Any]) -> tuple[str, bytes]:
    """Return media type and content. Raises InvalidInput."""
    if "if-match" in request.headers or "if-none-match" in request.headers:
        raise InvalidInput(
            "If-Match, If-None-Match: they are for objects, not for their bodies; leave them out"
        )
    if len(request.body) > ATTACHMENT_LIMIT:
        raise InvalidInput(f"the body has {len(request.body)} bytes; send at most {ATTACHMENT_LIMIT}")
    length = request.headers.get("content-length")
    if length is not None and length != str(len(request.body)):
        # API Gateway decodes some types as UTF-8, and replaces bytes that are not.
        raise InvalidInput("the body is not UTF-8, as its type says; send it as application/octet-stream")
    content_type = request.headers.get("content-type", "").strip() or _ANY_BYTES
    if not _MEDIA_TYPE.fullmatch(content_type):
        raise InvalidInput(
            "Content-Type: not a media type; send 1 to 255 printable ASCII characters, such as image/png"
        )
    return content_type, request.body


def _attachment(found: Object) -> Attachment:
    if found.attachment is None:
        raise refusals.no_body(found.bucket, found.id)
    return found.attachment


def _headers(attachment: Attachment) -> dict[str, str | list[str]]:
    """Return headers that keep browsers from running a body, since bodies come from the API's origin."""
    headers: dict[str, str | list[str]] = {
        **_etag(attachment),
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    if not _SHOWN.fullmatch(attachment.content_type):
        headers["Content-Disposition"] = "attachment"
    return headers


def _etag(attachment: Attachment | None) -> dict[str, str]:
    return {} if attachment is None else {"ETag": f'"{attachment.tag}"'}
