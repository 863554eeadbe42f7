"""Listings of more than a page.

LocalStack 4.14 fails on a page that ends at a key with characters beyond ASCII. It sorts plain keys and compares
encoded ones, so that a page can begin too early or too late.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
"""
# mypy: disable-error-code="import-not-found, untyped-decorator"

import base64
from collections.abc import Callable
from typing import Any
from urllib.parse import quote


def install() -> None:
    """Let LocalStack list plain keys, and encode them afterwards."""
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
    """Return the answer with keys, and all that contains a part of a key, in URL encoding."""
    parts: dict[str, Any] = {
        name: quote(answer[name]) for name in ("Prefix", "Delimiter", "StartAfter") if name in answer
    }
    lists = {
        name: [found | {part: quote(found[part])} for found in answer[name]]
        for name, part in (("Contents", "Key"), ("CommonPrefixes", "Prefix"))
        if name in answer
    }
    return {**answer, **parts, **lists, "EncodingType": "url"}
