"""How large the catalog's items are for DynamoDB, which bills and limits writes by each KB that is begun."""

from typing import Any

# The largest of the demo's photos; tests/unit/eventloom/monitoring/test_item_sizes.py makes and measures it
BYTES = 985


def size(item: dict[str, Any]) -> int:
    """Bytes of an item in DynamoDB's JSON.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    return sum(len(name.encode()) + _size(value) for name, value in item.items())


def write_units(item_bytes: float) -> int:
    """What one write of an item costs, in the table or in an index that has all of it."""
    return max(1, -(-int(item_bytes) // 1024))


def _size(typed: dict[str, Any]) -> int:
    ((kind, value),) = typed.items()
    match kind:
        case "S":
            bytes_used = len(value.encode())
        case "N":
            bytes_used = 1 + (len(value.replace(".", "").strip("-0")) + 1) // 2
        case "M":
            bytes_used = 3 + sum(len(name.encode()) + _size(one) + 1 for name, one in value.items())
        case "L":
            bytes_used = 3 + sum(_size(one) + 1 for one in value)
        case "BOOL" | "NULL":
            bytes_used = 1
        case _:
            raise ValueError(f"no item of the catalog holds {kind}")
    return bytes_used
