"""Write the records of table streams as DynamoDB does, and leave some checks of requests to the backend.

LocalStack creates the records from the requests, so the numbers in a request must have the form in which DynamoDB
stores them.
"""
# mypy: disable-error-code="import-not-found, untyped-decorator"

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from embedded_localstack.dynamodb.errors import InvalidRequestError
from embedded_localstack.dynamodb.tokens import REPEATED
from embedded_localstack.dynamodb.values import item_size, normalize_item


def install() -> None:
    """Patch LocalStack's provider of DynamoDB."""
    from localstack.services.dynamodb import provider, utils  # noqa: PLC0415 - only a running server has them
    from localstack.utils.patch import Patch, patch  # noqa: PLC0415

    from embedded_localstack.patches.moto_backends import last_answer  # noqa: PLC0415 - imports LocalStack

    # LocalStack reports a missing index as a missing resource.
    Patch(provider, "is_index_query_valid", lambda *_: True).apply()

    table_of = utils.extract_table_name_from_partiql_update
    for module in (provider, utils):
        Patch(module, "extract_table_name_from_partiql_update", lambda text: unquoted(table_of(text))).apply()

    for operation in ("put_item", "delete_item", "update_item", "batch_write_item", "transact_write_items"):
        _normalize_before(getattr(provider.DynamoDBProvider, operation), provider.get_table_stream_type)

    @patch(provider.DynamoDBProvider.prepare_transact_write_item_records)
    def prepare_transact_write_item_records(original: Callable[..., Any], self: Any, **arguments: Any) -> Any:
        return {} if last_answer().get(REPEATED) else original(self, **arguments)

    @patch(provider.DynamoDBProvider.forward_stream_records)
    def forward_stream_records(
        original: Callable[..., None], self: Any, account: str, region: str, records: Mapping[str, Any]
    ) -> None:
        for of_table in (records or {}).values():
            for record in of_table["records"]:
                record["dynamodb"]["SizeBytes"] = record_size(record["dynamodb"])
        original(self, account, region, records)


def _normalize_before(operation: Callable[..., Any], stream_type: Callable[..., Any]) -> None:
    from localstack.utils.patch import patch  # noqa: PLC0415 - only a running server has it

    @patch(operation)
    def normalized(original: Callable[..., Any], self: Any, context: Any, request: Any) -> Any:
        for table, item in written(request):
            if stream_type(context.account_id, context.region, table):
                with suppress(InvalidRequestError):  # the backend refuses the request
                    normalize_item(item)
        return original(self, context, request)


def written(request: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the tables and the items or keys that a request writes."""
    if "TransactItems" in request:
        for action in request["TransactItems"]:
            for content in action.values():
                yield from written(content)
    elif "RequestItems" in request:
        for table, writes in request["RequestItems"].items():
            for write in writes:
                for content in write.values():
                    yield from written({"TableName": table, **content})
    elif item := request.get("Item") or request.get("Key"):
        yield request["TableName"], item


def unquoted(table: str | None) -> str | None:
    """Return the name of a table in a PartiQL statement, without the quotes and without an index."""
    return table.split('"')[1] if table and table.startswith('"') else table


def record_size(record: Mapping[str, Any]) -> int:
    """Return the SizeBytes of a record, which is the size of its keys and its images."""
    return sum(item_size(record.get(part) or {}) for part in ("Keys", "NewImage", "OldImage"))
