"""Correct moto's DynamoDB outside its request handler."""
# mypy: disable-error-code="import-untyped"

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from moto.core.utils import utcnow
from moto.dynamodb import models, responses
from moto.dynamodb.exceptions import IncorrectDataType, ItemSizeTooLarge
from moto.dynamodb.models import dynamo_type, table
from moto.dynamodb.models.dynamo_type import DynamoType

from embedded_localstack.dynamodb import conditions, projections
from embedded_localstack.dynamodb.decimals import difference, total
from embedded_localstack.dynamodb.evaluation import Evaluation
from embedded_localstack.dynamodb.placeholders import Placeholders
from embedded_localstack.dynamodb.values import ITEM_BYTES


def calculate_exactly() -> None:
    """Make moto calculate and compare values of type "N" with 38 digits.

    moto uses floats, which have fewer digits.
    """
    values: Any = DynamoType
    cast = values.cast_value.fget

    def cast_value(self: Any) -> Any:
        if self.is_number() and not self.value.lstrip("-").isdigit():
            return Decimal(self.value)
        return cast(self)

    values.__add__ = _calculation(total)
    values.__sub__ = _calculation(difference)
    values.cast_value = property(cast_value)


def _calculation(calculate: Callable[[str, str], str]) -> Callable[[Any, Any], Any]:
    def calculated(self: Any, other: Any) -> Any:
        if not self.is_number() or not other.is_number():
            raise IncorrectDataType
        return DynamoType({"N": calculate(self.value, other.value)})

    return calculated


class ProjectionParser:
    """A parser of one projection. moto's parser does not replace the placeholder in `#name[0]`."""

    def __init__(self, projection_expression: str | None, expression_attribute_names: dict[str, str] | None) -> None:
        """Take a projection that is already checked."""
        self._text = projection_expression
        self._names = expression_attribute_names
        self.expr_attr_names_found = list(expression_attribute_names or ())

    def parse(self) -> list[list[str]]:
        """Return the paths in moto's form, where a list position is part of the name before it."""
        if not self._text:
            return []
        paths = projections.check(projections.parse(self._text), Placeholders(self._names or None, None))
        return [projections.joined(path) for path in paths]


class ConditionParser:
    """A parser of one condition or filter, and also the condition that `parse` returns.

    moto's parser parses the text at each use, fails if types differ, and treats true as the number 1.
    """

    def __init__(
        self,
        expression: str | None,
        expression_attribute_names: dict[str, str] | None,
        expression_attribute_values: dict[str, Any] | None,
    ) -> None:
        """Take an expression that is already checked."""
        self.expr_attr_names_found = list(expression_attribute_names or ())
        self.expr_attr_values_found = list(expression_attribute_values or ())
        tree = conditions.parse(expression).tree if expression else None
        self._evaluation = (
            Evaluation(tree, expression_attribute_names, expression_attribute_values) if tree is not None else None
        )

    def parse(self) -> "ConditionParser":
        """Return the condition."""
        return self

    def expr(self, item: Any) -> bool:
        """Return whether an item fulfils the condition."""
        return self._evaluation is None or self._evaluation.holds(item.attrs if item is not None else {})


def replace_parsers() -> None:
    """Make moto's handler and models use the parsers above."""
    handlers: Any = responses
    handlers.ProjectionExpressionParser = ProjectionParser
    for module in (models, table, responses):
        users: Any = module
        for name in ("create_condition_expression_parser", "get_filter_expression"):
            if hasattr(users, name):
                setattr(users, name, ConditionParser)


def allow_large_items() -> None:
    """Allow items of up to 400 KB. moto refuses items from 405,000 bytes."""
    attributes: Any = dynamo_type.LimitedSizeDict

    def set_item(self: Any, name: str, value: Any) -> None:
        size = _size(name, value) + sum(_size(*known) for known in self.items() if known[0] != name)
        if size > ITEM_BYTES:
            raise ItemSizeTooLarge
        dict.__setitem__(self, name, value)

    attributes.__setitem__ = set_item


def name_streams() -> None:
    """Label streams by milliseconds, as AWS does. moto also keeps each change in a stream that nobody reads."""
    tables: Any = table.Table
    specify = tables.set_stream_specification

    def set_stream_specification(self: Any, streams: dict[str, Any] | None) -> None:
        specify(self, streams)
        if self.stream_shard is not None:
            self.stream_shard = None
            self.latest_stream_label = utcnow().isoformat(timespec="milliseconds")

    tables.set_stream_specification = set_stream_specification


def _size(name: str, value: Any) -> int:
    return len(name.encode()) + int(value.size())
