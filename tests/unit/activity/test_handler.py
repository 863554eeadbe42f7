"""The function against moto's DynamoDB: counters, rejects, shards, partial batches, settings."""

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


def recorded(name: str) -> list[dict[str, Any]]:
    loaded: list[dict[str, Any]] = json.loads((EVENTS / name).read_text())["Records"]
    return loaded


def test_views_are_counted_by_image_and_day() -> None:
    assert invoke(recorded("kinesis_views.json")) is None
    found = items()
    assert found[f"image#{IMAGE}", "total"] == {"view": 2}
    assert found[f"image#{IMAGE}", "day#2026-11-23"] == {"view": 2, "expires_at": 1829952000}
    assert found[f"image#{'f' * 32}", "day#2026-11-22"]["download"] == 1
    (checkpoint,) = [item for key, item in found.items() if key[1] == "checkpoint"]
    assert unpadded(checkpoint["sequence"]) == recorded("kinesis_views.json")[-1]["kinesis"]["sequenceNumber"]
    assert ("shard#eventloom-local-activity#shardId-000000000006", "checkpoint") in found


def test_malformed_records_are_kept_and_never_repeated() -> None:
    records = recorded("kinesis_malformed.json")
    assert invoke(records) is None
    assert invoke(records) is None
    rejects = [item for key, item in items().items() if key[0].startswith("rejects#")]
    assert sorted(item["reason"] for item in rejects) == sorted(REASONS)
    assert all(item["expires_at"] > 1795429530 and item["reason_text"] and item["data"] for item in rejects)
    assert items()[f"image#{IMAGE}", "total"] == {"view": 1}


def test_what_became_of_a_batch_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    invoke([record(1, {"image_id": IMAGE})])
    metrics.clear_metrics()
    records = [record(1, {"image_id": IMAGE}), record(2, {"image_id": IMAGE}), record(3, {"image_id": IMAGE}), record(4, b"no event")]
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
def test_reasons(event: Any, reason: str) -> None:
    parsed = parse(record(1, event), frozenset({"view"}), timedelta(days=400))
    assert isinstance(parsed, Reject)
    assert parsed.reason == reason
    assert len(parsed.data) <= 2048


def test_what_is_late_but_not_expired_is_counted() -> None:
    invoke([record(1, {"image_id": IMAGE, "at": "2025-10-20T10:00:00Z"})])
    assert items()[f"image#{IMAGE}", "day#2025-10-20"]["expires_at"] > 1795429530


def test_a_producers_clock_may_be_fast() -> None:
    assert invoke([record(1, {"image_id": IMAGE, "at": "2026-11-24T06:00:00Z"})]) is None
    assert items()[f"image#{IMAGE}", "day#2026-11-24"]["view"] == 1


def test_many_images_take_several_transactions() -> None:
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


def test_a_table_that_stays_busy_hands_the_rest_back(monkeypatch: pytest.MonkeyPatch) -> None:
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
def test_no_batch_that_fails_holds_events_that_count(monkeypatch: pytest.MonkeyPatch, fault: Exception) -> None:
    """Lambda repeats a batch from the number that it is told, or all of one that raised, and sets aside what goes on failing."""
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
    # What was set aside comes again with other numbers
    monkeypatch.setattr(client("dynamodb"), "transact_write_items", real)
    assert invoke([record(1000 + number, {"image_id": f"{number:032x}"}) for number in range(50, 101)]) is None
    assert {item["view"] for key, item in items().items() if key[1] == "total"} == {1}


def test_a_permanent_fault_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: Any) -> Any:
        raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "TransactWriteItems")

    monkeypatch.setattr(client("dynamodb"), "transact_write_items", refuse)
    with pytest.raises(ClientError):
        invoke([record(1, {"image_id": IMAGE})])


@pytest.mark.parametrize("code", ["TransactionInProgressException", "ThrottlingException", "RequestLimitExceeded", "InternalServerError"])
def test_a_table_that_was_busy_is_asked_again(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
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


def test_an_answer_that_gets_lost_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    real = client("dynamodb").transact_write_items

    def lost(**request: Any) -> Any:
        real(**request)
        raise ReadTimeoutError(endpoint_url="dynamodb")

    monkeypatch.setattr(client("dynamodb"), "transact_write_items", lost)
    assert invoke([record(1, {"image_id": IMAGE})]) is None
    assert items()[f"image#{IMAGE}", "total"] == {"view": 1}


def test_too_little_time_hands_the_batch_back() -> None:
    assert invoke([record(5, {"image_id": IMAGE})], milliseconds=3000) == "5"
    assert items() == {}


@pytest.mark.parametrize(
    "variable", [{"PARALLELIZATION_FACTOR": "2"}, {"EVENT_TYPES": "View"}, {"EVENT_TYPES": ","}, {"DAY_RETENTION_DAYS": "0"}]
)
def test_settings_that_would_count_wrongly_are_refused(variable: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match=next(iter(variable))):
        load(Settings, {"ACTIVITY_TABLE": "activity"} | variable)


def test_no_records() -> None:
    assert invoke([]) is None
