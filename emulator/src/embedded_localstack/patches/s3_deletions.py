"""Report the keys that a caller may not delete in the answer of DeleteObjects, as S3 does.

iam/handler.py removes these keys from the request.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
"""
# mypy: disable-error-code="import-not-found, untyped-decorator"

from collections.abc import Callable
from typing import Any


def install() -> None:
    """Add the refused keys to the answer."""
    from localstack.services.s3.provider import S3Provider  # noqa: PLC0415 - only a running server has it
    from localstack.utils.patch import patch  # noqa: PLC0415

    @patch(S3Provider.delete_objects)
    def delete_objects(original: Callable[..., Any], self: Any, context: Any, **parameters: Any) -> Any:
        denied = getattr(context, "denied_objects", [])
        if denied and not parameters["delete"]["Objects"]:
            return {"Errors": refused(denied)}
        result = original(self, context, **parameters)
        if denied:
            result["Errors"] = [*(result.get("Errors") or []), *refused(denied)]
        return result


def refused(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the entries for keys that the caller may not delete."""
    return [{**item, "Code": "AccessDenied", "Message": "Access Denied"} for item in objects]
