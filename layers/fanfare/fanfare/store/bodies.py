"""Bodies of objects in S3, under `app/bucketRef/objectID/time-random`: no key is used a second time."""

from collections.abc import Iterator
from itertools import islice
from secrets import token_hex
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from fanfare.domain.errors import Busy
from fanfare.domain.object import Attachment
from fanfare.domain.scope import Target
from fanfare.domain.sweeping import LooseBodies
from fanfare.runtime import clients

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef

_DELETED = 1_000  # most keys of one call to S3


def new(bucket: Target, object_id: str, content_type: str, size: int, at: int) -> Attachment:
    """Return a body that is not stored yet. Its key contains the time, by which `delete_loose` goes."""
    key = f"{_prefix(bucket.app, bucket.ref, object_id)}{at:013d}-{token_hex(8)}"
    return Attachment(key, content_type, size)


def store(s3_bucket: str, attachment: Attachment, content: bytes) -> None:
    clients.s3().put_object(Bucket=s3_bucket, Key=attachment.key, Body=content)


def load(s3_bucket: str, attachment: Attachment) -> bytes | None:
    """Return the content; None if it is gone, because the object has another body by now or none."""
    try:
        return clients.s3().get_object(Bucket=s3_bucket, Key=attachment.key)["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchKey":
            raise
        return None


def delete_loose(s3_bucket: str, loose: LooseBodies, keep: str | None) -> int:
    """Delete the object's bodies of that time except `keep`; return their number."""
    found = _keys(s3_bucket, _prefix(loose.app, loose.ref, loose.object_id))
    keys = [key for key in found if key != keep and _came_at(key) <= loose.until]
    _delete(s3_bucket, keys)
    return len(keys)


def sweep(s3_bucket: str, app: str, ref: str, budget: int) -> int:
    """Delete up to `budget` bodies of a deleted bucket; return their number."""
    keys = list(islice(_keys(s3_bucket, f"{app}/{ref}/"), budget))
    _delete(s3_bucket, keys)
    return len(keys)


def _prefix(app: str, ref: str, object_id: str) -> str:
    return f"{app}/{ref}/{object_id}/"


def _came_at(key: str) -> int:
    return int(key.rpartition("/")[2].partition("-")[0])


def _keys(s3_bucket: str, prefix: str) -> Iterator[str]:
    for page in clients.s3().get_paginator("list_objects_v2").paginate(Bucket=s3_bucket, Prefix=prefix):
        yield from (one["Key"] for one in page.get("Contents", []))


def _delete(s3_bucket: str, keys: list[str]) -> None:
    for start in range(0, len(keys), _DELETED):
        part: list[ObjectIdentifierTypeDef] = [{"Key": key} for key in keys[start : start + _DELETED]]
        answer = clients.s3().delete_objects(Bucket=s3_bucket, Delete={"Objects": part, "Quiet": True})
        if failed := answer.get("Errors"):
            raise Busy(f"{len(failed)} of {len(part)} bodies were not deleted; try again")
