"""The deployed function's own code over HTTP with a catalog of many images: `many.py COUNT`; prints its address.

Each page of the listing is the function's answer to an event of API Gateway. Only DynamoDB's index is a list in memory: in the deployed
catalog every image would send a notice, and moto takes seconds to find a page among so many.
"""

# ruff: noqa: E402 - the function reads its settings when it is imported

import base64
import io
import os
import random
import sys
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from typing import Any
from urllib.parse import parse_qs, urlsplit

COUNT = int(sys.argv[1])
SERVER = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
ADDRESS = f"http://127.0.0.1:{SERVER.server_port}"
os.environ |= {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ENDPOINT_URL_S3": ADDRESS,  # where presigned thumbnails are fetched; no call of S3 is made
    "CATALOG_TABLE": "catalog",
    "POWERTOOLS_LOG_LEVEL": "CRITICAL",
    "POWERTOOLS_METRICS_NAMESPACE": "Eventloom/test",
    "POWERTOOLS_SERVICE_NAME": "catalog_api",
    "STATE_TABLE": "state",
    "THUMBNAILS_BUCKET": "thumbnails",
    "UPLOADS_BUCKET": "uploads",
}

from PIL import Image

from catalog_api import catalog
from catalog_api.handler import lambda_handler

ONE_AT_A_TIME = Lock()  # as in an execution environment


class Context:
    """As much of Lambda's context as the function uses."""

    function_name = memory_limit_in_mb = invoked_function_arn = aws_request_id = "many"

    def get_remaining_time_in_millis(self) -> int:
        return 29_000


def item(number: int, chance: random.Random) -> dict[str, Any]:
    """The catalog's item of the image `number`, 97 a day."""
    image_id = f"{number:032x}"
    at = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(minutes=number * 1440 / 97)
    width, height = chance.choice([(4000, 3000), (3000, 4000), (3000, 2000), (2000, 2000), (4000, 1800)])
    colour = f"#{chance.randrange(1 << 24):06x}"
    thumbnail = {"key": f"{image_id}/{colour[1:]}/512.jpg", "width": str(512), "height": str(512 * height // width)}
    packed = {
        name: {"N" if name in {"width", "height"} else "S": value} for name, value in (thumbnail | {"content_type": "image/jpeg"}).items()
    }
    return {
        "image_id": {"S": image_id},
        "key": {"S": f"web/{at:%Y/%m/%d}/{'ab' * 16}-photo{number}.jpg"},
        "status": {"S": "READY"},
        "uploaded_at": {"S": f"{at:%Y-%m-%dT%H:%M:%S}.000Z"},
        "format": {"S": "JPEG"},
        "width": {"N": str(width)},
        "height": {"N": str(height)},
        "dominant_color": {"S": colour},
        "blurhash": {"S": "LEHV6nWB2yk8pyo0adR*.7kCMdnj"},
        "thumbnails": {"M": {"512": {"M": packed}}},
    }


class Index:
    """The index by_status of the catalog table, newest first, as far as a listing asks for it."""

    def __init__(self) -> None:
        chance = random.Random(7)
        self.items = [item(number, chance) for number in reversed(range(COUNT))]
        self.position = {found["image_id"]["S"]: at for at, found in enumerate(self.items)}

    def query(self, **asked: Any) -> dict[str, Any]:
        """A page as DynamoDB answers it; there are no images of other statuses."""
        if asked["ExpressionAttributeValues"][":status"]["S"] != "READY":
            return {"Items": []}
        after = asked.get("ExclusiveStartKey")
        start = self.position[after["image_id"]["S"]] + 1 if after else 0
        end = start + asked["Limit"]
        last = self.items[min(end, COUNT) - 1]
        return {"Items": self.items[start:end]} | ({"LastEvaluatedKey": last} if end < COUNT else {})


class Front(BaseHTTPRequestHandler):
    """API Gateway and S3, as far as a browser that only looks needs them."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path.startswith("/thumbnails/"):
            colour = url.path.split("/")[3]
            out = io.BytesIO()
            Image.new("RGB", (64, 48), f"#{colour}").save(out, "JPEG")
            return self.answer(200, {"Content-Type": "image/jpeg"}, out.getvalue())
        query = parse_qs(url.query)
        event = {
            "httpMethod": "GET",
            "path": url.path,
            "body": None,
            "isBase64Encoded": False,
            "headers": dict(self.headers),
            "multiValueHeaders": {name: [value] for name, value in self.headers.items()},
            "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
            "multiValueQueryStringParameters": query or None,
            "requestContext": {"path": url.path, "requestId": "many"},
        }
        with ONE_AT_A_TIME:
            answer = lambda_handler(event, Context())
        body = base64.b64decode(answer["body"]) if answer["isBase64Encoded"] else answer["body"].encode()
        headers = {name: ", ".join(values) for name, values in answer["multiValueHeaders"].items()}
        return self.answer(answer["statusCode"], headers, body)

    def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    index = Index()
    catalog.client = lambda _: index  # type: ignore[assignment]
    SERVER.RequestHandlerClass = Front
    print(f"{ADDRESS}/", flush=True)
    SERVER.serve_forever()
