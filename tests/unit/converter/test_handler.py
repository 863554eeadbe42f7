"""The function converts objects in moto's S3: keys, manifests, versions and verdicts."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from converter import handler
from converter.sources import sources
from shared.clients import client

from .conftest import invoke, manifest, read_objects, rejects_of, table, upload

EVENTS = Path(__file__).parents[3] / "functions/converter/events"
pytestmark = pytest.mark.usefixtures("cloud")


def test_an_upload_becomes_parquet_rejects_schema_and_manifest(tmp_path: Path) -> None:
    event = upload("raw/orders/eu/a.csv", "id,name\n1,a\n2\n")
    assert invoke(event) == [{"key": "raw/orders/eu/a.csv", "status": "CONVERTED", "rows": 1, "rejected": 1}]
    document = manifest()
    assert set(read_objects()) == {
        document["parquet"],
        document["rejects"],
        "_schemas/orders.json",
        f"_manifests/orders/{document['parquet'][21:53]}.json",
    }
    assert document["parquet"].startswith("orders/dt=2026-11-22/")
    assert document["rejects"].startswith("_rejects/orders/dt=2026-11-22/")
    assert document["source"]["version_id"] == event["Records"][0]["s3"]["object"]["versionId"]
    assert table(tmp_path) == [(1, "a")]
    (tmp_path / "rejects").write_bytes(read_objects()[document["rejects"]])
    assert rejects_of(tmp_path / "rejects")[0]["raw"] == "2\n"
    assert json.loads(read_objects()["_schemas/orders.json"])["columns"] == {"id": "BIGINT", "name": "VARCHAR"}


def test_the_same_event_again_changes_nothing() -> None:
    event = upload("raw/orders/a.csv", "id,name\n1,a\n2\n")
    invoke(event)
    before = read_objects()
    assert invoke(event)[0]["status"] == "CONVERTED"
    assert read_objects() == before


def test_a_newer_version_replaces_the_older_one_even_on_another_day(tmp_path: Path) -> None:
    first = upload("raw/orders/a.csv", "id\n1\nx,\n", "0A")
    invoke(first)
    second = upload("raw/orders/a.csv", "id\n2\n", "0A1", day="2026-11-23")
    invoke(second)
    assert table(tmp_path) == [(2,)]
    assert not [key for key in read_objects() if key.startswith("_rejects/")]
    assert invoke(first) == [{"key": "raw/orders/a.csv", "status": "OUTDATED"}]
    assert table(tmp_path) == [(2,)]


@pytest.mark.parametrize("sequencer", ["01", ""])
def test_s3_decides_the_order_if_sequencers_do_not(tmp_path: Path, sequencer: str) -> None:
    first, second = upload("raw/orders/a.csv", "id\n1\n", sequencer), upload("raw/orders/a.csv", "id\n2\n", sequencer)
    assert invoke(second)[0]["status"] == "CONVERTED"
    assert invoke(first)[0]["status"] == "OUTDATED"
    assert table(tmp_path) == [(2,)]


@pytest.mark.parametrize("sequencer", ["01", ""])
def test_the_current_version_replaces_the_older_one_if_sequencers_do_not_decide(tmp_path: Path, sequencer: str) -> None:
    first, second = upload("raw/orders/a.csv", "id\n1\n", sequencer), upload("raw/orders/a.csv", "id\n2\n", sequencer)
    assert [invoke(event)[0]["status"] for event in (first, second)] == ["CONVERTED", "CONVERTED"]
    assert table(tmp_path) == [(2,)]


def test_a_newer_bad_version_removes_the_older_rows() -> None:
    invoke(upload("raw/orders/a.csv", "id\n1\n", "01"))
    assert invoke(upload("raw/orders/a.csv", b"", "02"))[0]["reason"] == "empty"
    assert manifest()["status"] == "REJECTED"
    assert not [key for key in read_objects() if key.endswith(".parquet")]


@pytest.mark.parametrize(
    ("key", "content", "reason"),
    [("raw/a/", b"", "folder"), ("raw/a/b.csv", b"", "empty"), ("raw/a/b.png", b"x", "unsupported_format")],
)
def test_rejected_files_have_a_manifest(key: str, content: bytes, reason: str) -> None:
    assert invoke(upload(key, content))[0]["reason"] == reason
    assert (manifest()["status"], manifest()["reason"]) == ("REJECTED", reason)
    assert (manifest()["parquet"], manifest()["rejects"]) == (None, None)
    assert manifest()["reason_text"]


def test_a_file_that_is_too_large_is_rejected_before_the_download(monkeypatch: pytest.MonkeyPatch) -> None:
    event = upload("raw/a/b.csv", "id\n1\n")
    event["Records"][0]["s3"]["object"]["size"] = 3 << 30
    assert invoke(event)[0]["reason"] == "too_large"


def test_an_object_that_was_deleted_before_it_is_read_leaves_nothing() -> None:
    event = upload("raw/a/b.csv", "id\n1\n")
    client("s3").delete_object(
        Bucket="uploads", Key="raw/a/b.csv", VersionId=event["Records"][0]["s3"]["object"]["versionId"]
    )
    assert invoke(event)[0]["status"] == "GONE"
    assert read_objects() == {}


@pytest.mark.parametrize(
    ("code", "reason"),
    [("InvalidObjectState", "archived"), ("400", "encrypted"), ("SlowDown", None), ("AccessDenied", None)],
)
def test_an_s3_error_rejects_the_file_or_is_raised(
    monkeypatch: pytest.MonkeyPatch, code: str, reason: str | None
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise ClientError({"Error": {"Code": code}}, "GetObject")

    event = upload("raw/a/b.csv", "id\n1\n")
    monkeypatch.setattr(client("s3"), "download_file", refuse)
    if reason:
        assert invoke(event)[0]["reason"] == reason
    else:
        with pytest.raises(ClientError):
            invoke(event)
        assert read_objects() == {}


@pytest.mark.parametrize(
    ("key", "dataset"),
    [
        ("raw/Orders 2026/x/y.csv", "orders_2026"),
        ("raw/sales.eu.csv", "sales"),
        ("raw/2026/a.csv", "n2026"),
        ("raw/_manifests/a.csv", "manifests"),
    ],
)
def test_the_dataset_follows_from_the_key(key: str, dataset: str) -> None:
    assert dataset_of(key) == dataset


def dataset_of(key: str) -> str:
    (source,) = sources(upload(key.replace(" ", "+"), "x"), "raw/")
    assert source.key == key
    return source.dataset


def test_datasets_in_any_script_have_different_names() -> None:
    datasets = {
        dataset_of(f"raw/{folder}/a.csv") for folder in ("売上", "在庫", "일", "2024 売上", "2024 在庫", "dataset")
    }
    assert len(datasets) == 6
    assert all(re.fullmatch("[a-z][a-z0-9_]*", dataset) for dataset in datasets)


@pytest.mark.parametrize("path", sorted(EVENTS.glob("*.json")), ids=lambda path: path.stem)
def test_recorded_events_are_handled(path: Path) -> None:
    client("s3").create_bucket(Bucket="eventloom-local-uploads-000000000000")
    client("s3").put_object(Bucket="eventloom-local-uploads-000000000000", Key="raw/orders/2026 Q4.csv", Body="id\n1\n")
    assert [result["status"] for result in invoke(json.loads(path.read_text()))] == {
        "s3_put": ["CONVERTED"],
        "s3_test_event": [],
        "s3_delete": [],
    }[path.stem]


def test_a_file_that_would_make_its_dataset_too_wide_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handler, "SETTINGS", replace(handler.SETTINGS, max_dataset_columns=3))
    assert invoke(upload("raw/orders/a.csv", "a,b\n1,2\n"))[0]["status"] == "CONVERTED"
    result = invoke(upload("raw/orders/b.csv", "c,d\n1,2\n"))[0]
    assert (result["status"], result["reason"]) == ("REJECTED", "too_many_columns")
    assert result["reason_text"].endswith("With this file it would have 4; the limit is 3.")
    assert json.loads(read_objects()["_schemas/orders.json"])["columns"] == {"a": "BIGINT", "b": "BIGINT"}
    assert invoke(upload("raw/orders/c.csv", "b,c\n1,2\n"))[0]["status"] == "CONVERTED"


def test_keys_in_the_path_are_columns(tmp_path: Path) -> None:
    invoke(upload("raw/sales/year=2026/city=São Paulo/n=__HIVE_DEFAULT_PARTITION__/a.csv", "id,x\n1,a\n2,b\n"))
    assert table(tmp_path) == [(1, "a", 2026, "São Paulo"), (2, "b", 2026, "São Paulo")]
    assert manifest()["columns"][2] == {"name": "year", "type": "BIGINT", "source": "year"}
    assert manifest()["empty_columns"] == ["n"]


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl"])
def test_a_column_of_the_file_counts_more_than_a_key_of_the_path(tmp_path: Path, name: str) -> None:
    rows = {"a.csv": "year,id\n2025,1\n", "a.jsonl": '{"year": 2025, "id": 1}\n'}
    invoke(upload(f"raw/sales/year=2026/{name}", rows[name]))
    assert table(tmp_path) == [(2025, 1)]


def test_the_content_of_a_bad_row_has_no_partition_keys() -> None:
    invoke(upload("raw/sales/year=2026/a.csv", "id\n" + "1\n" * 9 + "x\n"))
    (content,) = [content for key, content in read_objects().items() if key.startswith("_rejects/")]
    assert json.loads(content)["raw"] == "x\n"


@pytest.mark.parametrize(("first", "second"), [("Sales", "sales"), ("e", "é"), ("a-b", "a_b")])
def test_two_folders_do_not_share_a_dataset_unless_somebody_says_so(first: str, second: str) -> None:
    assert invoke(upload(f"raw/{first}/a.csv", "id\n1\n"))[0]["status"] == "CONVERTED"
    event = upload(f"raw/{second}/a.csv", "id\n1\n")
    result = invoke(event)[0]
    assert (result["status"], result["reason"]) == ("REJECTED", "shared_dataset")
    (key,) = [key for key in read_objects() if key.startswith("_schemas/")]
    schema = json.loads(read_objects()[key]) | {"folders": [first, second]}
    client("s3").put_object(Bucket="analytics", Key=key, Body=json.dumps(schema))
    assert invoke(event)[0]["status"] == "CONVERTED"
