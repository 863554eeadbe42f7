"""Read the gallery's address, catalog items and thumbnails of a deployed pipeline.

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
    """Return the address of the gallery. In an emulator, the address consists of its endpoint and the API's id."""
    endpoint = chosen_cloud().endpoint
    return (
        f"{endpoint}/_aws/execute-api/{outputs['api_id']}/{outputs['api_stage']}/"
        if endpoint
        else str(outputs["gallery_url"])
    )


def gallery_link(outputs: dict[str, Any]) -> str:
    """Return the address of the gallery, with the API key if the environment has one.

    The key is in the fragment, because browsers do not send fragments to servers.
    """
    key = outputs["api_key"]
    return gallery_url(outputs) + (f"#{urlencode({'key': key})}" if key else "")


def deployed_function(outputs: dict[str, Any], name: str) -> dict[str, str]:
    """Return the ARNs, name and log group of a deployed function.

    Raises UserError if there is no such function. The message lists the deployed functions.
    """
    functions: dict[str, dict[str, str]] = outputs["functions"]
    if name not in functions:
        raise UserError(f"no function '{name}' is deployed; choose one of: {', '.join(sorted(functions))}")
    return functions[name]


def from_dynamodb(item: dict[str, Any] | None) -> dict[str, Any] | None:
    """Convert an item from DynamoDB's JSON to plain Python values. Returns None for None."""
    return None if item is None else plain(item)


def items(dynamodb: Any, table: str, image_ids: Iterable[str]) -> list[dict[str, Any]]:
    """Return the catalog's items of up to 100 images.

    The list may be shorter, because items may not exist, or DynamoDB may leave keys unprocessed.
    """
    keys = [{"image_id": {"S": identity}} for identity in image_ids]
    answer = dynamodb.batch_get_item(RequestItems={table: {"Keys": keys, "ConsistentRead": True}})
    return [plain(item) for item in answer["Responses"].get(table, [])]


def thumbnail(outputs: dict[str, Any], key: str) -> bytes:
    """Return the bytes of a thumbnail."""
    content: bytes = client("s3").get_object(Bucket=outputs["thumbnails_bucket"], Key=key)["Body"].read()
    return content


__all__ = ["deployed_function", "from_dynamodb", "gallery_link", "gallery_url", "image_id", "items", "thumbnail"]
