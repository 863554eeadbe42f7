"""Store the link that shares an image in the state table. An image has at most one link."""

import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass
from typing import Any

_SECRET_CHARS = 32


@dataclass(frozen=True)
class Shared:
    """The image that a link shares."""

    image_id: str
    original: bool


class ShareStore:
    """The links in the state table. Botocore's errors pass through."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        """`dynamodb` is a low-level client."""
        self._dynamodb = dynamodb
        self._table = table

    def create(self, image_id: str, expires_at: int, *, original: bool) -> str:
        """Create a link, which replaces an earlier one, and return its token. Only a digest of its secret is stored.

        `expires_at` is in seconds since 1970.
        """
        secret = secrets.token_hex(_SECRET_CHARS // 2)
        item = {
            **_key(image_id),
            "digest": {"S": _digest(secret)},
            "original": {"BOOL": original},
            "expires_at": {"N": str(expires_at)},
        }
        self._dynamodb.put_item(TableName=self._table, Item=item)
        return image_id + secret

    def revoke(self, image_id: str) -> None:
        """Delete the link of an image, if there is one."""
        self._dynamodb.delete_item(TableName=self._table, Key=_key(image_id))

    def find(self, token: str) -> Shared | None:
        """Return the image that a token shares, or None if the token is wrong, expired or revoked."""
        image_id, secret = token[:-_SECRET_CHARS], token[-_SECRET_CHARS:]
        item = self._dynamodb.get_item(TableName=self._table, Key=_key(image_id), ConsistentRead=True).get("Item")
        # DynamoDB may return an item for days after its expiry.
        if not item or int(item["expires_at"]["N"]) < time.time():
            return None
        if not hmac.compare_digest(item["digest"]["S"], _digest(secret)):
            return None
        return Shared(image_id, bool(item["original"]["BOOL"]))


def _key(image_id: str) -> dict[str, Any]:
    return {"pk": {"S": f"share#{image_id}"}}


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
