"""LocalStack's side of the executor, which `LAMBDA_RUNTIME_EXECUTOR=process` selects."""
# mypy: disable-error-code="import-not-found, misc"

import logging
import os
import platform
from pathlib import Path
from typing import Any

from localstack.services.lambda_.invocation.executor_endpoint import StatusErrorException
from localstack.services.lambda_.invocation.lambda_models import InvocationResult
from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin
from localstack.services.lambda_.invocation.runtime_executor import LambdaRuntimeException, RuntimeExecutor

from embedded_localstack.executor.environment import Environment, InitError, Spec
from embedded_localstack.executor.variables import function_variables
from embedded_localstack.settings import RUNTIMES, interpreter_variable

LOG = logging.getLogger(__name__)
MACHINES = {"x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


class ProcessExecutorPlugin(RuntimeExecutorPlugin):
    """The plugin that LocalStack finds by its entry point."""

    name = "process"

    def load(self, *_: Any, **__: Any) -> type["ProcessExecutor"]:
        """Return the class of which LocalStack makes an instance for each environment."""
        return ProcessExecutor


def interpreter_of(runtime: str | None) -> Path:
    """Return the interpreter for a runtime such as "python3.13".

    Raises:
        LambdaRuntimeException: there is no interpreter. LocalStack shows the message as the function's StateReason.
    """
    path = os.environ.get(interpreter_variable(runtime), "") if runtime else ""
    if not path:
        raise LambdaRuntimeException(
            f"the embedded LocalStack runs {', '.join(RUNTIMES)}, not {runtime or 'container images'}; use that "
            f"runtime, or deploy to AWS"
        )
    if not os.access(path, os.X_OK):
        raise LambdaRuntimeException(
            f"{interpreter_variable(str(runtime))}={path} is not a program; name an interpreter that has awslambdaric, "
            f"or leave it out"
        )
    return Path(path)


class ProcessExecutor(RuntimeExecutor):
    """One execution environment."""

    def __init__(self, id: str, function_version: Any) -> None:
        super().__init__(id, function_version)
        self._environment: Environment | None = None
        self._logs: list[str] = []

    def start(self, env_vars: dict[str, str]) -> None:
        """Load the function."""
        config = self.function_version.config
        interpreter = interpreter_of(config.runtime)
        task_root = Path(config.code.get_unzipped_code_location())
        folder = Path(os.environ["TMPDIR"]) / "environments" / self.id
        layers = [Path(layer.code.get_unzipped_code_location()) for layer in config.layers]
        own = config.environment or {}
        spec = Spec(
            interpreter=interpreter,
            runtime=config.runtime,
            handler=config.handler,
            task_root=task_root,
            variables=function_variables(env_vars, own, config.runtime, interpreter, task_root, folder, layers),
            version=self.function_version.id.qualifier,
            timeout_s=config.timeout,
            memory_mb=config.memory_size,
            json_logs=env_vars.get("AWS_LAMBDA_LOG_FORMAT") == "JSON",
            folder=folder,
        )
        self._environment = Environment(spec)
        try:
            self._environment.start(
                must_work=env_vars.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "provisioned-concurrency"
            )
        except InitError as error:
            raise StatusErrorException("Environment startup failed", payload=error.payload) from error

    def stop(self) -> None:
        """End the environment."""
        if self._environment:
            self._environment.stop()

    def invoke(self, payload: dict[str, str]) -> Any:
        """Run the function on an event, and return its result."""
        if not self._environment:
            raise LambdaRuntimeException("not started")
        request_id = payload["invoke-id"]
        result = self._environment.invoke(
            request_id, payload["payload"].encode(), payload["invoked-function-arn"], payload["trace-id"]
        )
        self._logs = [*self._logs[-20:], result.logs]
        return InvocationResult(request_id, result.payload, is_error=result.failed, logs=result.logs)

    def get_logs(self) -> str:
        """Return the logs of the latest invocations."""
        return "".join(self._logs)

    def get_address(self) -> str:
        """Return the address of the environment."""
        return "127.0.0.1"

    def get_endpoint_from_executor(self) -> str:
        """Return the address of LocalStack as the function sees it."""
        return "127.0.0.1"

    def get_runtime_endpoint(self) -> str:
        """Return an empty address, because only LocalStack's own init would use it."""
        return ""

    @classmethod
    def prepare_version(cls, function_version: Any) -> None:
        """Unpack the code, and make it read-only as on AWS."""
        config = function_version.config
        interpreter_of(config.runtime)
        host = MACHINES.get(platform.machine())
        if host not in config.architectures:
            LOG.warning(
                "function %s is built for %s, this machine is %s",
                function_version.id.function_name,
                config.architectures,
                host,
            )
        for code in (config.code, *(layer.code for layer in config.layers)):
            code.prepare_for_execution()
            set_writable(Path(code.get_unzipped_code_location()), writable=False)

    @classmethod
    def cleanup_version(cls, function_version: Any) -> None:
        """Make the code writable, so that LocalStack can remove it."""
        set_writable(Path(function_version.config.code.get_unzipped_code_location()), writable=True)


def set_writable(folder: Path, *, writable: bool) -> None:
    """Make everything in the folder writable or read-only. The folder may no longer exist."""
    for path, _, names in folder.walk():
        for changed in (path, *(file for name in names if not (file := path / name).is_symlink())):
            mode = changed.stat().st_mode
            changed.chmod(mode | 0o200 if writable else mode & ~0o222)
