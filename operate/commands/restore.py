"""`make restore`: brings tables back to a point in time, beside the stack first, and then row by row into it.

`begin` has DynamoDB make new tables of what was there at a moment; `copy` puts their rows into the stack's.
Rows that are put into Objects carry a mark by which dispatch knows that nobody is to be told. `import` writes
what CloudFormation needs to begin a new stack over tables and buckets that a deleted one left behind.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from fanfare.runtime import clients, clock
from local.ports import default_state
from operate.place import NoStack, Place, deployed, local
from operate.provider_files import Unusable
from operate.template.intrinsics import read_yaml

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
"""What cannot be made again. In the others rows live for days, and a send that came back would go again."""

TEMPLATE = Path(__file__).resolve().parents[2] / "template.yaml"
_IDENTIFIED_BY = {"AWS::DynamoDB::Table": "TableName", "AWS::S3::Bucket": "BucketName"}

type Item = Mapping[str, Any]


@dataclass(slots=True)
class Copied:
    """How many rows were put back, left since they are as they were, and left since there is another one."""

    put: int = 0
    same: int = 0
    other: list[str] = field(default_factory=list)


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        if options.action == "import":
            _import(options.folder, options.resources)
            return 0
        place = deployed(options.stack, options.region) if options.stack else local(options.state)
        if options.action == "begin":
            for table in options.tables or KEPT:
                print(f"{table:20} {begin(name_of(place, table), options.at)}", flush=True)
            print("They are made beside the stack; `copy` takes each when it is ACTIVE.")
        else:
            _copy(place, options)
    except (NoStack, Unusable, BotoCoreError, ClientError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _copy(place: Place, options: argparse.Namespace) -> None:
    now = clock.now()
    into = name_of(place, options.table)
    mark = f"{options.source}#{now}" if options.table == "ObjectsTable" else None
    copied = copy(options.source, into, now, app=options.app, mark=mark, overwrite=options.overwrite)
    print(f"{copied.put} rows were put back, {copied.same} were there as they are")
    if copied.other:
        print(
            f"{len(copied.other)} were left, since another is there (--overwrite replaces them); the first:"
        )
        print("\n".join(copied.other[:20]))


def _import(folder: Path, given: Sequence[str]) -> None:
    names = dict(one.partition("=")[::2] for one in given)
    template, imported = importing(read_yaml(TEMPLATE), names)
    (folder / "import.json").write_text(json.dumps(template, indent=1, default=str))
    (folder / "imported.json").write_text(json.dumps(imported, indent=1))
    print(f"{folder / 'import.json'} and {folder / 'imported.json'} are for a change set of the type IMPORT")


def importing(
    template: Mapping[str, Any], names: Mapping[str, str]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A template of these tables and buckets alone, by logical ID, and which ones they are. Raises Unusable.

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


def name_of(place: Place, table: str) -> str:
    """Raises Unusable for what is not brought back."""
    if table not in KEPT:
        raise Unusable(f"{table}: only {', '.join(KEPT)} are brought back; rows of others live for days")
    if table not in place.resources:
        raise Unusable(f"{place.stack} was deployed before there was this command: deploy it again")
    return place.resources[table]


def begin(table: str, at: datetime) -> str:
    """Have a table made of what was in this one at the moment; its name."""
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
        raise Unusable(f"{source} is no copy of {into}: its keys are others")
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
    """On condition that what is there is still there."""
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


def _moment(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("which time zone?")
    return at


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m operate.commands.restore", description=__doc__)
    parser.add_argument("--stack", help="a deployed stack's name; without it, the local stack")
    parser.add_argument("--region", help="the deployed stack's region")
    parser.add_argument(
        "--state", type=Path, default=Path(default_state()), help="the local stack's state folder"
    )
    actions = parser.add_subparsers(dest="action", required=True)
    start = actions.add_parser("begin", help="have tables made of what was there at a moment")
    start.add_argument("--at", type=_moment, required=True, help="as 2026-11-30T12:00:00Z")
    start.add_argument("tables", nargs="*", help="logical IDs, such as ObjectsTable; all, if none is named")
    take = actions.add_parser("copy", help="put the rows of such a table into the stack's")
    take.add_argument("table", help="its logical ID, such as ObjectsTable")
    take.add_argument(
        "--from", dest="source", required=True, metavar="NAME", help="the table that `begin` made"
    )
    take.add_argument("--app", metavar="ID", help="the rows of this app alone")
    take.add_argument("--overwrite", action="store_true", help="replace rows that differ, too")
    adopt = actions.add_parser("import", help="write a change set's files for what a deleted stack left")
    adopt.add_argument("resources", nargs="+", metavar="ID=NAME", help="such as ObjectsTable=fanfare-prod-…")
    adopt.add_argument("--folder", type=Path, default=Path(), help="where to write them")
    return parser


if __name__ == "__main__":
    sys.exit(main())
