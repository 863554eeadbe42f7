"""Convert between boto3's names of parameters, such as RouteKey, and the JSON names in moto, such as routeKey.

The shapes are those of botocore's service model.
"""

import re
from typing import Any


def to_wire(shape: Any, value: Any) -> Any:
    """Return a value of boto3 with the JSON names of AWS's API."""
    return _converted(shape, value, lambda member, name: (name, member.serialization.get("name", name)))


def from_wire(shape: Any, value: Any) -> Any:
    """Return a value of a response with the names of boto3. Fields without a value are left out."""
    return _converted(shape, value, lambda member, name: (member.serialization.get("name", name), name))


def _converted(shape: Any, value: Any, names: Any) -> Any:
    if value is None:
        return None
    match shape.type_name:
        case "structure":
            pairs = ((*names(member, name), member) for name, member in shape.members.items())
            return {
                new: _converted(member, value[old], names)
                for old, new, member in pairs
                if old in value and value[old] is not None
            }
        case "list":
            return [_converted(shape.member, item, names) for item in value]
        case "map":
            return {key: _converted(shape.value, item, names) for key, item in value.items()}
    return value


def snake(name: str) -> str:
    """Return a JSON name in the form of moto's arguments. For example, integrationUri becomes integration_uri."""
    return re.sub(r"[A-Z]", lambda letter: f"_{letter[0].lower()}", name)
