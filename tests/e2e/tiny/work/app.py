"""Note the messages of a queue, and follow the message's instruction."""

import json
import os
import time
from pathlib import Path
from typing import Any


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    failed = []
    for record in event["Records"]:
        _note({**record, "pid": os.getpid()})
        deed = json.loads(record["body"])
        time.sleep(deed.get("sleep", 0))
        if deed.get("fail"):
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}


def _note(record: dict[str, Any]) -> None:
    with (Path(os.environ["NOTES"]) / "work").open("a") as notes:
        notes.write(json.dumps(record) + "\n")
