"""Allow copying an older version of an object over the object, which restores that version.

LocalStack refuses every copy of an object to itself that changes nothing else. S3 refuses such a copy only if the
source has no version id.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/RestoringPreviousVersions.html
"""
# mypy: disable-error-code="import-not-found, untyped-decorator"

from collections.abc import Callable
from typing import Any


def install() -> None:
    """Set the storage class of such a copy, which LocalStack counts as a change. The default is S3's default."""
    from localstack.services.s3.provider import S3Provider  # noqa: PLC0415 - only a running server has it
    from localstack.services.s3.utils import (  # noqa: PLC0415
        extract_bucket_key_version_id_from_copy_source as parsed_source,
    )
    from localstack.utils.patch import patch  # noqa: PLC0415

    @patch(S3Provider.copy_object)
    def copy_object(original: Callable[..., Any], self: Any, context: Any, request: Any) -> Any:
        if "versionId=" in request["CopySource"]:
            bucket, key, version = parsed_source(request["CopySource"])
            if version and (bucket, key) == (request["Bucket"], request["Key"]):
                request["StorageClass"] = request.get("StorageClass") or "STANDARD"
        return original(self, context, request)
