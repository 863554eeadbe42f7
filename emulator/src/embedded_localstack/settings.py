"""The environment of the server process. It gets nothing of the caller's except what is named here."""

import os

from embedded_localstack import lambda_runtime
from embedded_localstack.state import SERVER_VARIABLE, Home

# Passed on from the caller if set: switches of this package, and where Python keeps its byte code.
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
    """Return whether IAM is enforced: it is, unless IAM_ENFORCE=0."""
    return os.environ.get("IAM_ENFORCE", "1").lower() not in ("0", "false", "no", "off")


def interpreter_variable(runtime: str) -> str:
    """Return the variable that holds the interpreter of a runtime: python3.13 -> LAMBDA_PROCESS_PYTHON3_13."""
    return "LAMBDA_PROCESS_" + runtime.upper().replace(".", "_")


def server_environment(home: Home) -> dict[str, str]:
    """Return the whole environment of the server.

    The caller's AWS_* variables and proxies would reach functions, so none is passed.
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
            # Naive timestamps of S3 events are printed with a Z.
            "TZ": "UTC",
            SERVER_VARIABLE: str(home.path),
            "HOME": str(home.user),
            "TMPDIR": str(home.temporary),
            "XDG_CACHE_HOME": str(home.user / ".cache"),
            "CONFIG_DIR": str(home.user / ".localstack"),
            "FILESYSTEM_ROOT": str(home.filesystem),
            # In a container LocalStack would otherwise take the container's folders for its own.
            "OVERRIDE_IN_DOCKER": "0",
            "GATEWAY_LISTEN": f"127.0.0.1:{home.port}",
            "DNS_ADDRESS": "0",
            "LOG_LEVEL_OVERRIDES": "localstack.deprecations=ERROR,localstack.aws.protocol.serializer=ERROR",
            "DISABLE_EVENTS": "1",
            "SKIP_SSL_CERT_DOWNLOAD": "1",
            "DYNAMODB_IN_MEMORY": "1",
            # Presigned URLs that were changed, or are too old, are refused.
            "S3_SKIP_SIGNATURE_VALIDATION": "0",
            "LAMBDA_RUNTIME_EXECUTOR": "process",
            # AWS waits one and then two minutes before it repeats an asynchronous invocation.
            "LAMBDA_RETRY_BASE_DELAY": "2",
            "LAMBDA_EVENT_SOURCE_MAPPING_POLL_INTERVAL_SEC": "0.5",
            "LAMBDA_EVENT_SOURCE_MAPPING_MAX_BACKOFF_ON_EMPTY_POLL_SEC": "1",
            "LAMBDA_EVENT_SOURCE_MAPPING_MAX_BACKOFF_ON_ERROR_SEC": "5",
            "SQS_CLOUDWATCH_METRICS_REPORT_INTERVAL": "10",
        }
        | passed
    )
