"""Process the deliveries of the queue. Each is written to the archive bucket; put your own work in `handle`."""

import json
import os
import re
from typing import Any

import boto3

BUCKET = os.environ["BUCKET"]
S3 = boto3.client("s3")


def lambda_handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Handle each message on its own.

    A message that fails is delivered again. After five attempts it moves to the dead-letter queue.
    """
    failed = []
    for record in event["Records"]:
        try:
            handle(json.loads(record["body"]))
        except Exception as error:
            print(json.dumps({"level": "ERROR", "message_id": record["messageId"], "error": repr(error)}))
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}


def handle(delivery: dict[str, Any]) -> None:
    """Write a delivery to the archive. The key depends only on the delivery, so a second write changes nothing."""
    event, name = (re.sub(r"[^A-Za-z0-9_.-]", "_", delivery[field]) for field in ("event", "delivery"))
    body = json.dumps(delivery["content"]).encode()
    S3.put_object(Bucket=BUCKET, Key=f"{event}/{name}.json", Body=body, ContentType="application/json")
