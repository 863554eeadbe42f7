"""Calculate the sizes of catalog items. DynamoDB bills and limits writes by size, rounded up to the next KB."""

from typing import Any

# The size of the largest item of the demo's photos, as measured by
# tests/unit/eventloom/monitoring/test_item_sizes.py
BYTES = 985


def size(item: dict[str, Any]) -> int:
    """Return the size in bytes of an item, which is given in DynamoDB's JSON.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    return sum(len(name.encode()) + _size(value) for name, value in item.items())


def write_units(item_bytes: float) -> int:
    """Return the write units for one write of an item to the table, or to an index with all attributes."""
    return max(1, -(-int(item_bytes) // 1024))


def _size(typed: dict[str, Any]) -> int:
    ((kind, value),) = typed.items()
    match kind:
        case "S":
            bytes_used = len(value.encode())
        case "N":
            bytes_used = 1 + (len(value.replace(".", "").strip("-0")) + 1) // 2
        case "M":
            bytes_used = 3 + sum(len(name.encode()) + _size(inner) + 1 for name, inner in value.items())
        case "L":
            bytes_used = 3 + sum(_size(inner) + 1 for inner in value)
        case "BOOL" | "NULL":
            bytes_used = 1
        case _:
            raise ValueError(f"the catalog's items have no attribute of type {kind}")
    return bytes_used
