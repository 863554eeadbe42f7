"""Run DynamoDB in this process: the emulator's handler with a moto backend."""

import base64
import itertools
import json
from typing import Any

from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

_ACCOUNTS = itertools.count(1)


class RefusedError(Exception):
    """A refused request, with the error's code, its message as the text, and the whole answer as `body`."""

    def __init__(self, body: dict[str, Any]) -> None:
        super().__init__(body.get("message") or body.get("Message"))
        self.code = body["__type"].rpartition("#")[2]
        self.body = body


class Table:
    """A separate table, with the keys p (S) and s (N), a global index `by-g` on g (S) and a local index `by-l`."""

    name = "table"

    def __init__(self, **settings: Any) -> None:
        """Create the table in a separate account."""
        from embedded_localstack.dynamodb import handler  # noqa: PLC0415 - moto reads the environment when imported

        handler.install()
        self._dispatch = handler.Handler.dispatch
        self.account = f"{next(_ACCOUNTS):012}"
        self.created = self.call(
            "CreateTable",
            KeySchema=schema("p", "s"),
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": kind}
                for name, kind in (("p", "S"), ("s", "N"), ("g", "S"), ("l", "S"))
            ],
            GlobalSecondaryIndexes=[index("by-g", "g")],
            LocalSecondaryIndexes=[index("by-l", "p", "l")],
            **({"BillingMode": "PAY_PER_REQUEST"} | settings),
        )

    def call(self, operation: str, **request: Any) -> dict[str, Any]:
        """Return the answer to a request.

        Raises:
            RefusedError: the request is refused.
        """
        if operation not in ("BatchWriteItem", "BatchGetItem", "TransactWriteItems", "TransactGetItems") and (
            "Statement" not in operation and operation != "ExecuteTransaction"
        ):
            request.setdefault("TableName", self.name)
        url = "http://dynamodb.us-east-1.amazonaws.com/"
        headers = {"X-Amz-Target": f"DynamoDB_20120810.{operation}", "x-moto-account-id": self.account}
        environ = EnvironBuilder("/", url, method="POST", data=json.dumps(request), headers=headers).get_environ()
        status, _, body = self._dispatch(Request(environ), url, headers)
        answer: dict[str, Any] = json.loads(body)
        if int(status) != 200:
            raise RefusedError(answer)
        return answer

    def put(self, item: dict[str, Any], **request: Any) -> dict[str, Any]:
        """Put an item."""
        return self.call("PutItem", Item=item, **request)

    def get(self, p: str, s: str = "1") -> dict[str, Any] | None:
        """Return an item, or None if it does not exist."""
        item: dict[str, Any] | None = self.call("GetItem", Key=key(p, s)).get("Item")
        return item


def schema(*keys: str) -> list[dict[str, str]]:
    """Return a KeySchema."""
    return [{"AttributeName": name, "KeyType": kind} for name, kind in zip(keys, ("HASH", "RANGE"), strict=False)]


def index(name: str, *keys: str) -> dict[str, Any]:
    """Return an index that projects only the keys."""
    return {"IndexName": name, "KeySchema": schema(*keys), "Projection": {"ProjectionType": "KEYS_ONLY"}}


def key(p: str, s: str = "1") -> dict[str, Any]:
    """Return a key of the table."""
    return {"p": {"S": p}, "s": {"N": s}}


def binary(content: bytes) -> dict[str, str]:
    """Return a binary value."""
    return {"B": base64.b64encode(content).decode()}
