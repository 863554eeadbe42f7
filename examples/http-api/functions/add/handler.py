"""Add a short link to an address. The same address always gets the same link."""

import base64
import hashlib
import json
import os
from typing import Any
from urllib.parse import urlsplit

import boto3

TABLE = os.environ["TABLE"]
DYNAMODB = boto3.client("dynamodb")
MAX_CHARACTERS = 2000


def lambda_handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Answer 201 with the link. The event has payload format 2.0."""
    text = event.get("body") or ""
    try:
        content = json.loads(base64.b64decode(text) if event.get("isBase64Encoded") else text)
        address = str(content["url"])
        is_web = urlsplit(address).scheme in ("http", "https") and address.isascii() and address.isprintable()
    except (ValueError, KeyError, TypeError):
        return answer(400, {"message": 'send JSON such as {"url": "https://example.org"}'})
    if not is_web or len(address) > MAX_CHARACTERS:
        return answer(400, {"message": f"url is not a web address of at most {MAX_CHARACTERS} ASCII characters"})
    link = hashlib.sha256(address.encode()).hexdigest()[:12]
    DYNAMODB.put_item(TableName=TABLE, Item={"link": {"S": link}, "url": {"S": address}})
    return answer(201, {"link": f"https://{event['requestContext']['domainName']}/{link}"})


def answer(status: int, content: dict[str, str]) -> dict[str, Any]:
    """Return a response for API Gateway."""
    return {"statusCode": status, "headers": {"Content-Type": "application/json"}, "body": json.dumps(content)}
