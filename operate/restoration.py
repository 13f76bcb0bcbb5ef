"""Tables brought back to a point in time, beside the stack first, and then row by row into it.

`begin` has DynamoDB make new tables with the rows of a moment; `copy` puts those rows into the stack's.
Rows that are put into Objects carry a mark by which dispatch knows that nobody is to be told. `importing`
makes the files with which CloudFormation begins a new stack over what a deleted one left behind.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from fanfare.runtime import clients
from operate.errors import Declined, Unusable
from operate.profile import Profile

KEPT = (
    "AppsTable",
    "AccountsTable",
    "MembersTable",
    "InstallationsTable",
    "RecipientsTable",
    "TopicsTable",
    "BucketsTable",
    "ObjectsTable",
    "SubscriptionsTable",
)
"""Tables that cannot be made again. In the others rows live for days, and a send would go again."""

_IDENTIFIED_BY = {"AWS::DynamoDB::Table": "TableName", "AWS::S3::Bucket": "BucketName"}

type Item = Mapping[str, Any]


@dataclass(slots=True)
class Copied:
    """The rows put back, those left since they are the same, and those left since another is there."""

    put: int = 0
    same: int = 0
    other: list[str] = field(default_factory=list)


def importing(
    template: Mapping[str, Any], names: Mapping[str, str]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return a template of these tables and buckets alone, and the list of them. Raises Unusable.

    An import takes no transform and nothing beside what it imports: the whole template follows as an update.
    """
    resources = {}
    for logical_id, name in names.items():
        resource = template["Resources"].get(logical_id, {})
        if resource.get("Type") not in _IDENTIFIED_BY or not name:
            raise Unusable(f"{logical_id}={name}: a table or a bucket of the template, and its name")
        resources[logical_id] = resource
    parameters = {"ProtectTables": template["Parameters"]["ProtectTables"]}
    imported = [
        {
            "ResourceType": one["Type"],
            "LogicalResourceId": logical_id,
            "ResourceIdentifier": {_IDENTIFIED_BY[one["Type"]]: names[logical_id]},
        }
        for logical_id, one in resources.items()
    ]
    version = template["AWSTemplateFormatVersion"]
    return {"AWSTemplateFormatVersion": version, "Parameters": parameters, "Resources": resources}, imported


def name_of(profile: Profile, table: str) -> str:
    """Return the physical name of a table. Raises Unusable for one that is not brought back, Declined."""
    if table not in KEPT:
        raise Unusable(f"{table}: only {', '.join(KEPT)} are brought back; rows of others live for days")
    if table not in profile.resources:
        raise Declined(f"{profile.stack} was deployed before there was this command: deploy it again")
    return profile.resources[table]


def begin(table: str, at: datetime) -> str:
    """Have a table made with the rows of the moment; return its name."""
    name = f"{table}-at-{at.astimezone(UTC):%Y%m%dT%H%M%S}"
    clients.dynamodb().restore_table_to_point_in_time(
        SourceTableName=table, TargetTableName=name, RestoreDateTime=at, BillingModeOverride="PAY_PER_REQUEST"
    )
    return name


def copy(
    source: str,
    into: str,
    now: int,
    *,
    app: str | None = None,
    mark: str | None = None,
    overwrite: bool = False,
) -> Copied:
    """Put the rows of one table into another: those that are missing there, or with `overwrite` that differ.

    A row that changes at this moment is left, and told. `app`: its rows alone. `mark`: an attribute
    `restored` of every row that is put.
    """
    copied = Copied()
    keys = [one["AttributeName"] for one in _described(into)["KeySchema"]]
    if keys != [one["AttributeName"] for one in _described(source)["KeySchema"]]:
        raise Declined(f"{source} is no copy of {into}: its keys are others")
    for row in _rows(source, app):
        if int(row.get("expires", {}).get("N", now)) * 1000 < now:
            continue
        key = {name: row[name] for name in keys}
        there = clients.dynamodb().get_item(TableName=into, Key=key, ConsistentRead=True).get("Item")
        if there is not None and _told(there) == _told(row):
            copied.same += 1
        elif (there is None or overwrite) and _put(into, row, there, keys[0], mark):
            copied.put += 1
        else:
            copied.other.append("/".join(str(one["S"]) for one in key.values()))
    return copied


def _told(row: Item) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "restored"}


def _put(into: str, row: Item, there: Item | None, key: str, mark: str | None) -> bool:
    """Put the row on condition that the row there has not changed."""
    marked = dict(row) | ({} if mark is None else {"restored": {"S": mark}})
    terms, names, values = [], {"#key": key}, {}
    if there is None:
        terms.append("attribute_not_exists(#key)")
    for place, name in enumerate(sorted({*row, *there} if there is not None else ())):
        names[f"#n{place}"] = name
        if there is not None and name in there:
            values[f":v{place}"] = there[name]
            terms.append(f"#n{place} = :v{place}")
        else:
            terms.append(f"attribute_not_exists(#n{place})")
    if there is not None:
        del names["#key"]
    try:
        clients.dynamodb().put_item(
            TableName=into,
            Item=marked,
            ConditionExpression=" AND ".join(terms),
            ExpressionAttributeNames=names,
            **({"ExpressionAttributeValues": values} if values else {}),  # type: ignore[arg-type]
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        return False
    return True


def _rows(table: str, app: str | None) -> Iterator[Item]:
    for page in clients.dynamodb().get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
        for row in page["Items"]:
            if app is None or row["pk"]["S"].partition("#")[0] == app:
                yield row


def _described(table: str) -> Any:
    return clients.dynamodb().describe_table(TableName=table)["Table"]
