"""Call S3 at localhost within the server.

LocalStack resolves `s3.localhost.localstack.cloud` with DNS, and uses that name if it exists. The query reveals to
another machine that a server starts, and takes ten seconds if no DNS server answers.
"""
# mypy: disable-error-code="import-not-found"


def install() -> None:
    """Replace the DNS query with a constant host name."""
    from localstack.aws import connect  # noqa: PLC0415 - only a running server has it
    from localstack.utils.patch import Patch  # noqa: PLC0415

    Patch(connect, "get_s3_hostname", lambda: "localhost").apply()
