"""Connect the executor to LocalStack, which selects it with `LAMBDA_RUNTIME_EXECUTOR=process`."""
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

from embedded_localstack import certificates, runtimes
from embedded_localstack.executor import layers
from embedded_localstack.executor.code_files import set_writable
from embedded_localstack.executor.debugger import Debugger
from embedded_localstack.executor.environment import Environment, InitError, Spec
from embedded_localstack.executor.output import Event
from embedded_localstack.executor.runtime import Place
from embedded_localstack.executor.variables import function_variables
from embedded_localstack.programs import Program
from embedded_localstack.state import Home

LOG = logging.getLogger(__name__)
MACHINES = {"x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


class ProcessExecutorPlugin(RuntimeExecutorPlugin):
    """The plugin of the executor, which LocalStack finds by its entry point."""

    name = "process"

    def load(self, *_: Any, **__: Any) -> type["ProcessExecutor"]:
        """Return the executor class. LocalStack creates an instance for each environment."""
        return ProcessExecutor


class Log(str):
    """The log of an invocation as LocalStack returns it, with the events that patches/lambda_logs.py writes."""

    events: list[Event]

    def __new__(cls, tail: str, events: list[Event]) -> "Log":
        """Create a log from the text of an invocation (without its initialisation) and all events."""
        log = super().__new__(cls, tail)
        log.events = events
        return log


def program_of(runtime: str | None) -> Program:
    """Return the program that runs the functions of a runtime.

    Raises:
        LambdaRuntimeException: the runtime cannot run here. LocalStack shows the message as the function's StateReason.
    """
    if not runtime:
        raise LambdaRuntimeException(
            "the embedded LocalStack runs zip files, not container images; deploy those to AWS"
        )
    try:
        return runtimes.program(runtime, Home.of_this_server().cache)
    except runtimes.UnavailableError as error:
        raise LambdaRuntimeException(str(error)) from error


def command_of(program: Program, runtime: str, handler: str, place: Place) -> tuple[str, ...]:
    """Return the command of a function. For `provided` runtimes it is the `bootstrap` of the code or of a layer.

    https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html
    """
    if not runtime.startswith("provided"):
        return (*program.command, handler)
    is_in_layer = place.layers and not (place.task_root / "bootstrap").exists()
    return ("/opt/bootstrap",) if is_in_layer else program.command


class ProcessExecutor(RuntimeExecutor):
    """An execution environment, as LocalStack uses it."""

    def __init__(self, id: str, function_version: Any) -> None:
        super().__init__(id, function_version)
        self._environment: Environment | None = None
        self._is_stopped = False
        self._logs: list[str] = []
        self.client_context: str | None = None
        """The client context of the next invocation, which patches/lambda_client_context.py sets."""
        self.debugger: Debugger | None = None
        """The debugger that the function waits for, which debugging/environments.py sets."""

    def start(self, env_vars: dict[str, str]) -> None:
        """Load the function."""
        config = self.function_version.config
        program = program_of(config.runtime)
        trust = Home.of_this_server().certificates
        place = Place(
            Path(os.environ["TMPDIR"]) / "environments" / self.id,
            Path(config.code.get_unzipped_code_location()),
            program.runtime_folder,
            layers.folder(self.function_version),
            (*program.interpreter_folders, trust / certificates.TRUSTED),
        )
        own = config.environment or {}
        debugger = self.debugger
        command = command_of(program, config.runtime, config.handler, place)
        spec = Spec(
            command=debugger.command(program, config.handler) if debugger else command,
            runtime=config.runtime,
            place=place,
            variables=certificates.variables(trust)
            | function_variables(env_vars, own, config.runtime, program.folder)
            | (debugger.variables() if debugger else {}),
            version=self.function_version.id.qualifier,
            timeout_s=config.timeout,
            memory_mb=config.memory_size,
            json_logs=env_vars.get("AWS_LAMBDA_LOG_FORMAT") == "JSON",
            is_paused=debugger.is_attached if debugger else None,
        )
        self._environment = Environment(spec)
        if self._is_stopped:  # another thread called `stop` before the environment existed
            raise LambdaRuntimeException("stopped")
        try:
            self._environment.start(
                must_work=env_vars.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "provisioned-concurrency"
            )
        except InitError as error:
            raise StatusErrorException("Environment startup failed", payload=error.payload) from error

    def stop(self) -> None:
        """End the environment."""
        self._is_stopped = True
        if self._environment:
            self._environment.stop()

    @property
    def is_running(self) -> bool:
        """Return whether the process of the function runs."""
        runtime = self._environment.runtime if self._environment else None
        return bool(runtime and runtime.running)

    @property
    def processes(self) -> list[int]:
        """Return the ids of the function's processes."""
        runtime = self._environment.runtime if self._environment else None
        return runtime.processes() if runtime else []

    def invoke(self, payload: dict[str, str]) -> Any:
        """Run the function on an event, and return its result."""
        if not self._environment:
            raise LambdaRuntimeException("not started")
        request_id = payload["invoke-id"]
        result = self._environment.invoke(
            request_id,
            payload["payload"].encode(),
            payload["invoked-function-arn"],
            payload["trace-id"],
            self.client_context,
        )
        self._logs = [*self._logs[-20:], result.logs]
        log = Log(result.tail, [*result.early, *result.events])
        return InvocationResult(request_id, result.payload, is_error=result.failed, logs=log)

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
        program_of(config.runtime)
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
        layers.prepare(function_version)

    @classmethod
    def cleanup_version(cls, function_version: Any) -> None:
        """Make the code writable, so that LocalStack can remove it."""
        set_writable(Path(function_version.config.code.get_unzipped_code_location()), writable=True)
