"""Build the environment of the server process. It contains only the caller's variables that are named here."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from embedded_localstack import lambda_runtime, public_layers
from embedded_localstack.state import SERVER_VARIABLE, Home

OWNER_VARIABLE = "EMBEDDED_LOCALSTACK_OWNER"
"""The process without which the server ends too, so that killed tests leave no server behind (testing.py sets it)."""
LISTEN_VARIABLE = "EMBEDDED_LISTEN"
"""The address that the server listens on. The default is 127.0.0.1: anyone who reaches the port can run code."""
LOOPBACK = "127.0.0.1"
# The caller's variables that are passed on, which are this package's settings and the folder for Python's byte code.
PASSED = (
    "IAM_ENFORCE",
    "IAM_AUDIT",
    "LAMBDA_KEEPALIVE_MS",
    "LAMBDA_RETRY_BASE_DELAY",
    "LAMBDA_RUNTIME_SUBSTITUTE",
    "LS_LOG",
    "DEBUG",
    "PYTHONPYCACHEPREFIX",
    OWNER_VARIABLE,
    LISTEN_VARIABLE,
)

INTERPRETER = "LAMBDA_PROCESS_"
RUNTIMES = ("python3.13",)
"""The runtimes whose interpreter is known before the server starts."""
SUBSTITUTE_VARIABLE = "LAMBDA_RUNTIME_SUBSTITUTE"
"""With the value 1, the nearest version stands in for an interpreter that is not there."""
CALLER_VARIABLE = "EMBEDDED_LOCALSTACK_CALLER"
"""The variable with the caller's variables for tools such as npm, as JSON. LocalStack and functions do not use them."""
_FOR_TOOLS = (
    "PATH",
    "HOME",
    "PYENV_ROOT",
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "XDG_CACHE_HOME",
)
_FOR_TOOLS_PREFIXES = ("PIP_", "UV_", "NPM_CONFIG_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY")


def iam_enforced() -> bool:
    """Return whether IAM is enforced. IAM_ENFORCE=0 turns it off."""
    return os.environ.get("IAM_ENFORCE", "1").lower() not in ("0", "false", "no", "off")


def interpreter_variable(runtime: str) -> str:
    """Return the name of a runtime's interpreter variable, such as LAMBDA_PROCESS_PYTHON3_13 for python3.13."""
    return INTERPRETER + runtime.upper().replace(".", "_")


def tool_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that package managers need to find interpreters and packages."""
    return {
        name: value
        for name, value in environment.items()
        if name in _FOR_TOOLS or name.upper().startswith(_FOR_TOOLS_PREFIXES)
    }


def layer_variables() -> dict[str, str]:
    """Return the variable that names the files of public layers, with absolute paths.

    Raises:
        LaunchError: the caller's variable is malformed.
    """
    files = public_layers.parse(os.environ.get(public_layers.VARIABLE, ""), Path.cwd())
    return {public_layers.VARIABLE: public_layers.written(files)} if files else {}


def server_environment(home: Home) -> dict[str, str]:
    """Return the whole environment of the server.

    The caller's AWS_* variables and proxies would reach functions, so they are not passed on.

    Raises:
        LaunchError: a variable of the caller is malformed.
    """
    passed = {
        name: value for name, value in os.environ.items() if value and (name in PASSED or name.startswith(INTERPRETER))
    }
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
            CALLER_VARIABLE: json.dumps(tool_variables(os.environ)),
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
            # Without credentials, botocore reads them from the instance metadata service. On EC2 these would be real
            # credentials: https://docs.aws.amazon.com/cli/latest/topic/config-vars.html
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "SKIP_SSL_CERT_DOWNLOAD": "1",
            "DYNAMODB_IN_MEMORY": "1",
            # CloudFormation refuses a template with unsupported resource types. LocalStack ignores them by default.
            "CFN_IGNORE_UNSUPPORTED_RESOURCE_TYPES": "0",
            # Presigned URLs that were changed or have expired are refused.
            "S3_SKIP_SIGNATURE_VALIDATION": "0",
            "LAMBDA_RUNTIME_EXECUTOR": "process",
            # On AWS, an asynchronous invocation is retried after one minute, and again after two more.
            "LAMBDA_RETRY_BASE_DELAY": "2",
            "LAMBDA_EVENT_SOURCE_MAPPING_POLL_INTERVAL_SEC": "0.5",
            "LAMBDA_EVENT_SOURCE_MAPPING_MAX_BACKOFF_ON_EMPTY_POLL_SEC": "1",
            "LAMBDA_EVENT_SOURCE_MAPPING_MAX_BACKOFF_ON_ERROR_SEC": "5",
            "SQS_CLOUDWATCH_METRICS_REPORT_INTERVAL": "10",
        }
        | passed
        | layer_variables()
    )
