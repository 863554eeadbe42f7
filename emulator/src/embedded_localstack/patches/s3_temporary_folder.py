"""S3 objects too large for memory go to LocalStack's temporary folder; the provider has /tmp written in."""
# mypy: disable-error-code="import-not-found"

import os


def install() -> None:
    """Redirect the folder."""
    from localstack.services.s3 import provider  # noqa: PLC0415 - only a running server has it

    provider.DEFAULT_S3_TMP_DIR = os.path.join(os.environ["TMPDIR"], "s3")  # noqa: PTH118 - LocalStack wants a string
