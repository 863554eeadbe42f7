"""Store S3 objects that are too large for memory in the server's temporary folder. LocalStack uses /tmp."""
# mypy: disable-error-code="import-not-found"

import os
from pathlib import Path


def install() -> None:
    """Set LocalStack's folder for large objects."""
    from localstack.services.s3 import provider  # noqa: PLC0415 - only a running server has it
    from localstack.utils.patch import Patch  # noqa: PLC0415

    Patch(provider, "DEFAULT_S3_TMP_DIR", str(Path(os.environ["TMPDIR"]) / "s3")).apply()
