"""Conversions at the same time, and conversions that were cut off: one version's rows, one schema, nothing left over."""

import json
from pathlib import Path
from typing import Any

import pytest

from converter import handler, storage
from shared.clients import client

from .conftest import invoke, stored, table, upload

pytestmark = pytest.mark.usefixtures("cloud")


def test_losing_a_race_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    older, newer = upload("raw/orders/a.csv", "id\n1\n", "01"), upload("raw/orders/a.csv", "id\n2\n", "02")
    first_comes(newer, monkeypatch)
    assert invoke(older)[0]["status"] == "OUTDATED"
    assert table(tmp_path) == [(2,)]


def cut_off_before_its_manifest(event: dict[str, Any]) -> None:
    def dies(self: storage.Analytics, key: str, document: dict[str, Any], etag: str) -> bool:
        if key.startswith("_manifests/"):
            raise KeyboardInterrupt
        return replace(self, key, document, etag)

    replace = storage.Analytics._replace
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(storage.Analytics, "_replace", dies)
        with pytest.raises(KeyboardInterrupt):
            invoke(event)
    client("s3").delete_object(Bucket="analytics", Key="_schemas/orders.json")
    assert [key for key in stored() if key.endswith(".parquet")]


def test_what_an_older_version_left_behind_goes_with_its_next_attempt(tmp_path: Path) -> None:
    older = upload("raw/orders/a.csv", "id\n1\n2,\n", "01")
    cut_off_before_its_manifest(older)
    invoke(upload("raw/orders/a.csv", "id\n3\n", "02"))
    assert invoke(older)[0]["status"] == "OUTDATED"
    assert table(tmp_path) == [(3,)]
    assert not [key for key in stored() if key.startswith("_rejects/")]


def test_what_a_gone_version_left_behind_goes_with_its_next_attempt() -> None:
    event = upload("raw/orders/a.csv", "id\n1\n2,\n")
    cut_off_before_its_manifest(event)
    client("s3").delete_object(Bucket="uploads", Key="raw/orders/a.csv", VersionId=event["Records"][0]["s3"]["object"]["versionId"])
    assert invoke(event)[0]["status"] == "GONE"
    assert stored() == {}


def test_what_was_made_of_a_version_stays_when_it_is_gone(tmp_path: Path) -> None:
    event = upload("raw/orders/a.csv", "id\n1\n")
    invoke(event)
    client("s3").delete_object(Bucket="uploads", Key="raw/orders/a.csv", VersionId=event["Records"][0]["s3"]["object"]["versionId"])
    assert invoke(event)[0]["status"] == "GONE"
    assert table(tmp_path) == [(1,)]


def test_an_attempt_that_ends_in_another_verdict_removes_what_the_one_before_wrote() -> None:
    event = upload("raw/orders/a.csv", "id\n1\n")
    cut_off_before_its_manifest(event)
    client("s3").put_object(Bucket="analytics", Key="_schemas/orders.json", Body=b'{"columns": {"id": "BOOLEAN"}}')
    assert invoke(event)[0]["reason"] == "no_valid_rows"
    assert not [key for key in stored() if key.endswith(".parquet")]


def first_comes(event: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Have another file of the dataset converted before the next schema is written; the names of the files converted since."""
    converted: list[str] = []
    convert, extend_schema = handler.convert, storage.Analytics.extend_schema

    def counting(source: Path, name: str, *others: Any) -> Any:
        converted.append(name)
        return convert(source, name, *others)

    def other_first(*arguments: Any) -> Any:
        monkeypatch.setattr(storage.Analytics, "extend_schema", extend_schema)
        invoke(event)
        return extend_schema(*arguments)

    monkeypatch.setattr(handler, "convert", counting)
    monkeypatch.setattr(storage.Analytics, "extend_schema", other_first)
    return converted


def test_concurrent_first_files_agree_on_one_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    texts, numbers = upload("raw/orders/a.csv", "id\nA\n"), upload("raw/orders/b.csv", "id\n1\n")
    converted = first_comes(texts, monkeypatch)
    assert invoke(numbers)[0]["rows"] == 1
    manifests = [json.loads(content) for key, content in stored().items() if key.startswith("_manifests/")]
    assert [column["type"] for document in manifests for column in document["columns"]] == ["VARCHAR", "VARCHAR"]
    assert converted == ["raw/orders/b.csv", "raw/orders/a.csv", "raw/orders/b.csv"]


def test_a_schema_that_only_grew_needs_no_second_conversion(monkeypatch: pytest.MonkeyPatch) -> None:
    converted = first_comes(upload("raw/orders/a.csv", "id,day\n1,2026-11-23\n"), monkeypatch)
    assert invoke(upload("raw/orders/b.csv", "id,name\n1,x\n"))[0]["rows"] == 1
    assert json.loads(stored()["_schemas/orders.json"])["columns"] == {"id": "BIGINT", "day": "DATE", "name": "VARCHAR"}
    assert converted == ["raw/orders/b.csv", "raw/orders/a.csv"]


def test_time_that_others_used_up_is_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    converted = first_comes(upload("raw/orders/a.csv", "id\nA\n"), monkeypatch)
    monkeypatch.setattr(handler.Deadline, "remaining_s", lambda _: 60.0 if len(converted) < 3 else 0.0)
    with pytest.raises(storage.Contention):
        invoke(upload("raw/orders/b.csv", "id\n1\n"))
    assert [json.loads(content)["source"]["key"] for key, content in stored().items() if key.startswith("_manifests/")] == [
        "raw/orders/a.csv"
    ]
