"""Notes the changes of a table; an item with `fail` is reported, one with `raise` raises."""

import json
import os
from pathlib import Path
from typing import Any


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    images = [record["dynamodb"]["NewImage"] for record in event["Records"]]
    if any("raise" in image for image in images):
        raise ValueError("as told")
    with (Path(os.environ["NOTES"]) / "follow").open("a") as notes:
        for record, image in zip(event["Records"], images, strict=True):
            if "fail" in image:
                return {"batchItemFailures": [{"itemIdentifier": record["dynamodb"]["SequenceNumber"]}]}
            notes.write(json.dumps(record) + "\n")
    return {"batchItemFailures": []}
