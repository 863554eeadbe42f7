"""Provide a cloud in moto, conversions without a cloud, and readers of the results."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
os.environ.setdefault("AWS_ACCESS_KEY_ID", "testing")
os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "testing")
os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "Eventloom/test")
os.environ.setdefault("POWERTOOLS_SERVICE_NAME", "test")
os.environ.setdefault("ANALYTICS_BUCKET", "analytics")

import duckdb
import pytest
from moto import mock_aws

from converter import handler
from converter.conversion import Outcome, convert
from converter.converter import Convert, Converter
from converter.glue import Tables
from converter.sources import sources
from converter.staging import Limits
from converter.storage import Analytics, Uploads
from shared.clients import client
from shared.deadline import Deadline

type Run = Callable[..., Outcome]


class Context:
    """The parts of Lambda's context that the function uses."""

    aws_request_id = "invocation-id"

    def __init__(self, milliseconds: int = 300_000) -> None:
        self.milliseconds = milliseconds

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds


def types_of(outcome: Any) -> dict[str, str]:
    """Return the type of each column of the outcome, by its name."""
    return {column["name"]: column["type"] for column in outcome.facts["columns"]}


def rows_of(parquet: Path | None) -> list[tuple[Any, ...]]:
    assert parquet is not None
    with duckdb.connect(config={"threads": 1}) as connection:
        return connection.execute("SELECT * FROM read_parquet(?)", [str(parquet)]).fetchall()


def rejects_of(rejects: Path | None) -> list[dict[str, Any]]:
    return [json.loads(line) for line in rejects.read_text("utf-8").splitlines()] if rejects else []


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return a function that converts content as if it had been uploaded under a name."""
    count = 0

    def convert_content(
        name: str, content: bytes | str, types: dict[str, str] | None = None, milliseconds: int = 300_000, **limits: Any
    ) -> Outcome:
        nonlocal count
        count += 1
        folder = tmp_path / str(count)
        folder.mkdir()
        source = folder / "source"
        source.write_bytes(content.encode() if isinstance(content, str) else content)
        return convert(
            source,
            name,
            types or {},
            Limits(**{"memory_limit_mb": 128} | limits),
            Deadline(Context(milliseconds), reserve_s=0),
        )

    return convert_content


@pytest.fixture
def cloud() -> Iterator[None]:
    """Provide an uploads bucket with versions and an analytics bucket."""
    with mock_aws():
        client.cache_clear()
        for bucket in ("uploads", "analytics"):
            client("s3").create_bucket(Bucket=bucket)
        client("s3").put_bucket_versioning(Bucket="uploads", VersioningConfiguration={"Status": "Enabled"})
        yield
    client.cache_clear()


def upload(key: str, content: bytes | str, sequencer: str = "01", day: str = "2026-11-22") -> dict[str, Any]:
    """Put an object and return the event that S3 sends for it."""
    version = client("s3").put_object(Bucket="uploads", Key=key, Body=content)
    s3_object = {
        "key": key,
        "size": len(content),
        "eTag": version["ETag"].strip('"'),
        "versionId": version["VersionId"],
        "sequencer": sequencer,
    }
    record = {
        "eventName": "ObjectCreated:Put",
        "eventTime": f"{day}T12:00:00.000Z",
        "s3": {"bucket": {"name": "uploads"}, "object": s3_object},
    }
    return {"Records": [record]}


def invoke(event: dict[str, Any]) -> list[dict[str, Any]]:
    return list(handler.lambda_handler(event, Context())["results"])


def handle(
    event: dict[str, Any],
    analytics: Analytics | None = None,
    tables: Tables | None = None,
    convert: Convert = convert,
    deadline: Deadline | None = None,
) -> tuple[str, dict[str, Any]]:
    """Convert the object of an event by a Converter with other parts. Return the status and the facts."""
    (source,) = sources(event, "raw/")
    uploads = Uploads(client("s3"))
    analytics = analytics or Analytics(client("s3"), "analytics", uploads)
    converter = Converter(handler.SETTINGS, uploads, analytics, tables, convert)
    return converter.handle(source, deadline or Deadline(Context(), reserve_s=0))


def read_objects() -> dict[str, bytes]:
    entries = client("s3").list_objects_v2(Bucket="analytics").get("Contents", [])
    return {
        entry["Key"]: client("s3").get_object(Bucket="analytics", Key=entry["Key"])["Body"].read() for entry in entries
    }


def manifest() -> dict[str, Any]:
    (text,) = [content for key, content in read_objects().items() if key.startswith("_manifests/")]
    document: dict[str, Any] = json.loads(text)
    return document


def table(tmp_path: Path) -> list[tuple[Any, ...]]:
    (parquet,) = [content for key, content in read_objects().items() if key.endswith(".parquet")]
    (tmp_path / "x.parquet").write_bytes(parquet)
    return rows_of(tmp_path / "x.parquet")
