"""Works off the deliveries: here each becomes an object of the archive. Put your own work in `handle`."""

import json
import os
import re
from typing import Any

import boto3

BUCKET = os.environ["BUCKET"]
S3 = boto3.client("s3")


def lambda_handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Each message stands alone: one that fails comes again, and after five times waits in the dead-letter queue."""
    failed = []
    for record in event["Records"]:
        try:
            handle(json.loads(record["body"]))
        except Exception as error:
            print(json.dumps({"level": "ERROR", "message_id": record["messageId"], "error": repr(error)}))
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}


def handle(delivery: dict[str, Any]) -> None:
    """The key follows from the delivery: one that comes twice is written twice, the same."""
    event, name = (re.sub(r"[^A-Za-z0-9_.-]", "_", delivery[field]) for field in ("event", "delivery"))
    S3.put_object(Bucket=BUCKET, Key=f"{event}/{name}.json", Body=json.dumps(delivery["content"]).encode(), ContentType="application/json")
