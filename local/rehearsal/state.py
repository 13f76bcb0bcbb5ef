"""All rows, queued messages and stored files, to see whether a request changed something, and to undo it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import boto3

if TYPE_CHECKING:
    from mypy_boto3_sqs.literals import QueueAttributeNameType

_COUNTERS: list["QueueAttributeNameType"] = [
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesDelayed",
]

type _Rows = dict[str, dict[str, Any]]


class State:
    """As it is now. Messages stay queued and files stored: nothing comes of them here."""

    def __init__(self, resources: Mapping[str, str]) -> None:
        self._dynamodb, self._sqs = boto3.client("dynamodb"), boto3.client("sqs")
        self._tables = {name: one for name, one in resources.items() if name.endswith("Table")}
        self._queues = {name: one for name, one in resources.items() if one.startswith("http")}
        self._rows = {name: self._read(name) for name in self._tables}
        self._queued = {name: self._count(name) for name in self._queues}

    def changed(self) -> list[str]:
        """The tables and queues that are no longer as they were."""
        tables = [name for name, rows in self._rows.items() if self._read(name) != rows]
        return tables + [name for name, count in self._queued.items() if self._count(name) != count]

    def restore(self) -> None:
        """Rows as they were; the queues count from what is in them now."""
        for name, rows in self._rows.items():
            now = self._read(name)
            for key, item in rows.items():
                if now.pop(key, None) != item:
                    self._dynamodb.put_item(TableName=self._tables[name], Item=item)
            for item in now.values():
                self._dynamodb.delete_item(TableName=self._tables[name], Key=_key(item))
        self._queued = {name: self._count(name) for name in self._queues}

    def _read(self, name: str) -> _Rows:
        items = self._dynamodb.scan(TableName=self._tables[name], ConsistentRead=True)["Items"]
        return {repr(_key(item)): item for item in items}

    def _count(self, name: str) -> Mapping[str, int]:
        url = self._queues[name]
        answer = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=_COUNTERS)
        return {counter: int(answer["Attributes"][counter]) for counter in _COUNTERS}


def _key(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: item[name] for name in ("pk", "sk") if name in item}
