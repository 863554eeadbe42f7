"""Complete moto's answers with what DynamoDB adds, and remove what DynamoDB leaves out."""

from collections.abc import Callable
from typing import Any

from embedded_localstack.dynamodb import capacity
from embedded_localstack.dynamodb.capacity import Units
from embedded_localstack.dynamodb.schema import Schema
from embedded_localstack.dynamodb.values import Item

Answer = dict[str, Any]
Request = dict[str, Any]


def complete_write(answer: Answer, request: Request, table: Schema, before: Item | None, after: Item | None) -> None:
    """Complete the answer to a write of one item. `before` and `after` matter only if the request asks for capacity."""
    answer.pop("ConsumedCapacityUnits", None)
    answer.pop("ConsumedCapacity", None)
    if not answer.get("Attributes"):
        answer.pop("Attributes", None)
    if detail := detail_of(request):
        answer["ConsumedCapacity"] = capacity.consumed(table, capacity.write(before, after, table), detail)
    if request.get("ReturnItemCollectionMetrics") == "SIZE":
        metrics = capacity.collection_metrics(request.get("Key") or request["Item"], table)
        if metrics:
            answer["ItemCollectionMetrics"] = metrics


def detail_of(request: Request) -> str:
    """Return the request's ReturnConsumedCapacity: TOTAL or INDEXES. Return an empty text if it asks for none."""
    detail = request.get("ReturnConsumedCapacity")
    return str(detail) if detail in ("TOTAL", "INDEXES") else ""


def complete_batch(
    answer: Answer, request: Request, units: dict[str, Units], tables: Callable[[str], Schema], kind: str | None = None
) -> None:
    """Add the capacity units of each table to the answer to several reads or writes."""
    answer.pop("ConsumedCapacity", None)
    if detail := detail_of(request):
        answer["ConsumedCapacity"] = [
            capacity.consumed(tables(name), used, detail, kind) for name, used in units.items()
        ]


def complete_metrics(
    answer: Answer, request: Request, changed: list[tuple[str, Item]], tables: Callable[[str], Schema]
) -> None:
    """Complete the ItemCollectionMetrics of several changes: names of tables with items or keys."""
    answer.pop("ItemCollectionMetrics", None)
    if request.get("ReturnItemCollectionMetrics") != "SIZE":
        return
    metrics: dict[str, list[Any]] = {}
    for name, item in changed:
        if described := capacity.collection_metrics(item, tables(name)):
            metrics.setdefault(name, []).append(described)
    answer["ItemCollectionMetrics"] = metrics


def complete_table(description: Answer) -> None:
    """Complete the description of a table."""
    summary = description.get("BillingModeSummary") or {}
    if summary.get("BillingMode") == "PAY_PER_REQUEST":
        summary.setdefault("LastUpdateToPayPerRequestDateTime", description["CreationDateTime"])
    else:
        description.pop("BillingModeSummary", None)
    for parameter in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
        if not description.get(parameter):
            description.pop(parameter, None)
