"""The environment variables of a function: those that AWS sets, and the function's own."""

from collections.abc import Mapping
from pathlib import Path

# The variables that LocalStack adds for its Docker images. AWS sets none of them.
_LOCALSTACK_ONLY = ("LOCALSTACK_", "_AWS_XRAY_DAEMON_", "EDGE_PORT", "AWS_LAMBDA_FUNCTION_TIMEOUT", "_X_AMZN_")


def function_variables(  # noqa: PLR0913, PLR0917 - the only place that combines all of them
    given: Mapping[str, object],
    own: Mapping[str, str],
    runtime: str,
    interpreter: Path,
    task_root: Path,
    folder: Path,
    layers: list[Path],
) -> dict[str, str]:
    """Return the whole environment of a function's process.

    Args:
        given: the variables that LocalStack would give to a container.
        own: the function's configured variables. They override all others except those that say where it runs.
        layers: the folders of the unpacked layers, in order.
    """
    variables = {name: str(value) for name, value in given.items() if not name.startswith(_LOCALSTACK_ONLY)}
    if "AWS_LAMBDA_LOG_LEVEL" in variables:
        variables["AWS_LAMBDA_LOG_LEVEL"] = variables["AWS_LAMBDA_LOG_LEVEL"].upper()
    variables |= {
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{runtime}",
        "LANG": "en_US.UTF-8",
        "PATH": f"{interpreter.parent}:/usr/local/bin:/usr/bin:/bin",
        "TZ": ":UTC",
        "LAMBDA_RUNTIME_DIR": str(interpreter.parent),
    }
    if layers:
        version = runtime.removeprefix("python")
        folders = [
            path
            for layer in layers
            for path in (layer / "python" / "lib" / f"python{version}" / "site-packages", layer / "python")
        ]
        variables["PYTHONPATH"] = ":".join(map(str, folders))
    variables |= own
    return variables | {"LAMBDA_TASK_ROOT": str(task_root), "TMPDIR": str(folder), "HOME": str(folder)}
