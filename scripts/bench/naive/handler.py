"""Handle S3 events from SQS as tutorials do: one photo at a time, each size by `thumbnail()` from the original."""

import io
import json
import os
from typing import Any
from urllib.parse import unquote_plus

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.idempotency import (  # noqa: F401 - imported to measure its cold start
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
)
from PIL import Image
from pydantic import BaseModel

Image.init()
logger = Logger()
processor = BatchProcessor(event_type=EventType.SQS)
s3 = boto3.client("s3")
dynamodb = boto3.client("dynamodb")


class Entry(BaseModel):
    """The recorded facts of a photo."""

    key: str
    width: int
    height: int


def handle(record: Any) -> None:
    """Create the thumbnails of every object in a message, and record each object."""
    for event in json.loads(record.body).get("Records", []):
        bucket, key = event["s3"]["bucket"]["name"], unquote_plus(event["s3"]["object"]["key"])
        data = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        for size in (1280, 512, 128):
            image = Image.open(io.BytesIO(data))
            entry = Entry(key=key, width=image.width, height=image.height)
            image.thumbnail((size, size))
            file = io.BytesIO()
            image.convert("RGB").save(file, "JPEG", quality=80)
            s3.put_object(Bucket=os.environ["THUMBNAILS_BUCKET"], Key=f"{key}/{size}.jpg", Body=file.getvalue())
        item = {
            "image_id": {"S": key},
            "width": {"N": str(entry.width)},
            "height": {"N": str(entry.height)},
            "status": {"S": "READY"},
        }
        dynamodb.put_item(TableName=os.environ["CATALOG_TABLE"], Item=item)


def lambda_handler(event: Any, context: Any) -> Any:
    """Handle an SQS event."""
    return process_partial_response(event=event, record_handler=handle, processor=processor, context=context)
