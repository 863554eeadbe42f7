"""What the digest reads: the day's images in the catalog, the depth of dead-letter queues."""

from collections.abc import Iterator
from typing import Any

from digest.summary import STATUSES, Image
from shared.clients import client
from shared.deadline import Deadline

# A page and the sending that follows
_RESERVE_S = 10.0


class OutOfTime(Exception):
    """The day's images could not be read in time."""


def images_of(table: str, day: str, deadline: Deadline) -> Iterator[Image]:
    """The images uploaded on the UTC day, newest first within each status, read as they are asked for. Raises OutOfTime."""
    for status in STATUSES:
        pages = client("dynamodb").get_paginator("query").paginate(
            TableName=table,
            IndexName="by_status",
            ScanIndexForward=False,
            KeyConditionExpression="#status = :status AND begins_with(#uploaded_at, :day)",
            ProjectionExpression="#key, #uploaded_at, #bytes, #reason",
            ExpressionAttributeNames={
                "#status": "status", "#uploaded_at": "uploaded_at", "#key": "key", "#bytes": "bytes", "#reason": "reason",
            },
            ExpressionAttributeValues={":status": {"S": status}, ":day": {"S": day}},
        )  # fmt: skip
        for page in pages:
            if not deadline.allows(_RESERVE_S):
                raise OutOfTime(f"the images of {day} could not be read in time; raise the function's timeout")
            for item in page["Items"]:
                yield _image(item, status)


def _image(item: dict[str, Any], status: str) -> Image:
    def text(name: str) -> str:
        return str(item[name]["S"]) if name in item else ""

    return Image(text("key"), text("uploaded_at"), status, int(item["bytes"]["N"]) if "bytes" in item else 0, text("reason"))


def depth_of(queue_url: str) -> int:
    """Messages in a queue, those being received included."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = client("sqs").get_queue_attributes(QueueUrl=queue_url, AttributeNames=names)["Attributes"]
    return sum(int(attributes.get(name, 0)) for name in names)
