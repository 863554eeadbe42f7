"""Describe the keys of a table and its indexes, and check keys and items against them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from embedded_localstack.dynamodb.errors import InvalidRequestError, wrong_parameter
from embedded_localstack.dynamodb.values import ITEM_BYTES, Item, Value, item_size, size, type_of

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-partition-sort-keys
PARTITION_KEY_BYTES = 2048
SORT_KEY_BYTES = 1024
_MISMATCH = "The provided key element does not match the schema"
_EMPTY = {"S": "string", "B": "binary"}


@dataclass(frozen=True, slots=True)
class Index:
    """A secondary index. `attributes` are its projected attributes; None means all."""

    name: str
    keys: tuple[str, ...]
    is_global: bool
    attributes: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Schema:
    """A table: its name, its keys (the partition key first), the types of all keys, and its indexes by name."""

    table: str
    keys: tuple[str, ...]
    types: Mapping[str, str]
    indexes: Mapping[str, Index]

    def index(self, name: str) -> Index:
        """Return an index.

        Raises:
            InvalidRequestError: the table does not have the index.
        """
        if name not in self.indexes:
            raise InvalidRequestError(f"The table does not have the specified index: {name}")
        return self.indexes[name]


def schema(table: str, description: Mapping[str, Any]) -> Schema:
    """Return the schema of a table from its API description: KeySchema, AttributeDefinitions and the indexes."""
    keys = key_names(description["KeySchema"])
    return Schema(
        table,
        keys,
        {attribute["AttributeName"]: attribute["AttributeType"] for attribute in description["AttributeDefinitions"]},
        {
            index["IndexName"]: Index(
                index["IndexName"], key_names(index["KeySchema"]), is_global, projected(index, keys)
            )
            for is_global, parameter in ((True, "GlobalSecondaryIndexes"), (False, "LocalSecondaryIndexes"))
            for index in description.get(parameter) or ()
        },
    )


def key_names(elements: Iterable[Mapping[str, str]]) -> tuple[str, ...]:
    """Return the names in a KeySchema, with the partition key first."""
    return tuple(
        element["AttributeName"] for element in sorted(elements, key=lambda element: element["KeyType"] != "HASH")
    )


def projected(index: Mapping[str, Any], keys: Sequence[str]) -> frozenset[str] | None:
    """Return the attributes that an index projects, or None for all."""
    projection = index.get("Projection") or {}
    if projection.get("ProjectionType", "ALL") == "ALL":
        return None
    return frozenset((*keys, *key_names(index["KeySchema"]), *projection.get("NonKeyAttributes", ())))


def check_key(key: Mapping[str, Value], table: Schema) -> None:
    """Check the key of an item.

    Raises:
        InvalidRequestError: the key does not have exactly the table's key attributes, or a value cannot be a key.
    """
    if len(key) != len(table.keys):
        raise InvalidRequestError(_MISMATCH)
    for name in table.keys:
        if name not in key or type_of(key[name]) != table.types[name]:
            raise InvalidRequestError(_MISMATCH)
        _check_key_value(name, key[name], table)


def check_item(item: Item, table: Schema) -> None:
    """Check an item before it is stored.

    Raises:
        InvalidRequestError: a key is missing, a key of the table or of an index has a wrong type or size, or the item
            is too large.
    """
    for name in table.keys:
        if name not in item:
            raise wrong_parameter(f"Missing the key {name} in the item")
        if (actual := type_of(item[name])) != table.types[name]:
            raise wrong_parameter(f"Type mismatch for key {name} expected: {table.types[name]} actual: {actual}")
        _check_key_value(name, item[name], table)
    check_index_keys(item, table)
    if item_size(item) > ITEM_BYTES:
        raise InvalidRequestError("Item size has exceeded the maximum allowed size")


def _check_key_value(name: str, value: Value, table: Schema) -> None:
    ((kind, content),) = value.items()
    if kind in _EMPTY and not content:
        raise InvalidRequestError(
            "One or more parameter values are not valid. The AttributeValue for a key attribute "
            f"cannot contain an empty {_EMPTY[kind]} value. Key: {name}"
        )
    length = len(content)
    if length * 4 > SORT_KEY_BYTES and kind != "N":
        _check_key_size(size(value), is_partition_key=name == table.keys[0])


def _check_key_size(length: int, *, is_partition_key: bool) -> None:
    if is_partition_key and length > PARTITION_KEY_BYTES:
        raise wrong_parameter(f"Size of hashkey has exceeded the maximum size limit of{PARTITION_KEY_BYTES} bytes")
    if not is_partition_key and length > SORT_KEY_BYTES:
        raise wrong_parameter(
            f"Aggregated size of all range keys has exceeded the size limit of {SORT_KEY_BYTES} bytes"
        )


def check_index_keys(item: Mapping[str, Value], table: Schema) -> None:
    """Check the values of an item's index keys.

    Raises:
        InvalidRequestError: a value has a wrong type, or is empty.
    """
    for index in table.indexes.values():
        for name in index.keys:
            if name in table.keys or name not in item:
                continue
            ((kind, content),) = item[name].items()
            check_index_key_type(name, kind, index, table)
            if kind in _EMPTY and not content:
                raise InvalidRequestError(
                    "One or more parameter values are not valid. A value specified for a secondary index key is not "
                    f"supported. The AttributeValue for a key attribute cannot contain an empty {_EMPTY[kind]} value. "
                    f"IndexName: {index.name}, IndexKey: {name}"
                )


def check_index_key_type(name: str, kind: str, index: Index, table: Schema) -> None:
    """Check the type of a key of an index.

    Raises:
        InvalidRequestError: the table defines another type for the key.
    """
    if kind != table.types[name]:
        raise wrong_parameter(
            f"Type mismatch for Index Key {name} Expected: {table.types[name]} Actual: {kind} IndexName: {index.name}"
        )


def check_changes(changes: Iterable[tuple[str, int, str]], table: Schema) -> None:
    """Check the changes of an update. Each has an attribute's name, its path's length, and the new type if known.

    Raises:
        InvalidRequestError: a change affects a key of the table, or gives an index key a wrong type.
    """
    for name, length, kind in changes:
        if name in table.keys:
            raise wrong_parameter(f"Cannot update attribute {name}. This attribute is part of the key")
        for index in table.indexes.values():
            if name not in index.keys:
                continue
            if length > 1:
                raise _no_scalar(f"IndexKey: {name}")
            if kind:
                check_index_key_type(name, kind, index, table)


def check_paths(paths: Iterable[tuple[str | int, ...]], table: Schema) -> None:
    """Check that no path goes into a key.

    Raises:
        InvalidRequestError: a path goes into a key.
    """
    for path in paths:
        if len(path) == 1:
            continue
        if path[0] in table.keys:
            raise _no_scalar(f"Key: {path[0]}")
        if any(path[0] in index.keys for index in table.indexes.values()):
            raise _no_scalar(f"IndexKey: {path[0]}")


def _no_scalar(key: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: {key}"
    )
