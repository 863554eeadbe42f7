"""The environment of the server process. Of the caller's variables it contains only those named here."""

import os

from embedded_localstack import lambda_runtime
from embedded_localstack.state import SERVER_VARIABLE, Home

# Passed on if the caller sets them: the switches of this package, and the folder for Python's byte code.
PASSED = (
    "IAM_ENFORCE",
    "IAM_AUDIT",
    "LAMBDA_KEEPALIVE_MS",
    "LAMBDA_RETRY_BASE_DELAY",
    "LS_LOG",
    "DEBUG",
    "PYTHONPYCACHEPREFIX",
)

RUNTIMES = ("python3.13",)


def iam_enforced() -> bool:
    """Return whether IAM is enforced. IAM_ENFORCE=0 turns it off."""
    return os.environ.get("IAM_ENFORCE", "1").lower() not in ("0", "false", "no", "off")


def interpreter_variable(runtime: str) -> str:
    """Return the name of a runtime's interpreter variable: LAMBDA_PROCESS_PYTHON3_13 for python3.13."""
    return "LAMBDA_PROCESS_" + runtime.upper().replace(".", "_")


def server_environment(home: Home) -> dict[str, str]:
    """Return the whole environment of the server.

    The caller's AWS_* variables and proxies would reach functions, so they are not passed on.
    """
    passed = {name: os.environ[name] for name in PASSED if os.environ.get(name)}
    interpreters = {
        interpreter_variable(runtime): os.environ.get(interpreter_variable(runtime))
        or str(lambda_runtime.interpreter(home.cache))
        for runtime in RUNTIMES
    }
    return (
        interpreters
        | {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            # LocalStack prints the local time of S3 events with a Z, so local time must be UTC.
            "TZ": "UTC",
            SERVER_VARIABLE: str(home.path),
            "HOME": str(home.user),
            "TMPDIR": str(home.temporary),
            "XDG_CACHE_HOME": str(home.user / ".cache"),
            "CONFIG_DIR": str(home.user / ".localstack"),
            "FILESYSTEM_ROOT": str(home.filesystem),
            # In a container, LocalStack would otherwise use the folders of its own Docker image.
            "OVERRIDE_IN_DOCKER": "0",
            "GATEWAY_LISTEN": f"127.0.0.1:{home.port}",
            "DNS_ADDRESS": "0",
            "LOG_LEVEL_OVERRIDES": "localstack.deprecations=ERROR,localstack.aws.protocol.serializer=ERROR",
            "DISABLE_EVENTS": "1",
            "SKIP_SSL_CERT_DOWNLOAD": "1",
            "DYNAMODB_IN_MEMORY": "1",
            # Presigned URLs that were changed or have expired are refused.
            "S3_SKIP_SIGNATURE_VALIDATION": "0",
            "LAMBDA_RUNTIME_EXECUTOR": "process",
            # Shorter than on AWS, which waits one and then two minutes before it retries an asynchronous invocation.
            "LAMBDA_RETRY_BASE_DELAY": "2",
            "LAMBDA_EVENT_SOURCE_MAPPING_POLL_INTERVAL_SEC": "0.5",
            "LAMBDA_EVENT_SOURCE_MAPPING_MAX_BACKOFF_ON_EMPTY_POLL_SEC": "1",
            "LAMBDA_EVENT_SOURCE_MAPPING_MAX_BACKOFF_ON_ERROR_SEC": "5",
            "SQS_CLOUDWATCH_METRICS_REPORT_INTERVAL": "10",
        }
        | passed
    )
