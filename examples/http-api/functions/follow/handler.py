"""Redirect a browser from a short link to its address."""

import os
from typing import Any

import boto3

TABLE = os.environ["TABLE"]
DYNAMODB = boto3.client("dynamodb")


def lambda_handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Answer 302 with the address, or 404 for an unknown link."""
    key = {"link": {"S": event["pathParameters"]["link"]}}
    item = DYNAMODB.get_item(TableName=TABLE, Key=key).get("Item")
    if not item:
        return {"statusCode": 404, "headers": {"Content-Type": "text/plain"}, "body": "There is no such link."}
    return {"statusCode": 302, "headers": {"Location": item["url"]["S"], "Cache-Control": "max-age=300"}}
