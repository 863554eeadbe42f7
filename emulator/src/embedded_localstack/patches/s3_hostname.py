"""Call S3 at localhost within the server.

LocalStack asks the name server whether `s3.localhost.localstack.cloud` exists, and uses that name if so. This tells
another machine that a server starts, and takes ten seconds where no name server answers.
"""
# mypy: disable-error-code="import-not-found"


def install() -> None:
    """Replace the question."""
    from localstack.aws import connect  # noqa: PLC0415 - only a running server has it
    from localstack.utils.patch import Patch  # noqa: PLC0415

    Patch(connect, "get_s3_hostname", lambda: "localhost").apply()
