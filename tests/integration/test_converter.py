"""Uploaded CSV and JSON files become Parquet. Rows and files that don't fit are rejected with a reason."""

import gzip
import hashlib
import json
import uuid
from pathlib import Path
from typing import Any

import duckdb
import pytest

from eventloom.clouds import client
from tests.integration.support import TIMEOUT_S, Deployment, eventually

CSV = b"id,name,price\n1,one,1.5\n2,two,2.5\n3,three\n4,four,4.5\n5,five,5.5\n6,six,6.5\n"


@pytest.fixture
def dataset() -> str:
    """Return a name that no other test uses."""
    return f"d{uuid.uuid4().hex[:8]}"


def put(deployment: Deployment, key: str, body: bytes) -> str:
    version: str = client("s3").put_object(Bucket=deployment["raw_bucket"], Key=key, Body=body)["VersionId"]
    return version


def read(deployment: Deployment, key: str) -> bytes:
    body: bytes = client("s3").get_object(Bucket=deployment["analytics_bucket"], Key=key)["Body"].read()
    return body


def keys(deployment: Deployment, prefix: str) -> list[str]:
    answer = client("s3").list_objects_v2(Bucket=deployment["analytics_bucket"], Prefix=prefix)
    return [entry["Key"] for entry in answer.get("Contents", [])]


def manifest(deployment: Deployment, dataset: str, key: str, version: str) -> dict[str, Any]:
    """Wait for the manifest of a version of an upload, and return it."""
    name = f"_manifests/{dataset}/{hashlib.sha256(f'{deployment["raw_bucket"]}/{key}'.encode()).hexdigest()[:32]}.json"

    def probe() -> dict[str, Any] | None:
        document: dict[str, Any] = json.loads(read(deployment, name)) if keys(deployment, name) else {}
        return document if document.get("source", {}).get("version_id") == version else None

    return eventually(probe, f"the manifest of {key}", TIMEOUT_S)


def rows(deployment: Deployment, key: str, folder: Path) -> list[tuple[Any, ...]]:
    file = folder / "data.parquet"
    file.write_bytes(read(deployment, key))
    return duckdb.execute("SELECT * FROM read_parquet(?)", [str(file)]).fetchall()


def test_a_csv_becomes_parquet_and_its_bad_row_is_rejected(
    deployment: Deployment, dataset: str, tmp_path: Path
) -> None:
    key = f"raw/{dataset}/prices 2026.csv"
    verdict = manifest(deployment, dataset, key, put(deployment, key, CSV))
    assert (verdict["status"], verdict["rows"], verdict["rejected_by_reason"]) == (
        "CONVERTED",
        5,
        {"too_few_fields": 1},
    )
    assert verdict["parquet"].startswith(f"{dataset}/dt=")
    converted = rows(deployment, verdict["parquet"], tmp_path)
    assert [row[:3] for row in converted] == [
        (1, "one", 1.5),
        (2, "two", 2.5),
        (4, "four", 4.5),
        (5, "five", 5.5),
        (6, "six", 6.5),
    ]
    (reject,) = read(deployment, verdict["rejects"]).splitlines()
    record = json.loads(reject)
    assert (record["line"], record["reason"], record["raw"].strip()) == (4, "too_few_fields", "3,three")


def test_json_lines_and_gzip_are_read(deployment: Deployment, dataset: str, tmp_path: Path) -> None:
    key = f"raw/{dataset}/events.jsonl.gz"
    body = gzip.compress(b'{"id": 1, "city": "\xec\x84\x9c\xec\x9a\xb8"}\nnot json\n{"id": 2}\n')
    verdict = manifest(deployment, dataset, key, put(deployment, key, body))
    assert (verdict["rows"], verdict["rejected_by_reason"]) == (2, {"malformed_json": 1})
    assert [row[:2] for row in rows(deployment, verdict["parquet"], tmp_path)] == [(1, "서울"), (2, None)]


def test_a_new_version_replaces_the_parquet_file_of_the_old_version(
    deployment: Deployment, dataset: str, tmp_path: Path
) -> None:
    key = f"raw/{dataset}/again.csv"
    first = manifest(deployment, dataset, key, put(deployment, key, CSV))
    second = manifest(deployment, dataset, key, put(deployment, key, b"id,name,price\n7,seven,7.5\n"))
    assert second["parquet"] != first["parquet"]
    eventually(lambda: keys(deployment, f"{dataset}/") == [second["parquet"]], "the new version's Parquet file only")
    assert keys(deployment, f"_rejects/{dataset}/") == []
    assert rows(deployment, second["parquet"], tmp_path)[0][:3] == (7, "seven", 7.5)


@pytest.mark.parametrize(
    ("name", "body", "reason"),
    [
        ("empty.csv", b"", "empty"),
        ("photo.png", b"\x89PNG", "unsupported_format"),
        ("broken.csv.gz", gzip.compress(CSV)[:30], "corrupt_gzip"),
    ],
)
def test_a_file_that_is_not_a_table_is_rejected_with_a_reason(
    deployment: Deployment, dataset: str, name: str, body: bytes, reason: str
) -> None:
    key = f"raw/{dataset}/{name}"
    verdict = manifest(deployment, dataset, key, put(deployment, key, body))
    assert (verdict["status"], verdict["reason"], verdict["parquet"]) == ("REJECTED", reason, None)
    assert keys(deployment, f"{dataset}/") == []


def test_the_same_event_again_changes_nothing(deployment: Deployment, dataset: str) -> None:
    key = f"raw/{dataset}/twice.csv"
    version = put(deployment, key, CSV)
    verdict = manifest(deployment, dataset, key, version)
    before = read(deployment, verdict["parquet"])
    source = verdict["source"]
    s3_object = {
        "key": key.replace(" ", "+"),
        "versionId": version,
        "eTag": source["etag"],
        "sequencer": source["sequencer"],
        "size": len(CSV),
    }
    record = {
        "eventName": "ObjectCreated:Put",
        "eventTime": source["event_time"],
        "s3": {"bucket": {"name": deployment["raw_bucket"]}, "object": s3_object},
    }
    deployment.invoke("converter", {"Records": [record]})
    assert manifest(deployment, dataset, key, version) == verdict
    assert read(deployment, verdict["parquet"]) == before
    assert keys(deployment, f"{dataset}/") == [verdict["parquet"]]


def test_an_event_without_a_version_converts_the_current_object(deployment: Deployment, dataset: str) -> None:
    """Operators and buckets without versions send such events. A missing object is reported as missing."""
    key = f"raw/{dataset}/by hand.csv"
    source = manifest(deployment, dataset, key, put(deployment, key, CSV))["source"]

    def converted(key: str) -> str:
        s3_object = {
            "key": key.replace(" ", "+"),
            "eTag": source["etag"],
            "sequencer": source["sequencer"] + "FF",
            "size": len(CSV),
        }
        record = {
            "eventName": "ObjectCreated:Put",
            "eventTime": source["event_time"],
            "s3": {"bucket": {"name": deployment["raw_bucket"]}, "object": s3_object},
        }
        (result,) = deployment.invoke("converter", {"Records": [record]})["results"]
        status: str = result["status"]
        return status

    assert (converted(key), converted(f"{key}.gone")) == ("CONVERTED", "GONE")


def test_an_event_without_a_sequencer_is_compared_with_the_current_version(
    deployment: Deployment, dataset: str
) -> None:
    key = f"raw/{dataset}/unordered.csv"
    old = put(deployment, key, CSV)
    manifest(deployment, dataset, key, old)
    new = put(deployment, key, b"id,name,price\n7,seven,7.5\n")
    verdict = manifest(deployment, dataset, key, new)
    record = {
        "eventName": "ObjectCreated:Put",
        "eventTime": verdict["source"]["event_time"],
        "s3": {
            "bucket": {"name": deployment["raw_bucket"]},
            "object": {"key": key, "versionId": old, "eTag": "0" * 32, "size": len(CSV)},
        },
    }
    deployment.invoke("converter", {"Records": [record]})
    assert manifest(deployment, dataset, key, new) == verdict
    client("s3").delete_object(Bucket=deployment["raw_bucket"], Key=key)
    deployment.invoke("converter", {"Records": [record]})
    assert manifest(deployment, dataset, key, new) == verdict


@pytest.mark.needs("iam_enforcement")
def test_a_temporary_failure_is_retried_until_it_succeeds(deployment: Deployment, dataset: str) -> None:
    key = f"raw/{dataset}/outage.csv"
    failures = len(deployment.log_lines("converter", "AccessDenied"))
    with deployment.outage("converter", "s3:PutObject"):
        version = put(deployment, key, CSV)
        eventually(
            lambda: len(deployment.log_lines("converter", "AccessDenied")) > failures, "a failed attempt in the log"
        )
        assert keys(deployment, f"{dataset}/") == []
    assert manifest(deployment, dataset, key, version)["status"] == "CONVERTED"


@pytest.mark.needs("iam_enforcement")
def test_a_lasting_failure_is_queued_with_its_event(deployment: Deployment, dataset: str) -> None:
    key = f"raw/{dataset}/lost.csv"
    with deployment.outage("converter", "s3:PutObject"):
        put(deployment, key, CSV)
        (failure,) = eventually(lambda: deployment.failures("converter"), "the failed event in the queue of failures")
    assert failure["requestPayload"]["Records"][0]["s3"]["object"]["key"] == key
