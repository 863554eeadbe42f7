"""The deployed image pipeline as its users see it: the gallery's address, the catalog's items, the thumbnails.

`outputs` are the Terraform outputs of an environment (see src/eventloom/deployment/outputs.py).
"""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from boto3.dynamodb.types import TypeDeserializer

from eventloom.clouds import chosen_cloud, client
from eventloom.errors import UserError
from shared.identity import image_id

_deserialize = TypeDeserializer().deserialize


def gallery_url(outputs: dict[str, Any]) -> str:
    """Return the address of the gallery. An emulator serves every API, by its id, at its own endpoint."""
    endpoint = chosen_cloud().endpoint
    return f"{endpoint}/_aws/execute-api/{outputs['api_id']}/{outputs['api_stage']}/" if endpoint else str(outputs["gallery_url"])


def gallery_link(outputs: dict[str, Any]) -> str:
    """Return the address of the gallery with the API key, if the environment has one.

    The key is in the fragment, which browsers send to no server.
    """
    key = outputs["api_key"]
    return gallery_url(outputs) + (f"#{urlencode({'key': key})}" if key else "")


def deployed_function(outputs: dict[str, Any], name: str) -> dict[str, str]:
    """Return ARNs, name and log group of a deployed function. Raises UserError naming those that are deployed."""
    functions: dict[str, dict[str, str]] = outputs["functions"]
    if name not in functions:
        raise UserError(f"no function '{name}' is deployed; choose one of: {', '.join(sorted(functions))}")
    return functions[name]


def plain(value: Any) -> Any:
    """A DynamoDB attribute value as plain Python: numbers as int or float."""
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    if hasattr(value, "to_integral_value"):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def from_dynamodb(found: dict[str, Any] | None) -> dict[str, Any] | None:
    """An item in DynamoDB's JSON as plain Python."""
    return None if found is None else {name: plain(_deserialize(value)) for name, value in found.items()}


def items(dynamodb: Any, table: str, image_ids: Iterable[str]) -> list[dict[str, Any]]:
    """Return the catalog's items of up to 100 images. Images without one are left out, and so are those that DynamoDB puts off."""
    keys = [{"image_id": {"S": identity}} for identity in image_ids]
    answer = dynamodb.batch_get_item(RequestItems={table: {"Keys": keys, "ConsistentRead": True}})
    return [from_dynamodb(item) or {} for item in answer["Responses"].get(table, [])]


def thumbnail(outputs: dict[str, Any], key: str) -> bytes:
    """Return the bytes of a thumbnail."""
    content: bytes = client("s3").get_object(Bucket=outputs["thumbnails_bucket"], Key=key)["Body"].read()
    return content


__all__ = ["deployed_function", "from_dynamodb", "gallery_link", "gallery_url", "image_id", "items", "plain", "thumbnail"]
