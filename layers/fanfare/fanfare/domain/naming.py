"""The rules for names of apps, topics, buckets and objects."""

import re

from fanfare.domain.scope import TargetKind

_TARGETS = {
    TargetKind.TOPIC: re.compile(r"[A-Za-z0-9_-]{1,64}"),
    TargetKind.BUCKET: re.compile(r"[A-Za-z0-9-][A-Za-z0-9_-]{1,63}"),
}
_NOT_BUCKETS = {"devices", "users", "installations", "internal", "things"}
_SAME = "default:"
_APP = re.compile(r"[A-Za-z0-9_-]{1,64}")
_OBJECT = re.compile(r"[A-Za-z0-9_.-]{2,100}")


def names_app(text: str) -> bool:
    return _APP.fullmatch(text) is not None


def names_target(kind: TargetKind, text: str) -> bool:
    if kind is TargetKind.BUCKET and text in _NOT_BUCKETS:
        return False
    return _TARGETS[kind].fullmatch(text) is not None


def rule_of(kind: TargetKind) -> str:
    """Return the rule for names of this kind, for error messages."""
    match kind:
        case TargetKind.TOPIC:
            return "1 to 64 of A-Z, a-z, 0-9, _ and -"
        case TargetKind.BUCKET:
            reserved = ", ".join(sorted(_NOT_BUCKETS))
            return f"2 to 64 of A-Z, a-z, 0-9, _ and -, not with _ first, and none of {reserved}"


def bucket_in_path(text: str) -> str:
    """Return the bucket's ID. In Kii's paths `default:` and an ID names the same bucket as the ID."""
    return text.removeprefix(_SAME)


def names_object(text: str) -> bool:
    return _OBJECT.fullmatch(text) is not None
