"""Receive webhooks as GitHub sends them: check the signature, put the delivery on the queue, and answer."""

import base64
import hashlib
import hmac
import json
import os
import time
from functools import lru_cache
from typing import Any

import boto3

QUEUE_URL, SECRET_NAME = os.environ["QUEUE_URL"], os.environ["SECRET_NAME"]
SQS, SSM = boto3.client("sqs"), boto3.client("ssm")
# A message can have 256 KiB, and the envelope needs some of them.
MAX_BYTES = 200_000


@lru_cache(maxsize=1)
def secret(_period: int) -> bytes:
    """Return the webhook's secret. It is read again every five minutes, so that it can be changed."""
    value: str = SSM.get_parameter(Name=SECRET_NAME, WithDecryption=True)["Parameter"]["Value"]
    return value.encode()


def lambda_handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Answer 202 once the delivery is on the queue. An error becomes a 502, and the sender tries again."""
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    text = event.get("body") or ""
    body = base64.b64decode(text) if event.get("isBase64Encoded") else text.encode()
    signature = "sha256=" + hmac.new(secret(int(time.time() // 300)), body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(signature.encode(), headers.get("x-hub-signature-256", "").encode()):
        return answer(401, "the signature is wrong")
    if len(body) > MAX_BYTES:
        return answer(413, f"more than {MAX_BYTES} bytes")
    try:
        content = json.loads(body)
    except ValueError:
        return answer(400, "not JSON")
    delivery = headers.get("x-github-delivery") or hashlib.sha256(body).hexdigest()
    message = {"delivery": delivery, "event": headers.get("x-github-event", "unknown"), "content": content}
    SQS.send_message(QueueUrl=QUEUE_URL, MessageBody=json.dumps(message))
    return answer(202, delivery)


def answer(status: int, message: str) -> dict[str, Any]:
    """Return a response for API Gateway."""
    body = json.dumps({"message": message})
    return {"statusCode": status, "headers": {"Content-Type": "application/json"}, "body": body}
