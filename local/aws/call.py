"""A request to AWS as the proxy sees it: its caller, service, operation and tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

_SERVICES = {
    "DynamoDB_20120810": "dynamodb",
    "DynamoDBStreams_20120810": "dynamodbstreams",
    "AmazonSQS": "sqs",
    "AmazonSSM": "ssm",
}
_WRITES = {"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem"}

type Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Written:
    """`kind` is Put, Update, Delete or ConditionCheck; `item` the item, or its key."""

    kind: str
    table: str
    item: Body


@dataclass(frozen=True, slots=True)
class Call:
    """`service` is boto3's name; `operation` AWS's, for S3 the HTTP method. `body`: None if not read.

    `path`, with its query, names the object of S3: `/bucket/key?query`.

    `caller` is the access key that signed: a function's processes use the function's name for it.
    """

    caller: str
    service: str
    operation: str
    tables: tuple[str, ...] = ()
    body: Body | None = None
    path: str = ""

    @property
    def written(self) -> Sequence[Written]:
        """Everything that a call to DynamoDB writes, or checks while it writes."""
        body = self.body or {}
        match self.operation if self.service == "dynamodb" else "":
            case "PutItem" | "UpdateItem" | "DeleteItem":
                return [Written(self.operation.removesuffix("Item"), body["TableName"], _item(body))]
            case "TransactWriteItems":
                parts = [transaction_item(entry) for entry in body["TransactItems"]]
                return [Written(kind, content["TableName"], _item(content)) for kind, content in parts]
            case "BatchWriteItem":
                return [
                    Written(kind.removesuffix("Request"), table, _item(content))
                    for table, requests in body["RequestItems"].items()
                    for request in requests
                    for kind, content in request.items()
                ]
        return []

    @property
    def writes_items(self) -> bool:
        return self.service == "dynamodb" and self.operation in _WRITES

    @property
    def reads_index(self) -> bool:
        return self.operation in {"Query", "Scan"} and "IndexName" in (self.body or {})


def of_target(target: str, authorization: str, content: bytes) -> Call:
    """`target`: the X-Amz-Target header, as `DynamoDB_20120810.PutItem`."""
    caller, _ = _signed(authorization)
    prefix, _, operation = target.partition(".")
    service = _SERVICES.get(prefix, prefix)
    try:
        body = msgspec.json.decode(content, type=dict[str, Any])
    except msgspec.DecodeError:
        return Call(caller, service, operation)
    return Call(caller, service, operation, tuple(_tables(body)), body)


def of_signature(authorization: str, method: str, path: str) -> Call:
    """For the services without that header."""
    caller, service = _signed(authorization)
    return Call(caller, service, method, path=path)


def transaction_item(item: Body) -> tuple[str, Body]:
    """Kind and content of an entry of TransactItems: `Put`, `Update`, `Delete`, `ConditionCheck` or `Get`."""
    return next(iter(item.items()))


def _item(content: Body) -> Body:
    item: Body = content.get("Item") or content["Key"]
    return item


def _signed(authorization: str) -> tuple[str, str]:
    """Access key and service in `Credential=KEY/DATE/REGION/SERVICE/aws4_request`."""
    scope = authorization.partition("Credential=")[2].partition(",")[0].split("/")
    return (scope[0], scope[3]) if len(scope) > 3 else ("unknown", "unknown")


def _tables(body: Body) -> dict[str, None]:
    """Each table once, in order."""
    if "TableName" in body:
        return {body["TableName"]: None}
    if "TransactItems" in body:
        return dict.fromkeys(transaction_item(item)[1]["TableName"] for item in body["TransactItems"])
    return dict.fromkeys(body.get("RequestItems", ()))
