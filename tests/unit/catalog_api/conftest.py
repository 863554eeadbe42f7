"""Provide a catalog in moto, and a client that checks each answer against the OpenAPI document."""

import base64
import gzip
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
os.environ.setdefault("AWS_ACCESS_KEY_ID", "testing")
os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "testing")
os.environ.setdefault("POWERTOOLS_SERVICE_NAME", "catalog_api")
os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "Eventloom/test")
os.environ.setdefault("UPLOADS_BUCKET", "uploads")
os.environ.setdefault("THUMBNAILS_BUCKET", "thumbnails")
os.environ.setdefault("CATALOG_TABLE", "catalog")
os.environ.setdefault("STATE_TABLE", "state")
os.environ.setdefault("ALLOWED_ORIGINS", "https://photos.example.com,https://admin.example.com")

import jsonschema  # type: ignore[import-untyped]
import pytest
from moto import mock_aws

from catalog_api.app import Api as CatalogApi
from catalog_api.handler import api_of, lambda_handler, respond
from catalog_api.settings import SETTINGS
from catalog_api.storage import s3_client
from shared import listing
from shared.clients import client
from shared.dynamodb import plain

EVENTS = Path(__file__).parents[3] / "functions/catalog_api/events"
# The clients are created once, because that takes longer than most tests.
DYNAMODB, S3 = client("dynamodb"), s3_client()
DEPLOYED = api_of(SETTINGS, DYNAMODB, S3)


class Context:
    """The parts of Lambda's context that the function uses."""

    function_name = "catalog-api"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:catalog-api"
    aws_request_id = "invocation-id"

    def __init__(self, milliseconds: int) -> None:
        self.milliseconds = milliseconds

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def text(self) -> str:
        return self.content.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.text)


class Api:
    """Calls the API as API Gateway or a load balancer does. Every answer must follow the OpenAPI document."""

    def __init__(self, deployed: CatalogApi = DEPLOYED) -> None:
        self.deployed = deployed
        self.document = self.send("GET", "/openapi.json", check=False).json

    def send(
        self, method: str, path: str, *, body: Any = None, query: dict[str, Any] | None = None, **options: Any
    ) -> Answer:
        """Send a request and return the answer.

        Options: headers, by ("rest", "alb", "alb-multi-value"), milliseconds, check (True) and base64 (False).
        A body of bytes is always sent as base64.
        """
        headers = (
            {"accept": "*/*"}
            | ({"content-type": "application/json"} if body is not None else {})
            | options.get("headers", {})
        )
        text = body if isinstance(body, str | bytes) or body is None else json.dumps(body)
        encoded = isinstance(text, bytes) or options.get("base64", False)
        if encoded and text:
            text = base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()
        event = {"httpMethod": method, "path": path, "body": text, "isBase64Encoded": encoded}
        gateway = options.get("by", "rest")
        event |= (
            _rest(path, headers, query)
            if gateway == "rest"
            else _load_balancer(headers, query, multiple=gateway == "alb-multi-value")
        )
        answer = _read(respond(self.deployed, event, Context(options.get("milliseconds", 29_000))))
        if options.get("check", True):
            self.check(method, path, answer)
        return answer

    def check(self, method: str, path: str, answer: Answer) -> None:
        """Check that status, content type and body match the document."""
        kind = answer.headers.get("content-type", "")
        if answer.status >= 400:
            assert kind == "application/problem+json"
            assert answer.json["status"] == answer.status
            self.conforms(answer, {"$ref": "#/components/schemas/ProblemDocument"})
        operation = self._operation(method, path)
        if operation is None:
            return
        documented = operation["responses"][str(answer.status)]
        if not documented.get("content"):
            assert not answer.text
            return
        self.conforms(answer, documented["content"][kind]["schema"])

    def conforms(self, answer: Answer, schema: dict[str, Any]) -> None:
        """Check that the body conforms to a schema of the document."""
        jsonschema.validate(
            answer.json, {**schema, "components": self.document["components"]}, jsonschema.Draft202012Validator
        )

    def _operation(self, method: str, path: str) -> dict[str, Any] | None:
        parts = path.strip("/").split("/")
        exact_first = sorted(self.document["paths"].items(), key=lambda entry: entry[0] != path)
        for template, operations in exact_first:
            names = template.strip("/").split("/")
            if len(names) == len(parts) and all(
                name in (part, f"{{{name[1:-1]}}}") for name, part in zip(names, parts, strict=True)
            ):
                operation: dict[str, Any] | None = operations.get(method.lower())
                return operation
        return None


def _read(raw: dict[str, Any]) -> Answer:
    """Return the response that a client receives for a proxy answer."""
    multiple = raw.get("multiValueHeaders") or {name: [value] for name, value in raw["headers"].items()}
    headers = {name.lower(): ", ".join(values) for name, values in multiple.items()}
    body = raw["body"] or ""
    content = base64.b64decode(body) if raw["isBase64Encoded"] else body.encode()
    if headers.get("content-encoding") == "gzip":
        content = gzip.decompress(content)
    return Answer(raw["statusCode"], headers, content)


def _rest(path: str, headers: dict[str, str], query: dict[str, Any] | None) -> dict[str, Any]:
    lists = {name: value if isinstance(value, list) else [value] for name, value in (query or {}).items()}
    return {
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": {name: values[-1] for name, values in lists.items()} or None,
        "multiValueQueryStringParameters": lists or None,
        "requestContext": {"stage": "live", "path": f"/live{path}", "requestId": "request-id"},
    }


def _load_balancer(headers: dict[str, str], query: dict[str, Any] | None, multiple: bool) -> dict[str, Any]:
    """Return the parts of a load balancer's event.

    A target group sends either single values or lists, depending on its configuration.
    """
    context = {"requestContext": {"elb": {"targetGroupArn": "arn:aws:tg"}}}
    if not multiple:
        return {"headers": headers, "queryStringParameters": query or {}, **context}
    as_lists = {name: value if isinstance(value, list) else [value] for name, value in (query or {}).items()}
    return {
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "multiValueQueryStringParameters": as_lists,
        **context,
    }


@pytest.fixture
def aws() -> Iterator[None]:
    """Provide empty buckets and tables as Terraform creates them."""
    with _cloud():
        yield


@contextmanager
def _cloud() -> Iterator[None]:
    with mock_aws():
        for bucket in (SETTINGS.uploads_bucket, SETTINGS.thumbnails_bucket):
            S3.create_bucket(Bucket=bucket)
        S3.put_bucket_versioning(Bucket=SETTINGS.uploads_bucket, VersioningConfiguration={"Status": "Enabled"})
        _table(SETTINGS.state_table, "pk", {})
        _table(SETTINGS.catalog_table, "image_id", INDEXES)
        yield


# As in terraform/storage.tf
INDEXES = {
    "by_status": (("status", "uploaded_at"), "ALL"),
    "by_taken": (("shelf", "taken_key"), "ALL"),
    "by_sha256": (("sha256",), "KEYS_ONLY"),
}


def _table(name: str, key: str, indexes: dict[str, tuple[tuple[str, ...], str]]) -> None:
    more: dict[str, Any] = {}
    if indexes:
        more["GlobalSecondaryIndexes"] = [
            {"IndexName": index, "KeySchema": _schema(parts), "Projection": {"ProjectionType": projection}}
            for index, (parts, projection) in indexes.items()
        ]
    attributes = {key, *(part for parts, _ in indexes.values() for part in parts)}
    DYNAMODB.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=_schema((key,)),
        AttributeDefinitions=[{"AttributeName": part, "AttributeType": "S"} for part in sorted(attributes)],
        **more,
    )


def _schema(parts: tuple[str, ...]) -> list[dict[str, str]]:
    return [{"AttributeName": part, "KeyType": kind} for part, kind in zip(parts, ("HASH", "RANGE"), strict=False)]


@pytest.fixture
def api(aws: None) -> Api:
    return Api()


@pytest.fixture
def put_image(aws: None) -> Callable[..., str]:
    """Return `put_image(number, status="READY", **attributes)`, which adds an image and returns its id."""
    return _put_image


def _put_image(number: int, status: str = "READY", *, listed: bool = True, **fields: Any) -> str:
    image_id = f"{number:032x}"
    key = fields.pop("key", f"web/2026/11/{number % 28 + 1:02d}/{'ab' * 16}-photo{number}.jpg")
    item: dict[str, Any] = {
        "image_id": {"S": image_id},
        "bucket": {"S": SETTINGS.uploads_bucket},
        "key": {"S": key},
        "status": {"S": status},
        "uploaded_at": {"S": f"2026-11-{number % 28 + 1:02d}T09:30:00.{number:03d}Z"},
        "processed_at": {"S": "2026-11-30T09:30:02.000Z"},
        "bytes": {"N": str(1000 + number)},
        "format": {"S": "JPEG"},
        "width": {"N": "4000"},
        "height": {"N": "3000"},
        "thumbnails": {"M": {size: {"M": _thumbnail(image_id, size)} for size in ("1280", "128")}},
    }
    if status == "REJECTED":
        item |= {"reason": {"S": "corrupt"}, "reason_text": {"S": "The file is damaged."}, "thumbnails": {"M": {}}}
        del item["format"]
    item |= fields
    if status != "DELETED" and listed:
        item |= {name: {"S": value} for name, value in listing.attributes(plain(item)).items()}
    DYNAMODB.put_item(TableName=SETTINGS.catalog_table, Item=item)
    return image_id


def _thumbnail(image_id: str, size: str) -> dict[str, Any]:
    return {
        "key": {"S": f"{image_id}/0123456789ab/{size}.jpg"},
        "width": {"N": size},
        "height": {"N": "96"},
        "bytes": {"N": "5000"},
        "content_type": {"S": "image/jpeg"},
    }


@pytest.fixture(scope="module")
def shared_api() -> Iterator[Api]:
    """Provide one API for many generated requests."""
    with _cloud():
        yield Api()


@pytest.fixture
def send_recorded(aws: None) -> Callable[[Path], Answer]:
    """Return a function that sends an event of the function's events/ folder."""
    return lambda name: _read(lambda_handler(json.loads((EVENTS / name).read_text()), Context(29_000)))
