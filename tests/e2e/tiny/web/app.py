"""Answers with the event that it got, or as the path says."""

import json
import os
import sys
import time
from typing import Any


def handler(event: dict[str, Any], context: Any) -> Any:
    match event.get("pathParameters", {}).get("deed"):
        case "raise":
            raise ValueError("as told")
        case "sleep":
            time.sleep(60)
        case "exit":
            sys.exit(3)
        case "infer":
            return {"plain": True}
        case "look":
            return {"environment": dict(os.environ), "path": sys.path, "context": _seen(context)}
        case "bytes":
            return {
                "statusCode": 200,
                "headers": {"Content-Type": "image/png"},
                "isBase64Encoded": True,
                "body": "iVBO",
            }
    body = json.dumps(event)
    return {"statusCode": 200, "headers": {"Content-Type": "application/json", "ETag": '"1"'}, "body": body}


def _seen(context: Any) -> dict[str, Any]:
    return {
        "request_id": context.aws_request_id,
        "name": context.function_name,
        "left": context.get_remaining_time_in_millis(),
        "memory": context.memory_limit_in_mb,
        "arn": context.invoked_function_arn,
    }
