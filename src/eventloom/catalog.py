"""Read the gallery's address, the catalog's items and the thumbnails of a deployed pipeline.

`outputs` are the Terraform outputs of an environment (see src/eventloom/deployment/outputs.py).
"""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from eventloom.clouds import chosen_cloud, client
from eventloom.errors import UserError
from shared.dynamodb import plain
from shared.identity import image_id


def gallery_url(outputs: dict[str, Any]) -> str:
    """Return the address of the gallery. An emulator serves every API at its own endpoint, by the API's id."""
    endpoint = chosen_cloud().endpoint
    return (
        f"{endpoint}/_aws/execute-api/{outputs['api_id']}/{outputs['api_stage']}/"
        if endpoint
        else str(outputs["gallery_url"])
    )


def gallery_link(outputs: dict[str, Any]) -> str:
    """Return the address of the gallery with the API key, if the environment has one.

    The key is in the fragment, which browsers send to no server.
    """
    key = outputs["api_key"]
    return gallery_url(outputs) + (f"#{urlencode({'key': key})}" if key else "")


def deployed_function(outputs: dict[str, Any], name: str) -> dict[str, str]:
    """Return the ARNs, name and log group of a deployed function.

    Raises UserError, with the names of the deployed functions, if there is no such function.
    """
    functions: dict[str, dict[str, str]] = outputs["functions"]
    if name not in functions:
        raise UserError(f"no function '{name}' is deployed; choose one of: {', '.join(sorted(functions))}")
    return functions[name]


def from_dynamodb(item: dict[str, Any] | None) -> dict[str, Any] | None:
    """Convert an item in DynamoDB's JSON to plain Python values. None stands for an item that does not exist."""
    return None if item is None else plain(item)


def items(dynamodb: Any, table: str, image_ids: Iterable[str]) -> list[dict[str, Any]]:
    """Return the catalog's items of up to 100 images.

    The answer lacks images without an item, and items that DynamoDB leaves unprocessed.
    """
    keys = [{"image_id": {"S": identity}} for identity in image_ids]
    answer = dynamodb.batch_get_item(RequestItems={table: {"Keys": keys, "ConsistentRead": True}})
    return [plain(item) for item in answer["Responses"].get(table, [])]


def thumbnail(outputs: dict[str, Any], key: str) -> bytes:
    """Return the bytes of a thumbnail."""
    content: bytes = client("s3").get_object(Bucket=outputs["thumbnails_bucket"], Key=key)["Body"].read()
    return content


__all__ = ["deployed_function", "from_dynamodb", "gallery_link", "gallery_url", "image_id", "items", "thumbnail"]
