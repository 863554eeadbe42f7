"""Simultaneous or interrupted conversions leave one version's rows, one schema and no other objects."""

import json
from pathlib import Path
from typing import Any

import pytest

from converter.conversion import Outcome, convert
from converter.storage import Analytics, Contention, Schema, Uploads
from shared.clients import client
from shared.deadline import Deadline

from .conftest import Context, handle, invoke, read_objects, table, upload

pytestmark = pytest.mark.usefixtures("cloud")


def test_a_conversion_that_loses_a_race_leaves_nothing_behind(tmp_path: Path) -> None:
    older, newer = upload("raw/orders/a.csv", "id\n1\n", "01"), upload("raw/orders/a.csv", "id\n2\n", "02")
    assert Race(first=newer).run(older)[0] == "OUTDATED"
    assert table(tmp_path) == [(2,)]


class Dying(Analytics):
    """An Analytics that dies before it writes a manifest."""

    def _replace(self, key: str, document: dict[str, Any], etag: str) -> bool:
        if key.startswith("_manifests/"):
            raise KeyboardInterrupt
        return super()._replace(key, document, etag)


def cut_off_before_its_manifest(event: dict[str, Any]) -> None:
    with pytest.raises(KeyboardInterrupt):
        handle(event, Dying(client("s3"), "analytics", Uploads(client("s3"))))
    client("s3").delete_object(Bucket="analytics", Key="_schemas/orders.json")
    assert [key for key in read_objects() if key.endswith(".parquet")]


def test_the_next_attempt_removes_what_an_older_version_left_behind(tmp_path: Path) -> None:
    older = upload("raw/orders/a.csv", "id\n1\n2,\n", "01")
    cut_off_before_its_manifest(older)
    invoke(upload("raw/orders/a.csv", "id\n3\n", "02"))
    assert invoke(older)[0]["status"] == "OUTDATED"
    assert table(tmp_path) == [(3,)]
    assert not [key for key in read_objects() if key.startswith("_rejects/")]


def test_the_next_attempt_removes_what_a_deleted_version_left_behind() -> None:
    event = upload("raw/orders/a.csv", "id\n1\n2,\n")
    cut_off_before_its_manifest(event)
    client("s3").delete_object(
        Bucket="uploads", Key="raw/orders/a.csv", VersionId=event["Records"][0]["s3"]["object"]["versionId"]
    )
    assert invoke(event)[0]["status"] == "GONE"
    assert read_objects() == {}


def test_the_parquet_file_of_a_version_stays_when_the_version_is_deleted(tmp_path: Path) -> None:
    event = upload("raw/orders/a.csv", "id\n1\n")
    invoke(event)
    client("s3").delete_object(
        Bucket="uploads", Key="raw/orders/a.csv", VersionId=event["Records"][0]["s3"]["object"]["versionId"]
    )
    assert invoke(event)[0]["status"] == "GONE"
    assert table(tmp_path) == [(1,)]


def test_an_attempt_with_another_verdict_removes_the_earlier_output() -> None:
    event = upload("raw/orders/a.csv", "id\n1\n")
    cut_off_before_its_manifest(event)
    client("s3").put_object(Bucket="analytics", Key="_schemas/orders.json", Body=b'{"columns": {"id": "BOOLEAN"}}')
    assert invoke(event)[0]["reason"] == "no_valid_rows"
    assert not [key for key in read_objects() if key.endswith(".parquet")]


class Race:
    """Two files of a dataset. The first is converted just before the second writes the schema."""

    def __init__(self, first: dict[str, Any]) -> None:
        self.first: dict[str, Any] | None = first
        self.converted: list[str] = []

    def run(self, second: dict[str, Any], deadline: Deadline | None = None) -> tuple[str, dict[str, Any]]:
        """Convert the second file and return its status and facts."""
        race = self

        class Overtaken(Analytics):
            def extend_schema(self, *arguments: Any) -> Schema | None:
                if first := race.first:
                    race.first = None
                    handle(first, convert=race.convert)
                return super().extend_schema(*arguments)

        return handle(
            second, Overtaken(client("s3"), "analytics", Uploads(client("s3"))), convert=self.convert, deadline=deadline
        )

    def convert(self, source: Path, name: str, *arguments: Any) -> Outcome:
        self.converted.append(name)
        return convert(source, name, *arguments)


def test_concurrent_first_files_agree_on_one_schema() -> None:
    texts, numbers = upload("raw/orders/a.csv", "id\nA\n"), upload("raw/orders/b.csv", "id\n1\n")
    race = Race(first=texts)
    assert race.run(numbers)[1]["rows"] == 1
    manifests = [json.loads(content) for key, content in read_objects().items() if key.startswith("_manifests/")]
    assert [column["type"] for document in manifests for column in document["columns"]] == ["VARCHAR", "VARCHAR"]
    assert race.converted == ["raw/orders/b.csv", "raw/orders/a.csv", "raw/orders/b.csv"]


def test_a_schema_that_only_gained_columns_needs_no_second_conversion() -> None:
    race = Race(first=upload("raw/orders/a.csv", "id,day\n1,2026-11-23\n"))
    assert race.run(upload("raw/orders/b.csv", "id,name\n1,x\n"))[1]["rows"] == 1
    assert json.loads(read_objects()["_schemas/orders.json"])["columns"] == {
        "id": "BIGINT",
        "day": "DATE",
        "name": "VARCHAR",
    }
    assert race.converted == ["raw/orders/b.csv", "raw/orders/a.csv"]


def test_a_conversion_that_others_delayed_is_not_rejected() -> None:
    race = Race(first=upload("raw/orders/a.csv", "id\nA\n"))

    class Passing(Deadline):
        def remaining_s(self) -> float:
            return 60.0 if len(race.converted) < 3 else 0.0

    with pytest.raises(Contention):
        race.run(upload("raw/orders/b.csv", "id\n1\n"), Passing(Context()))
    assert [
        json.loads(content)["source"]["key"] for key, content in read_objects().items() if key.startswith("_manifests/")
    ] == ["raw/orders/a.csv"]
