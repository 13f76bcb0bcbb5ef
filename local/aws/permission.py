"""The questions of IAM before a call goes through: actions, each on one resource."""

from collections.abc import Iterator

from local.aws.call import Call, transaction_item

EVERYTHING = "*"
"""The resource of a call that names none, or one that is not known here: no role of ours grants it."""

_ACTION_OF_PART = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
    "Get": "GetItem",
}


_ACTION_ON_OBJECT = {"GET": "GetObject", "HEAD": "GetObject", "PUT": "PutObject", "DELETE": "DeleteObject"}


def needed(call: Call) -> Iterator[tuple[str, str]]:
    """Action and resource, as `dynamodb:Query` and `Letters/index/by_box`: the end of the resource's ARN."""
    body = call.body or {}
    match call.service:
        case "dynamodb" if "TransactItems" in body:
            # A transaction is no action of its own: each of its parts is.
            for part in body["TransactItems"]:
                kind, content = transaction_item(part)
                yield f"dynamodb:{_ACTION_OF_PART[kind]}", content["TableName"]
        case "dynamodb":
            index = f"/index/{body['IndexName']}" if call.reads_index else ""
            for table in call.tables or (EVERYTHING,):
                yield f"dynamodb:{call.operation}", table + index
        case "sqs":
            queue = str(body.get("QueueUrl", EVERYTHING)).rpartition("/")[2]
            yield f"sqs:{call.operation.removesuffix('Batch')}", queue
        case "ssm" if "Name" in body:
            yield f"ssm:{call.operation}", f"parameter/{body['Name'].removeprefix('/')}"
        case "s3":
            yield _of_s3(call)
        case _:
            yield f"{call.service}:{call.operation}", EVERYTHING


def _of_s3(call: Call) -> tuple[str, str]:
    """Requests for a bucket list it, or delete many of its objects; others are for one object."""
    path, _, query = call.path.lstrip("/").partition("?")
    bucket, _, key = path.partition("/")
    if key and call.operation in _ACTION_ON_OBJECT:
        return f"s3:{_ACTION_ON_OBJECT[call.operation]}", f"{bucket}/{key}"
    if call.operation == "GET" and "list-type=2" in query:
        return "s3:ListBucket", bucket
    if call.operation == "POST" and "delete" in query.split("&"):
        return "s3:DeleteObject", f"{bucket}/*"
    return f"s3:{call.operation}", EVERYTHING
