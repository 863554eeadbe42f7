"""List buckets that have more than one page of keys.

LocalStack 4.14 fails on a page that ends with a non-ASCII key. It sorts plain keys but compares encoded keys, so a page
can start too early or too late.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
"""
# mypy: disable-error-code="import-not-found, untyped-decorator"

import base64
from collections.abc import Callable
from typing import Any
from urllib.parse import quote


def install() -> None:
    """Let LocalStack list plain keys, and encode them in the response."""
    from localstack.services.s3 import provider  # noqa: PLC0415 - only a running server has it
    from localstack.utils.patch import Patch, patch  # noqa: PLC0415

    @patch(provider.S3Provider.list_objects_v2)
    def list_objects_v2(
        original: Callable[..., Any],
        self: Any,
        context: Any,
        bucket: str,
        encoding_type: str | None = None,
        **parameters: Any,
    ) -> Any:
        provider.validate_encoding_type(encoding_type)
        answer = original(self, context, bucket, **parameters)
        return encoded(answer) if encoding_type else answer

    def decode_continuation_token(token: str | None) -> str:
        return base64.b64decode(token, altchars=b"._").decode() if token else ""

    Patch(provider, "decode_continuation_token", decode_continuation_token).apply()


def encoded(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the response with its keys and parts of keys URL-encoded."""
    parts: dict[str, Any] = {
        name: quote(answer[name]) for name in ("Prefix", "Delimiter", "StartAfter") if name in answer
    }
    lists = {
        name: [item | {part: quote(item[part])} for item in answer[name]]
        for name, part in (("Contents", "Key"), ("CommonPrefixes", "Prefix"))
        if name in answer
    }
    return {**answer, **parts, **lists, "EncodingType": "url"}
