"""Read the objects of a website as an anonymous caller.

LocalStack reads them with its own key, which has all permissions.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/WebsiteAccessPermissionsReqd.html
"""
# mypy: disable-error-code="import-not-found, untyped-decorator"

from collections.abc import Callable
from typing import Any

from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

FORBIDDEN = """<html>
<head><title>403 Forbidden</title></head>
<body>
<h1>403 Forbidden</h1>
<ul>
<li>Code: AccessDenied</li>
<li>Message: Access Denied</li>
</ul>
<hr/>
</body>
</html>
"""


class Reader:
    """A client of S3 that reads objects without a signature, and the website's configuration with LocalStack's key."""

    def __init__(self, anonymous: Any, internal: Any) -> None:
        self._anonymous, self._internal = anonymous, internal

    def __getattr__(self, name: str) -> Any:
        return getattr(self._internal if name == "get_bucket_website" else self._anonymous, name)


def install() -> None:
    """Give the website handler an anonymous client, and answer with 403 if that client may not read an object."""
    from localstack.services.s3 import website_hosting  # noqa: PLC0415 - only a running server has it
    from localstack.utils.patch import patch  # noqa: PLC0415

    handler = website_hosting.S3WebsiteHostingHandler

    @patch(handler.__init__)
    def __init__(original: Callable[..., None], self: Any) -> None:
        original(self)
        connect = website_hosting.connect_to
        self.s3_client = Reader(connect(config=Config(signature_version=UNSIGNED)).s3, self.s3_client)

    @patch(handler._serve_object)
    def serve(original: Callable[..., Any], self: Any, request: Any, bucket: str, path: str | None = None) -> Any:
        try:
            return original(self, request, bucket, path)
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("AccessDenied", "403"):
                raise
            return forbidden(self, website_hosting.Response, bucket, path or "")


def forbidden(handler: Any, response: Callable[..., Any], bucket: str, key: str) -> Any:
    """Return the 403 response for an unreadable object. Its body is the error document if everybody may read that."""
    document = handler.s3_client.get_bucket_website(Bucket=bucket).get("ErrorDocument")
    if document:
        try:
            answer = handler._return_error_document(error_document=document, bucket=bucket, missing_key=key)
        except Exception:
            return response(FORBIDDEN, status=403, mimetype="text/html")
        if answer.status_code == 404:
            answer.status_code = 403
        return answer
    return response(FORBIDDEN, status=403, mimetype="text/html")
