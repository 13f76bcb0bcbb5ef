"""Errors in the form of AWS's services, for boto3 to raise the same exceptions."""

import json
import random
import zlib
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from local.aws.call import Call

_PREFIXES = {"dynamodb": "com.amazonaws.dynamodb.v20120810#", "sqs": "com.amazonaws.sqs#"}


def throttled(call: Call) -> web.Response:
    if call.service == "dynamodb":
        text = "The level of configured provisioned throughput for the table was exceeded."
        return error(call, 400, "ProvisionedThroughputExceededException", text)
    if call.service == "s3":
        return error(call, 503, "SlowDown", "Please reduce your request rate.")
    return error(call, 400, "ThrottlingException", "Rate exceeded")


def failed(call: Call) -> web.Response:
    return error(call, 500, "InternalServerError", "The request processing has failed for an unknown reason.")


def unreachable(call: Call) -> web.Response:
    return error(call, 503, "ServiceUnavailable", "The emulator did not answer.")


def conflict(call: Call, lottery: random.Random) -> web.Response:
    if call.operation != "TransactWriteItems":
        return error(call, 400, "TransactionConflictException", "Transaction is ongoing for the item")
    items = (call.body or {}).get("TransactItems", [])
    reasons: list[dict[str, Any]] = [{"Code": "None"} for _ in items]
    if reasons:
        reason = {"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}
        reasons[lottery.randrange(len(reasons))] = reason
    codes = ", ".join(reason["Code"] for reason in reasons)
    text = f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]"
    return error(call, 400, "TransactionCanceledException", text, {"CancellationReasons": reasons})


def error(
    call: Call, status: int, code: str, text: str, more: Mapping[str, Any] | None = None
) -> web.Response:
    if call.service == "s3":
        body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{text}</Message></Error>".encode()
        return web.Response(status=status, body=body, content_type="application/xml")
    content = {"__type": _PREFIXES.get(call.service, "") + code, "message": text, **(more or {})}
    body = json.dumps(content).encode()
    headers = {"Content-Type": "application/x-amz-json-1.0", "x-amz-crc32": checksum(body)}
    return web.Response(status=status, body=body, headers=headers)


def checksum(body: bytes) -> str:
    """The x-amz-crc32 header, which boto3 holds against the body of every answer of DynamoDB."""
    return str(zlib.crc32(body))
