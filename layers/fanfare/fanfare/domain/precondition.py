"""If-Match and If-None-Match: the conditions under which an object is written."""

from dataclasses import dataclass

from fanfare.domain import refusals
from fanfare.domain.object import Object
from fanfare.domain.scope import Target

ANY = "*"


@dataclass(frozen=True, slots=True)
class Precondition:
    """`version` comes from If-Match, as text without quotes or ANY; `absent` from `If-None-Match: *`."""

    version: str | None = None
    absent: bool = False

    def check(self, found: Object | None, bucket: Target, object_id: str) -> None:
        """Raise ObjectAlreadyExists, ObjectNotFound or StaleVersion if the condition fails.

        `found` is the object, None if there is none or it is deleted.
        """
        if self.absent and found is not None:
            raise refusals.object_exists(bucket, object_id)
        if self.version is None:
            return
        if found is None:
            raise refusals.no_object(bucket, object_id)
        if self.version not in (ANY, str(found.version)):
            raise refusals.stale(bucket, object_id)
