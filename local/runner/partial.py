"""Reading `batchItemFailures`: a function's word about the records that it was given."""

from typing import Any


def failures(value: Any, known: set[str]) -> set[str] | None:
    """The identifiers reported as failed, out of those known; empty if all went well.

    None means that the whole batch failed: the report names nothing, or something that was not in the batch.
    """
    if value is None or (isinstance(value, dict) and not value.get("batchItemFailures")):
        return set()
    if not isinstance(value, dict) or not isinstance(value["batchItemFailures"], list):
        return None
    entries = value["batchItemFailures"]
    named = {str(entry.get("itemIdentifier")) if isinstance(entry, dict) else "" for entry in entries}
    return named if named <= known else None
