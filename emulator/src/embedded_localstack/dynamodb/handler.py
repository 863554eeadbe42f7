"""Handle DynamoDB requests: check them as DynamoDB does, let moto execute them, and complete moto's answers."""
# mypy: disable-error-code="import-untyped"

import json
import time
from collections.abc import Callable
from contextlib import contextmanager
from functools import cache
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.dynamodb import responses, urls
from moto.dynamodb.models.utilities import dynamo_json_dump

from embedded_localstack.dynamodb import answers, batches, capacity, partiql, requests, tokens
from embedded_localstack.dynamodb.capacity import Units
from embedded_localstack.dynamodb.corrections import (
    allow_large_items,
    calculate_exactly,
    name_streams,
    replace_parsers,
)
from embedded_localstack.dynamodb.errors import InvalidRequestError
from embedded_localstack.dynamodb.schema import Schema, schema
from embedded_localstack.dynamodb.tables import PREFIX, TableHandler
from embedded_localstack.dynamodb.values import Item, item_size


@contextmanager
def refusals() -> Any:
    """Turn the error of a failed check into moto's error with the same code."""
    try:
        yield
    except InvalidRequestError as error:
        raise JsonRESTError(PREFIX + error.code, str(error)) from error


class Handler(TableHandler):
    """A handler of one request: moto's handler with DynamoDB's checks and answers."""

    def _schema(self, table_name: str) -> Schema:
        """Return the schema of a table. Raises moto's error if there is no such table."""
        table = self.dynamodb_backend.get_table(table_name)
        return schema(
            table.name,
            {
                "KeySchema": table.schema,
                "AttributeDefinitions": table.attr,
                "GlobalSecondaryIndexes": [_described(index) for index in table.global_indexes],
                "LocalSecondaryIndexes": [_described(index) for index in table.indexes],
            },
        )

    def _item(self, table_name: str, item: Item) -> Item | None:
        """Return the stored item with the key of `item`."""
        stored = self.dynamodb_backend.get_item(table_name, item)
        return json.loads(dynamo_json_dump(stored.attrs)) if stored else None

    def _change(self, operation: str, change: Callable[[], Any]) -> Any:
        """Check a write of one item, execute it, and complete the answer."""
        table = self._schema(self.body["TableName"])
        with refusals():
            requests.CHECKS[operation](self.body, table)
        key = self.body.get("Key") or self.body["Item"]
        measured = answers.detail_of(self.body)
        before = self._item(table.table, key) if measured else None
        answer = change()
        if not isinstance(answer, str):
            return answer
        body = json.loads(answer)
        after = self._item(table.table, key) if measured else None
        answers.complete_write(body, self.body, table, before, after)
        return json.dumps(body)

    def put_item(self) -> Any:
        """Answer PutItem."""
        return self._change("put_item", super().put_item)

    def delete_item(self) -> Any:
        """Answer DeleteItem."""
        return self._change("delete_item", super().delete_item)

    def update_item(self) -> Any:
        """Answer UpdateItem. Without an expression it creates the item; moto needs an empty expression for this."""
        if self.body.get("UpdateExpression") is None:
            self.body.setdefault("AttributeUpdates", {})
        with refusals():  # the result of an addition may be out of range
            return self._change("update_item", super().update_item)

    def get_item(self) -> Any:
        """Answer GetItem."""
        table = self._schema(self.body["TableName"])
        with refusals():
            requests.get_item(self.body, table)
        answer = super().get_item()
        if not answers.detail_of(self.body) or not isinstance(answer, str):
            return answer
        return self._with_units(answer, table, Units(self._read_units(table.table, self.body)))

    def _read_units(self, table_name: str, read: dict[str, Any]) -> float:
        return capacity.read(
            item_size(self._item(table_name, read["Key"]) or {}), consistent=bool(read.get("ConsistentRead"))
        )

    def _with_units(self, answer: str, table: Schema, units: Units) -> str:
        body = json.loads(answer)
        body["ConsumedCapacity"] = capacity.consumed(table, units, answers.detail_of(self.body))
        return json.dumps(body)

    def query(self) -> Any:
        """Answer Query."""
        return self._page("query", super().query)

    def scan(self) -> Any:
        """Answer Scan."""
        return self._page("scan", super().scan)

    def _page(self, operation: str, read: Callable[[], Any]) -> Any:
        table = self._schema(self.body["TableName"])
        with refusals():
            requests.CHECKS[operation](self.body, table)
        answer = self._without_items(read())
        if not answers.detail_of(self.body) or not isinstance(answer, str):
            return answer
        consistent = bool(self.body.get("ConsistentRead"))
        count = capacity.read(self._bytes_read(read), consistent=consistent)
        index = self.body.get("IndexName")
        return self._with_units(answer, table, Units(0.0, {index: count}) if index else Units(count))

    def _without_items(self, answer: Any) -> Any:
        """Return the answer, without its items if the request selects only their count."""
        if self.body.get("Select") != "COUNT" or not isinstance(answer, str):
            return answer
        body = json.loads(answer)
        body.pop("Items", None)
        return json.dumps(body)

    def _bytes_read(self, read: Callable[[], Any]) -> int:
        """Return the total size of the items that a page reads, before filter and projection."""
        whole_body = self.body
        filters = ("FilterExpression", "ProjectionExpression", "QueryFilter", "ScanFilter", "Select")
        self.body = {name: value for name, value in whole_body.items() if name not in filters}
        key_condition = str(whole_body.get("KeyConditionExpression", ""))
        for parameter in ("ExpressionAttributeNames", "ExpressionAttributeValues"):
            left = {name: value for name, value in (whole_body.get(parameter) or {}).items() if name in key_condition}
            self.body[parameter] = left
            if not left:
                del self.body[parameter]
        try:
            return sum(item_size(item) for item in json.loads(read())["Items"])
        finally:
            self.body = whole_body

    def batch_write_item(self) -> Any:
        """Answer BatchWriteItem."""
        with refusals():
            batches.batch_write_item(self.body, self._schema)
        changed = [
            (name, write["PutRequest"]["Item"] if "PutRequest" in write else write["DeleteRequest"]["Key"])
            for name, writes in self.body["RequestItems"].items()
            for write in writes
        ]
        return self._several_changes(changed, super().batch_write_item)

    def _several_changes(
        self, changed: list[tuple[str, Item]], change: Callable[[], Any], kind: str | None = None
    ) -> Any:
        measured = answers.detail_of(self.body)
        before = [self._item(name, item) for name, item in changed] if measured else []
        body = json.loads(str(change()))
        after = [self._item(name, item) for name, item in changed] if measured else []
        units: dict[str, Units] = {}
        for (name, _), old, new in zip(changed if measured else [], before, after, strict=True):
            used = capacity.write(old, new, self._schema(name))
            units.setdefault(name, Units()).add(used, 2 if kind else 1)
        answers.complete_batch(body, self.body, units, self._schema, kind)
        answers.complete_metrics(body, self.body, changed, self._schema)
        return json.dumps(body)

    def batch_get_item(self) -> Any:
        """Answer BatchGetItem."""
        with refusals():
            batches.batch_get_item(self.body, self._schema)
        body = json.loads(str(super().batch_get_item()))
        units: dict[str, Units] = {}
        for name, reads in self.body["RequestItems"].items() if answers.detail_of(self.body) else ():
            for key in reads["Keys"]:
                used = Units(self._read_units(name, {**reads, "Key": key}))
                units.setdefault(name, Units()).add(used)
        answers.complete_batch(body, self.body, units, self._schema)
        return json.dumps(body)

    def transact_get_items(self) -> Any:
        """Answer TransactGetItems."""
        with refusals():
            batches.transact_get_items(self.body, self._schema)
        body = json.loads(str(super().transact_get_items()))
        self._complete_transaction_read(body, [action["Get"] for action in self.body["TransactItems"]])
        return json.dumps(body)

    def _complete_transaction_read(self, body: dict[str, Any], reads: list[dict[str, Any]]) -> None:
        units: dict[str, Units] = {}
        for read in reads if answers.detail_of(self.body) else ():
            used = Units(self._read_units(read["TableName"], {"Key": read["Key"], "ConsistentRead": True}))
            units.setdefault(read["TableName"], Units()).add(used, 2)
        answers.complete_batch(body, self.body, units, self._schema, "Read")

    def transact_write_items(self) -> Any:
        """Answer TransactWriteItems. Execute it only once for each token."""
        with refusals():
            batches.transact_write_items(self.body, self._schema)
            contents = [next(iter(action.items())) for action in self.body["TransactItems"]]
            changed = [
                (content["TableName"], content.get("Item") or content["Key"])
                for kind, content in contents
                if kind != "ConditionCheck"
            ]
            write = super().transact_write_items
            return self._once(
                "TransactItems",
                lambda: self._several_changes(changed, write, "Write"),
                lambda: self._repeated([content for _, content in contents]),
            )

    def _once(self, parameter: str, execute: Callable[[], str], repeat: Callable[[], str] = lambda: "{}") -> Any:
        """Execute a transaction, or answer with `repeat` if a transaction with the same token was executed before."""
        token = self.body.get("ClientRequestToken")
        if token is None:
            return execute()
        known = self.dynamodb_backend.__dict__.setdefault("client_request_tokens", {})  # saved with the backend
        actions = tokens.digest(self.body[parameter])
        with refusals():
            if tokens.is_repeated(known, token, actions, time.time()):
                return 200, {tokens.REPEATED: "true"}, repeat()
        answer = execute()
        known[token] = time.time(), actions
        return answer

    def _repeated(self, contents: list[dict[str, Any]]) -> str:
        """Answer a repeated transaction. It consumes capacity to read the items."""
        body: dict[str, Any] = {}
        reads = [
            {"TableName": content["TableName"], "Key": content.get("Key") or content["Item"]} for content in contents
        ]
        self._complete_transaction_read(body, reads)
        return json.dumps(body)

    def execute_statement(self) -> Any:
        """Answer ExecuteStatement."""
        return self._statements(partiql.execute)

    def batch_execute_statement(self) -> Any:
        """Answer BatchExecuteStatement."""
        return self._statements(partiql.execute_batch)

    def execute_transaction(self) -> Any:
        """Answer ExecuteTransaction. Execute it only once for each token."""
        return self._once("TransactStatements", lambda: self._statements(partiql.execute_transaction))

    def _statements(self, execute: Callable[..., dict[str, Any]]) -> str:
        with refusals():
            return json.dumps(execute(self.dynamodb_backend, self._schema, self.body))


def _described(index: Any) -> dict[str, Any]:
    return {"IndexName": index.name, "KeySchema": index.schema, "Projection": index.projection}


@cache
def install() -> None:
    """Register this handler for DynamoDB's requests."""
    calculate_exactly()
    allow_large_items()
    replace_parsers()
    name_streams()
    responses.TRANSACTION_MAX_ITEMS = batches.ACTIONS
    urls.url_paths = dict.fromkeys(urls.url_paths, Handler.dispatch)
