"""Convert message attributes of SQS to JSON that keeps their types, and back."""

import base64
from typing import Any

from eventloom.errors import UserError

type Attributes = dict[str, dict[str, Any]]
"""Name to DataType and StringValue (text) or BinaryValue (bytes), as SendMessage takes them."""


def value_field(data_type: str) -> str:
    """Return the name of the field with the value of a data type. Custom types have a label, such as Number.int.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
    """
    return "BinaryValue" if data_type.partition(".")[0] == "Binary" else "StringValue"


def received(message: dict[str, Any]) -> Attributes:
    """Return the attributes of a message that ReceiveMessage returned."""
    attributes = {}
    for name, attribute in message.get("MessageAttributes", {}).items():
        field = value_field(attribute["DataType"])
        attributes[name] = {"DataType": attribute["DataType"], field: attribute[field]}
    return attributes


def text(attributes: Attributes, name: str) -> str:
    """Return the text of an attribute, or "" if there is none."""
    return str(attributes.get(name, {}).get("StringValue", ""))


def size(attributes: Attributes) -> int:
    """Return the size of the attributes in bytes: SQS counts their names, types and values."""
    values = [attribute[value_field(attribute["DataType"])] for attribute in attributes.values()]
    texts = [*attributes, *(attribute["DataType"] for attribute in attributes.values()), *values]
    return sum(len(text) if isinstance(text, bytes) else len(text.encode()) for text in texts)


def to_json(attributes: Attributes) -> dict[str, dict[str, str]]:
    """Return the attributes for JSON in the form of the AWS CLI, with binary values in base64."""
    return {
        name: {
            field: base64.b64encode(value).decode() if isinstance(value, bytes) else value
            for field, value in attribute.items()
        }
        for name, attribute in attributes.items()
    }


def from_json(content: Any) -> Attributes:
    """Return the attributes from the JSON of `to_json`. Raises UserError for any other JSON.

    Records of earlier versions contain a string for each attribute, and "" for binary values, which they did not keep.
    """
    if not isinstance(content, dict):
        raise UserError("the attributes of a discarded message must be a JSON object")
    return {name: _attribute(name, attribute) for name, attribute in content.items() if attribute != ""}


def _attribute(name: str, attribute: Any) -> dict[str, Any]:
    if isinstance(attribute, str):
        return {"DataType": "String", "StringValue": attribute}
    try:
        data_type = attribute["DataType"]
        field = value_field(data_type)
        value = base64.b64decode(attribute[field], validate=True) if field == "BinaryValue" else attribute[field]
        if not isinstance(value, str | bytes):
            raise TypeError
        return {"DataType": data_type, field: value}
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise UserError(
            f"the attribute {name} of a discarded message needs DataType and StringValue or BinaryValue (base64)"
        ) from error
