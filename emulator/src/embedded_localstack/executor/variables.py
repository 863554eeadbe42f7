"""Build the environment variables of a function from AWS's variables and the function's own variables.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
"""

from collections.abc import Mapping
from pathlib import Path

# The variables that LocalStack adds for its Docker images. AWS sets none of them.
_LOCALSTACK_ONLY = ("LOCALSTACK_", "_AWS_XRAY_DAEMON_", "EDGE_PORT", "AWS_LAMBDA_FUNCTION_TIMEOUT", "_X_AMZN_")
TASK_ROOT, RUNTIME_DIR, OPT = "/var/task", "/var/runtime", "/opt"


def function_variables(
    given: Mapping[str, object], own: Mapping[str, str], runtime: str, programs: Path | None
) -> dict[str, str]:
    """Return the whole environment of a function's process.

    Args:
        given: the variables that LocalStack would give to a container.
        own: the function's configured variables. They override all other variables except LAMBDA_TASK_ROOT.
        programs: the folder of the runtime's interpreter.
    """
    variables = {name: str(value) for name, value in given.items() if not name.startswith(_LOCALSTACK_ONLY)}
    variables.pop("HOME", None)
    if "AWS_LAMBDA_LOG_LEVEL" in variables:
        variables["AWS_LAMBDA_LOG_LEVEL"] = variables["AWS_LAMBDA_LOG_LEVEL"].upper()
    first = f"{programs}:" if programs else ""
    variables |= {
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{runtime}",
        "LANG": "en_US.UTF-8",
        "PATH": f"{first}/usr/local/bin:/usr/bin:/bin:{OPT}/bin",
        "LD_LIBRARY_PATH": f"{TASK_ROOT}:{TASK_ROOT}/lib:{OPT}/lib",
        "TZ": ":UTC",
        "LAMBDA_RUNTIME_DIR": RUNTIME_DIR,
    }
    return variables | layer_path(runtime) | dict(own) | {"LAMBDA_TASK_ROOT": TASK_ROOT}


def layer_path(runtime: str) -> dict[str, str]:
    """Return the variable with the search path for the layers' packages in the runtime's language.

    https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html#packaging-layers-paths
    """
    if runtime.startswith("python"):
        return {"PYTHONPATH": f"{OPT}/python/lib/{runtime}/site-packages:{OPT}/python"}
    if runtime.startswith("nodejs"):
        major = runtime.removeprefix("nodejs").partition(".")[0]
        folders = (
            f"{OPT}/nodejs/node{major}/node_modules",
            f"{OPT}/nodejs/node_modules",
            f"{RUNTIME_DIR}/node_modules",
        )
        return {"NODE_PATH": ":".join((*folders, RUNTIME_DIR, TASK_ROOT))}
    return {}
