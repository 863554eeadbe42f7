"""Calculate the capacity that a request consumes.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from embedded_localstack.dynamodb.schema import Index, Schema
from embedded_localstack.dynamodb.values import Item, item_size

WRITE_BYTES = 1024
READ_BYTES = 4096


@dataclass
class Units:
    """The capacity units that requests consume on a table and on its indexes."""

    table: float = 0.0
    indexes: dict[str, float] = field(default_factory=dict)

    def add(self, other: "Units", factor: float = 1) -> None:
        """Add the units of another request."""
        self.table += other.table * factor
        for name, units in other.indexes.items():
            self.indexes[name] = self.indexes.get(name, 0.0) + units * factor

    @property
    def total(self) -> float:
        """The units of the table and of all indexes."""
        return self.table + sum(self.indexes.values())


def read(size: int, *, consistent: bool) -> float:
    """Return the read units for `size` bytes."""
    return max(1, ceil(size / READ_BYTES)) * (1.0 if consistent else 0.5)


def _write(*sizes: int) -> float:
    return float(max(1, ceil(max(sizes) / WRITE_BYTES)))


def write(old: Item | None, new: Item | None, table: Schema) -> Units:
    """Return the units to replace the item `old` by `new`. None stands for no item."""
    units = Units(_write(item_size(old or {}), item_size(new or {})))
    for index in table.indexes.values():
        if written := _index_write(_projected(old, index, table), _projected(new, index, table), index):
            units.indexes[index.name] = written
    return units


def _projected(item: Item | None, index: Index, table: Schema) -> Item | None:
    """Return the item's entry in an index, or None if the index does not contain the item."""
    if item is None or any(name not in item for name in index.keys):
        return None
    if index.attributes is None:
        return item
    return {name: value for name, value in item.items() if name in index.attributes or name in table.keys}


def _index_write(old: Item | None, new: Item | None, index: Index) -> float:
    if old is None or new is None:
        entry = old or new
        return _write(item_size(entry)) if entry is not None else 0.0
    if any(old[name] != new[name] for name in index.keys):
        return _write(item_size(old)) + _write(item_size(new))
    return _write(item_size(old), item_size(new)) if old != new else 0.0


def consumed(table: Schema, units: Units, detail: str, kind: str | None = None) -> dict[str, Any]:
    """Return a ConsumedCapacity. `detail` is TOTAL or INDEXES. A transaction also names its `kind`, Read or Write."""

    def described(count: float) -> dict[str, float]:
        return {"CapacityUnits": count} | ({f"{kind}CapacityUnits": count} if kind else {})

    answer: dict[str, Any] = {"TableName": table.table} | described(units.total)
    if detail != "INDEXES":
        return answer
    answer["Table"] = described(units.table)
    for parameter, is_global in (("GlobalSecondaryIndexes", True), ("LocalSecondaryIndexes", False)):
        of_kind = {
            name: described(count)
            for name, count in units.indexes.items()
            if table.indexes[name].is_global == is_global
        }
        if of_kind:
            answer[parameter] = of_kind
    return answer


def collection_metrics(item: Mapping[str, Any], table: Schema) -> dict[str, Any] | None:
    """Return the ItemCollectionMetrics of a changed item, or None for a table without a local secondary index."""
    if all(index.is_global for index in table.indexes.values()):
        return None
    return {"ItemCollectionKey": {table.keys[0]: item[table.keys[0]]}, "SizeEstimateRangeGB": [0.0, 1.0]}
