"""The function counts events in moto's DynamoDB: counters, rejects, shards, partial batches and settings."""

import json
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from activity import handler
from activity.settings import Settings
from activity.views import REASONS, Reject, padded, parse, unpadded
from shared.clients import client
from shared.observability import metrics
from shared.settings import SettingsError, load

from .conftest import IMAGE, Context, invoke, items, record

EVENTS = Path(__file__).parents[3] / "functions/activity/events"
pytestmark = pytest.mark.usefixtures("table")


def load_records(name: str) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = json.loads((EVENTS / name).read_text())["Records"]
    return records


def test_views_are_counted_by_image_and_day() -> None:
    assert invoke(load_records("kinesis_views.json")) is None
    items_by_key = items()
    assert items_by_key[f"image#{IMAGE}", "total"] == {"view": 2}
    assert items_by_key[f"image#{IMAGE}", "day#2026-11-23"] == {"view": 2, "expires_at": 1829952000}
    assert items_by_key[f"image#{'f' * 32}", "day#2026-11-22"]["download"] == 1
    (checkpoint,) = [item for key, item in items_by_key.items() if key[1] == "checkpoint"]
    assert unpadded(checkpoint["sequence"]) == load_records("kinesis_views.json")[-1]["kinesis"]["sequenceNumber"]
    assert ("shard#eventloom-local-activity#shardId-000000000006", "checkpoint") in items_by_key


def test_malformed_records_are_stored_and_never_retried() -> None:
    records = load_records("kinesis_malformed.json")
    assert invoke(records) is None
    assert invoke(records) is None
    rejects = [item for key, item in items().items() if key[0].startswith("rejects#")]
    assert sorted(item["reason"] for item in rejects) == sorted(REASONS)
    assert all(item["expires_at"] > 1795429530 and item["reason_text"] and item["data"] for item in rejects)
    assert items()[f"image#{IMAGE}", "total"] == {"view": 1}


def test_metrics_count_the_records_of_a_batch(capsys: pytest.CaptureFixture[str]) -> None:
    invoke([record(1, {"image_id": IMAGE})])
    metrics.clear_metrics()
    records = [
        record(1, {"image_id": IMAGE}),
        record(2, {"image_id": IMAGE}),
        record(3, {"image_id": IMAGE}),
        record(4, b"no event"),
    ]
    assert handler.lambda_handler({"Records": records}, Context()) == {"batchItemFailures": []}
    (measured,) = [line for line in map(json.loads, capsys.readouterr().out.splitlines()) if "_aws" in line]
    assert {name: measured[name] for name in ("EventsCounted", "EventsRejected", "EventsRepeated")} == {
        "EventsCounted": [2.0],
        "EventsRejected": [1.0],
        "EventsRepeated": [1.0],
    }


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (b"", "not_json"),
        (b"[1]", "not_json"),
        (b"\xff\xfe", "not_json"),
        (b"[" * 50_000, "not_json"),
        ({"image_id": None}, "bad_image_id"),
        ({"image_id": IMAGE.upper()}, "bad_image_id"),
        ({"image_id": IMAGE + "\n"}, "bad_image_id"),
        ({"image_id": IMAGE, "type": ["view"]}, "unknown_type"),
        ({"image_id": IMAGE, "at": 5}, "bad_time"),
        ({"image_id": IMAGE, "at": "2026-11-23T10:00:00"}, "bad_time"),
        ({"image_id": IMAGE, "at": "2027-11-23T10:00:00Z"}, "bad_time"),
        ({"image_id": IMAGE, "at": "0001-01-01T00:00:00+23:59"}, "bad_time"),
        ({"image_id": IMAGE, "at": "0001-01-01T00:00:00Z"}, "bad_time"),
        ({"image_id": IMAGE, "at": "2025-10-10T10:00:00Z"}, "bad_time"),
    ],
)
def test_an_invalid_event_is_rejected_with_its_reason(event: Any, reason: str) -> None:
    parsed = parse(record(1, event), frozenset({"view"}), timedelta(days=400))
    assert isinstance(parsed, Reject)
    assert parsed.reason == reason
    assert len(parsed.data) <= 2048


def test_a_late_event_that_has_not_expired_is_counted() -> None:
    invoke([record(1, {"image_id": IMAGE, "at": "2025-10-20T10:00:00Z"})])
    assert items()[f"image#{IMAGE}", "day#2025-10-20"]["expires_at"] > 1795429530


def test_a_producers_clock_may_be_fast() -> None:
    assert invoke([record(1, {"image_id": IMAGE, "at": "2026-11-24T06:00:00Z"})]) is None
    assert items()[f"image#{IMAGE}", "day#2026-11-24"]["view"] == 1


def test_many_images_are_written_in_several_transactions() -> None:
    records = [record(number, {"image_id": f"{number:032x}"}) for number in range(1, 151)]
    assert invoke(records) is None
    assert sum(key[1] == "total" for key in items()) == 150


def test_shards_do_not_share_a_checkpoint() -> None:
    invoke([record(50, {"image_id": IMAGE}, "shardId-000000000001")])
    invoke([record(7, {"image_id": IMAGE}, "shardId-000000000002")])
    assert items()[f"image#{IMAGE}", "total"] == {"view": 2}


def test_sequence_numbers_compare_as_numbers() -> None:
    invoke([record(9, {"image_id": IMAGE})])
    invoke([record(10, {"image_id": IMAGE})])
    invoke([record(9, {"image_id": IMAGE}), record(10, {"image_id": IMAGE}), record(11, {"image_id": IMAGE})])
    assert items()[f"image#{IMAGE}", "total"] == {"view": 3}
    assert unpadded(padded("0")) == "0"


def test_a_table_that_stays_busy_returns_the_remaining_records(monkeypatch: pytest.MonkeyPatch) -> None:
    real = client("dynamodb").transact_write_items
    calls = []

    def second_fails(**request: Any) -> Any:
        calls.append(request)
        if len(calls) > 1:
            raise ClientError({"Error": {"Code": "ProvisionedThroughputExceededException"}}, "TransactWriteItems")
        return real(**request)

    monkeypatch.setattr(client("dynamodb"), "transact_write_items", second_fails)
    records = [record(number, {"image_id": f"{number:032x}"}) for number in range(1, 101)]
    assert invoke(records) == "50"
    assert len(calls) == 9
    monkeypatch.setattr(client("dynamodb"), "transact_write_items", real)
    assert invoke(records[49:]) is None
    assert sum(key[1] == "total" for key in items()) == 100


@pytest.mark.parametrize(
    "fault",
    [
        ClientError({"Error": {"Code": "AccessDeniedException"}}, "TransactWriteItems"),
        ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "TransactWriteItems"),
        ReadTimeoutError(endpoint_url="dynamodb"),
        ValueError("a bug"),
    ],
)
def test_a_failed_batch_contains_no_counted_events(monkeypatch: pytest.MonkeyPatch, fault: Exception) -> None:
    """Lambda repeats a batch from the number in the answer, or the whole batch after an exception, and may give up."""
    real = client("dynamodb").transact_write_items
    applied: list[Any] = []

    def first_works(**request: Any) -> Any:
        if applied:
            raise fault
        applied.append(request)
        return real(**request)

    monkeypatch.setattr(client("dynamodb"), "transact_write_items", first_works)
    records = [record(number, {"image_id": f"{number:032x}"}) for number in range(1, 101)]
    assert invoke(records) == "50"
    with nullcontext() if isinstance(fault, ReadTimeoutError) else pytest.raises(type(fault)):
        assert invoke(records[49:]) == "50"
    # A record that was set aside arrives again with another number.
    monkeypatch.setattr(client("dynamodb"), "transact_write_items", real)
    assert invoke([record(1000 + number, {"image_id": f"{number:032x}"}) for number in range(50, 101)]) is None
    assert {item["view"] for key, item in items().items() if key[1] == "total"} == {1}


def test_a_permanent_fault_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: Any) -> Any:
        raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "TransactWriteItems")

    monkeypatch.setattr(client("dynamodb"), "transact_write_items", refuse)
    with pytest.raises(ClientError):
        invoke([record(1, {"image_id": IMAGE})])


@pytest.mark.parametrize(
    "code", ["TransactionInProgressException", "ThrottlingException", "RequestLimitExceeded", "InternalServerError"]
)
def test_a_write_to_a_busy_table_is_retried(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    real = client("dynamodb").transact_write_items
    refusals = [
        EndpointConnectionError(endpoint_url="dynamodb"),
        ClientError({"Error": {"Code": code}}, "TransactWriteItems"),
    ]

    def busy(**request: Any) -> Any:
        if refusals:
            raise refusals.pop()
        return real(**request)

    monkeypatch.setattr(client("dynamodb"), "transact_write_items", busy)
    assert invoke([record(1, {"image_id": IMAGE})]) is None
    assert items()[f"image#{IMAGE}", "total"] == {"view": 1}


def test_a_write_whose_answer_is_lost_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    real = client("dynamodb").transact_write_items

    def lost(**request: Any) -> Any:
        real(**request)
        raise ReadTimeoutError(endpoint_url="dynamodb")

    monkeypatch.setattr(client("dynamodb"), "transact_write_items", lost)
    assert invoke([record(1, {"image_id": IMAGE})]) is None
    assert items()[f"image#{IMAGE}", "total"] == {"view": 1}


def test_a_batch_is_returned_if_too_little_time_is_left() -> None:
    assert invoke([record(5, {"image_id": IMAGE})], milliseconds=3000) == "5"
    assert items() == {}


@pytest.mark.parametrize(
    "variable",
    [{"PARALLELIZATION_FACTOR": "2"}, {"EVENT_TYPES": "View"}, {"EVENT_TYPES": ","}, {"DAY_RETENTION_DAYS": "0"}],
)
def test_settings_that_would_count_wrongly_are_refused(variable: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match=next(iter(variable))):
        load(Settings, {"ACTIVITY_TABLE": "activity"} | variable)


def test_an_event_without_records_is_accepted() -> None:
    assert invoke([]) is None
