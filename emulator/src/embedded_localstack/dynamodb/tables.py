"""Handle the operations on tables, and describe tables as DynamoDB does."""
# mypy: disable-error-code="import-untyped"

import json
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.dynamodb.responses import DynamoHandler

from embedded_localstack.dynamodb import answers

PREFIX = "com.amazonaws.dynamodb.v20120810#"
UPDATES = (
    "AttributeDefinitions",
    "BillingMode",
    "DeletionProtectionEnabled",
    "GlobalSecondaryIndexUpdates",
    "ProvisionedThroughput",
    "StreamSpecification",
    "WarmThroughput",
)


class TableHandler(DynamoHandler):
    """A handler of one request: moto's handler with DynamoDB's descriptions of tables."""

    def create_table(self) -> Any:
        """Answer CreateTable."""
        return _table(super().create_table(), "TableDescription")

    def delete_table(self) -> Any:
        """Answer DeleteTable."""
        return _table(super().delete_table(), "TableDescription")

    def describe_table(self) -> Any:
        """Answer DescribeTable."""
        return _table(super().describe_table(), "Table")

    def update_table(self) -> Any:
        """Answer UpdateTable. LocalStack stores the settings that moto does not have, such as the table class."""
        if not any(parameter in self.body for parameter in UPDATES):
            raise JsonRESTError(PREFIX + "ValidationException", "Nothing to update")
        return _table(super().update_table(), "TableDescription")


def _table(answer: Any, parameter: str) -> str:
    body = json.loads(answer)
    answers.complete_table(body[parameter])
    return json.dumps(body)
