"""Count the objects of a bucket by their first folder, and write the counts to reports/<day>.json."""

import json
import os
from collections import Counter
from typing import Any

import boto3

BUCKET = os.environ["BUCKET"]
S3 = boto3.client("s3")


def lambda_handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Write the report for the day of the scheduled event. A second delivery writes the same report again."""
    day = event["time"][:10]
    objects: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for page in S3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
        for entry in page.get("Contents", []):
            folder = entry["Key"].partition("/")[0] if "/" in entry["Key"] else ""
            objects[folder] += 1
            sizes[folder] += entry["Size"]
    folders = {
        folder: {"objects": objects[folder], "bytes": sizes[folder]}
        for folder in sorted(objects)
        if folder != "reports"
    }
    report = {"day": day, "bucket": BUCKET, "folders": folders}
    body = json.dumps(report).encode()
    S3.put_object(Bucket=BUCKET, Key=f"reports/{day}.json", Body=body, ContentType="application/json")
    return report
