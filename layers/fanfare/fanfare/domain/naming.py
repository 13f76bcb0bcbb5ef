"""What apps, topics, buckets and objects may be called."""

import re

from fanfare.domain.scope import TargetKind

_TARGETS = {
    TargetKind.TOPIC: re.compile(r"[A-Za-z0-9_-]{1,64}"),
    TargetKind.BUCKET: re.compile(r"[A-Za-z0-9_-]{2,64}"),
}
_APP = re.compile(r"[A-Za-z0-9_-]{1,64}")
_OBJECT = re.compile(r"[A-Za-z0-9_.-]{2,100}")


def names_app(text: str) -> bool:
    return _APP.fullmatch(text) is not None


def names_target(kind: TargetKind, text: str) -> bool:
    return _TARGETS[kind].fullmatch(text) is not None


def names_object(text: str) -> bool:
    return _OBJECT.fullmatch(text) is not None
