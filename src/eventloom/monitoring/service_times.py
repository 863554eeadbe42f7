"""Measure the deployed thumbnailer: seconds for a photo, photos processed at once, and bytes of an item."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from eventloom import clouds
from eventloom.errors import UserError
from eventloom.monitoring import item_sizes
from eventloom.monitoring.load_model import Shape
from eventloom.monitoring.log_records import parse
from eventloom.monitoring.telemetry import Connect

FEWEST_PHOTOS = 5


def measure(outputs: dict[str, Any], connect: Connect = clouds.client) -> dict[str, Any]:
    """Return the processing times in the thumbnailer's log, and the sizes of the newest catalog items.

    Raises UserError if the log has fewer than FEWEST_PHOTOS photos.
    """
    group, logs = outputs["functions"]["thumbnailer"]["log_group"], connect("logs")
    photos = [
        fields for fields in _lines(logs, group, "READY") if fields.get("result") == "READY" and "duration_ms" in fields
    ]
    if len(photos) < FEWEST_PHOTOS:
        raise UserError(
            f"the thumbnailer's log has {len(photos)} photos and {FEWEST_PHOTOS} are needed; "
            "upload some, for example: ./eventloom upload examples/photos"
        )
    return {
        "cloud": clouds.chosen_cloud().name,
        "environment": outputs["environment"],
        "seconds": [photo["duration_ms"] / 1000 for photo in photos],
        "at_once": overlap(photos, _lines(logs, group, "platform.report")),
        "item_bytes": _item_bytes(outputs["catalog_table"], connect),
    }


def load(file: Path) -> dict[str, Any]:
    """Read the results that `simulate measure` saved. Raises UserError if the file is missing or damaged."""
    try:
        measured = json.loads(file.read_text())
    except FileNotFoundError as error:
        raise UserError(
            f"there is no {file}; ./eventloom simulate measure writes it, from the log of a deployed thumbnailer"
        ) from error
    except ValueError:
        measured = None
    if not isinstance(measured, dict) or not {"cloud", "seconds", "item_bytes"} <= measured.keys():
        raise UserError(f"{file} is damaged or of an older version; ./eventloom simulate measure writes a new one")
    return measured


def _lines(logs: Any, group: str, word: str) -> Iterator[dict[str, Any]]:
    """Yield the fields of the lines of a log group that contain a word."""
    for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group, filterPattern=f'"{word}"'):
        yield from (parse(event["message"]) for event in page["events"])


def overlap(photos: Iterable[dict[str, Any]], reports: Iterable[dict[str, Any]]) -> float | None:
    """Return how many photos an invocation with a full batch processes at once, on average. None if there is none.

    The result is less than the number of workers, because some workers are idle at the end of a batch.
    """
    times = defaultdict[str, list[float]](list)
    for photo in photos:
        times[photo.get("function_request_id", "")].append(photo["duration_ms"])
    records = [report["record"] for report in reports if report.get("type") == "platform.report"]
    full = {
        record["requestId"]: record["metrics"]["durationMs"]
        for record in records
        if len(times[record["requestId"]]) >= Shape.batch
    }
    return sum(sum(times[request]) for request in full) / sum(full.values()) if full else None


def _item_bytes(table: str, connect: Connect) -> list[int]:
    """Return the sizes of the newest READY items in bytes, or the default size if there are none."""
    answer = connect("dynamodb").query(
        TableName=table,
        IndexName="by_status",
        KeyConditionExpression="#status = :ready",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":ready": {"S": "READY"}},
        ScanIndexForward=False,
    )
    return [item_sizes.size(item) for item in answer["Items"]] or [item_sizes.BYTES]
