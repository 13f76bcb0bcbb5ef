"""All rows, queued messages and stored files, to see whether a request changed something, and to undo it.

Looked at where moto keeps them: through its API it takes a hundred times as long.
"""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.table import Table
from moto.s3.models import FakeBucket, s3_backends
from moto.sqs.models import Queue, sqs_backends

from local.rehearsal.emulated import ACCOUNT, REGION


class Snapshot:
    """As it is now. Messages stay queued and files stored: nothing comes of them here.

    Counters of limits are left out: a request refused after it was counted has used its limit.
    """

    def __init__(self, resources: Mapping[str, str]) -> None:
        tables, queues = dynamodb_backends[ACCOUNT][REGION].tables, sqs_backends[ACCOUNT][REGION].queues
        self._tables: dict[str, Table] = {
            name: tables[one]
            for name, one in resources.items()
            if name.endswith("Table") and name != "LimitsTable"
        }
        self._queues: dict[str, Queue] = {
            name: queues[one.rpartition("/")[2]] for name, one in resources.items() if one.startswith("http")
        }
        files = s3_backends[ACCOUNT]["aws"].buckets
        self._buckets: dict[str, FakeBucket] = {
            name: files[one] for name, one in resources.items() if one in files
        }
        self._kept = {name: deepcopy(table.items) for name, table in self._tables.items()}
        self._rows = {name: _rows(table) for name, table in self._tables.items()}
        self._queued = self._counts()
        self._stored = self._files()

    def changed(self) -> list[str]:
        """The tables, queues and buckets of S3 that are no longer as they were."""
        counts, files = self._counts(), self._files()
        queues = [name for name in self._queues if counts[name] != self._queued[name]]
        return self._changed_tables() + queues + [name for name in files if files[name] != self._stored[name]]

    def restore(self) -> None:
        """Put the rows back; queued messages and stored files count as nothing new."""
        for name in self._changed_tables():
            self._tables[name].items = deepcopy(self._kept[name])
        self._queued = self._counts()
        self._stored = self._files()

    def _changed_tables(self) -> list[str]:
        return [name for name, table in self._tables.items() if _rows(table) != self._rows[name]]

    def _counts(self) -> dict[str, int]:
        """Visible, delayed or in flight."""
        return {name: len(queue._messages) for name, queue in self._queues.items()}

    def _files(self) -> dict[str, dict[str, str]]:
        """Key and hash of each file."""
        return {
            name: {key: file.etag for key, file in bucket.keys.items()}
            for name, bucket in self._buckets.items()
        }


def _rows(table: Table) -> list[Any]:
    return [item.to_json() for item in table.all_items()]
