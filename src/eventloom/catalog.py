"""The deployed image pipeline as its users see it: put a photo, wait for its item in the catalog, read its thumbnails.

`outputs` are the Terraform outputs of an environment (see src/eventloom/terminal.py).
"""

import mimetypes
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from eventloom.clouds import chosen_cloud, client
from eventloom.errors import UserError
from shared.identity import image_id

_deserialize = TypeDeserializer().deserialize


@dataclass(frozen=True)
class Upload:
    """One object version that was put into the uploads bucket."""

    file: Path
    key: str
    image_id: str
    version_id: str


def gallery_url(outputs: dict[str, Any]) -> str:
    """Where the gallery is served: an emulator serves every API, by its id, at its own endpoint."""
    endpoint = chosen_cloud().endpoint
    return f"{endpoint}/_aws/execute-api/{outputs['api_id']}/{outputs['api_stage']}/" if endpoint else str(outputs["gallery_url"])


def deployed_function(outputs: dict[str, Any], name: str) -> dict[str, str]:
    """ARNs, name and log group of a deployed function. Raises UserError naming those there are."""
    functions: dict[str, dict[str, str]] = outputs["functions"]
    if name not in functions:
        raise UserError(f"no function '{name}' is deployed; choose one of: {', '.join(sorted(functions))}")
    return functions[name]


def upload(outputs: dict[str, Any], file: Path) -> Upload:
    """Put a file into the uploads bucket under its own name. Raises OSError if it can't be read."""
    bucket, key = outputs["uploads_bucket"], file.name
    content_type = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    answer = client("s3").put_object(Bucket=bucket, Key=key, Body=file.read_bytes(), ContentType=content_type)
    return Upload(file, key, image_id(bucket, key), answer.get("VersionId", ""))


def upload_all(outputs: dict[str, Any], files: list[Path]) -> Iterator[Upload]:
    """Put files, a few at a time; yields each as it is done, in the given order."""
    with ThreadPoolExecutor(8) as pool:
        yield from pool.map(partial(upload, outputs), files)


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


def item(outputs: dict[str, Any], found_id: str) -> dict[str, Any] | None:
    """The catalog's item of an image, as plain Python, or None."""
    key = {"image_id": {"S": found_id}}
    return from_dynamodb(client("dynamodb").get_item(TableName=outputs["catalog_table"], Key=key, ConsistentRead=True).get("Item"))


def wait(outputs: dict[str, Any], uploads: list[Upload], timeout_s: float = 120) -> Iterator[tuple[Upload, dict[str, Any]]]:
    """Yield each upload with its item as soon as the catalog has that very version.

    Raises UserError naming what is missing after `timeout_s` seconds.
    """
    pending, end = {one.image_id: one for one in uploads}, time.monotonic() + timeout_s
    while pending:
        for one in list(pending.values()):
            found = item(outputs, one.image_id)
            if found and found.get("version_id") == one.version_id:
                del pending[one.image_id]
                yield one, found
        if pending and time.monotonic() > end:
            missing = ", ".join(one.key for one in pending.values())
            raise UserError(f"no result after {timeout_s:.0f} s for: {missing}; look at: make status, make logs FN=thumbnailer")
        time.sleep(0.2)


def thumbnail(outputs: dict[str, Any], key: str) -> bytes:
    """The bytes of a thumbnail."""
    content: bytes = client("s3").get_object(Bucket=outputs["thumbnails_bucket"], Key=key)["Body"].read()
    return content
