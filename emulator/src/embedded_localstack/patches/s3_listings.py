"""Listings of more than a page: LocalStack 4.14 fails on a page that ends at a key with other than ASCII characters, and compares encoded
keys where it sorted plain ones, so that a page can begin too early or too late.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
"""
# mypy: disable-error-code="import-not-found"

import base64
from typing import Any
from urllib.parse import quote


def install() -> None:
    """Let LocalStack list plain keys, and encode what it found."""
    from localstack.services.s3 import provider  # noqa: PLC0415 - only a running server has it

    original = provider.S3Provider.list_objects_v2

    def list_objects_v2(self: Any, context: Any, bucket: str, encoding_type: str | None = None, **parameters: Any) -> Any:
        provider.validate_encoding_type(encoding_type)
        answer = original(self, context, bucket, **parameters)
        return encoded(answer) if encoding_type else answer

    provider.S3Provider.list_objects_v2 = list_objects_v2
    provider.decode_continuation_token = lambda token: base64.b64decode(token, altchars=b"._").decode() if token else ""


def encoded(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer with everything that a key is a part of in URL encoding."""
    parts: dict[str, Any] = {name: quote(answer[name]) for name in ("Prefix", "Delimiter", "StartAfter") if name in answer}
    lists = {
        name: [found | {part: quote(found[part])} for found in answer[name]]
        for name, part in (("Contents", "Key"), ("CommonPrefixes", "Prefix"))
        if name in answer
    }
    return {**answer, **parts, **lists, "EncodingType": "url"}
