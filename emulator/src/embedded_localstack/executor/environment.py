"""Run one execution environment with its processes, its temporary folder, and the log of each invocation."""

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass

from embedded_localstack.executor import records
from embedded_localstack.executor.output import Event
from embedded_localstack.executor.records import Report
from embedded_localstack.executor.runtime import Ending, Place, Runtime
from embedded_localstack.executor.runtime_api import Invocation

INIT_SECONDS = 10  # https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib
# A process that dies during the Init phase is replaced once, because Lambda retries a failed Init phase in the first
# invocation. https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib
INIT_ATTEMPTS = 2
WRAPPER = "AWS_LAMBDA_EXEC_WRAPPER"
MAX_RESPONSE_BYTES = 6 * 1024 * 1024 + 100
# A debugged function may wait for its debugger or stay paused for this long. The debugger needs extra memory.
DEBUGGED_SECONDS, DEBUGGER_MB = 24 * 60 * 60, 512


class InitError(Exception):
    """A failed initialisation of a function. `payload` is the Lambda error object."""

    def __init__(self, payload: bytes) -> None:
        super().__init__(payload.decode(errors="replace"))
        self.payload = payload


@dataclass(frozen=True)
class Spec:
    """The settings of an execution environment."""

    command: tuple[str, ...]
    """The command that starts the runtime, which loads the function and asks the Runtime API for events."""
    runtime: str
    place: Place
    """Its temporary folder is made at the start and removed at the end."""
    variables: dict[str, str]
    version: str
    timeout_s: float
    memory_mb: int
    json_logs: bool
    is_paused: Callable[[], bool] | None = None
    """For a function that is debugged: returns whether time stands still, because a debugger is attached."""


@dataclass(frozen=True)
class Result:
    """The response to an invocation, and its events for CloudWatch Logs."""

    payload: bytes
    failed: bool
    early: list[Event]
    """The events of an initialisation."""
    events: list[Event]
    """The events of the invocation, from START to REPORT."""

    @property
    def tail(self) -> str:
        """Return the log of the invocation. As on AWS, it leaves out the initialisation."""
        return "".join(event.message if event.message.endswith("\n") else f"{event.message}\n" for event in self.events)

    @property
    def logs(self) -> str:
        """Return everything that was logged."""
        return "".join(event.message for event in self.early) + self.tail


class Environment:
    """One execution environment. LocalStack gives it one invocation at a time, as Lambda does."""

    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        self._runtime: Runtime | None = None
        self._init_error: bytes | None = None
        self._init_attempts = INIT_ATTEMPTS
        self._cold = True
        self._stopped = False
        self._used_mb = 0
        self._early: list[Event] = []
        """The output of a failed initialisation. It belongs to the log of the invocation that gets the error."""

    def start(self, *, must_work: bool = False) -> None:
        """Load the function. An error becomes the response to the first invocation, as on AWS, unless `must_work`.

        If the process dies, the first invocation loads the function again.

        Raises:
            InitError: the function cannot be loaded and `must_work` (provisioned concurrency) is set.
        """
        self._spec.place.folder.mkdir(parents=True, exist_ok=True)
        failure = self._initialise(INIT_SECONDS)
        if failure and must_work:
            raise InitError(failure.payload)
        if failure and failure.error_type:
            self._init_attempts -= 1
        else:
            self._init_error = failure.payload if failure else None

    def invoke(
        self, request_id: str, payload: bytes, function_arn: str, trace_id: str, client_context: str | None = None
    ) -> Result:
        """Run the function on an event, and return its response and its log."""
        began = time.monotonic()
        deadline_ms = int((time.time() + self._limit(self._spec.timeout_s)) * 1000)
        invocation = Invocation(request_id, payload, function_arn, trace_id, deadline_ms, client_context)
        early, self._early = self._early, []
        if not self._init_error:
            early += self._ensure_runtime()
        # Another thread may call `stop` at any time. A runtime that was stopped still has its output and memory
        # figures.
        runtime = self._runtime
        init_ms = runtime.init_ms if runtime and self._cold and runtime.init_ms else None
        early += runtime.output.take() if runtime else []
        start = self._event(records.start(request_id, self._spec.version, as_json=self._spec.json_logs))
        ending, extra = self._run(runtime, invocation, began)
        used_mb = runtime.used_mb() if runtime else self._used_mb
        report = self._report(
            request_id, ending, (time.monotonic() - began) * 1000, used_mb, init_ms, timed_out=bool(extra)
        )
        output = runtime.output.take() if runtime else []
        lines = (extra, *records.end(report, as_json=self._spec.json_logs))
        events = [start, *output, *(self._event(line) for line in lines if line)]
        self._cold = False
        if ending.error_type:
            self._discard()
        return Result(ending.payload, ending.failed, early, events)

    def stop(self) -> None:
        """End all processes and remove the temporary folder."""
        self._stopped = True
        self._discard()
        shutil.rmtree(self._spec.place.folder, ignore_errors=True)

    @property
    def runtime(self) -> Runtime | None:
        """Return the runtime, or None if the next invocation will start one."""
        return self._runtime

    # -- internal

    def _limit(self, seconds: float) -> float:
        """Return the time limit in seconds. A debugged function gets DEBUGGED_SECONDS more."""
        return seconds + DEBUGGED_SECONDS if self._spec.is_paused else seconds

    def _initialise(self, seconds: float) -> Ending | None:
        spec = self._spec
        self._early.append(self._event(records.init_start(spec.runtime, as_json=spec.json_logs)))
        runtime = self._runtime = Runtime(
            self._command(), spec.place, spec.variables, self._memory_mb(), is_paused=spec.is_paused
        )
        if self._stopped:  # another thread called `stop` while the process started
            self._discard()
        try:
            failure = runtime.initialised.result(self._limit(max(seconds, 0)))
        except TimeoutError:
            self._keep_output(runtime)
            return None
        if failure:
            self._keep_output(runtime)
        return failure

    def _memory_mb(self) -> int:
        return self._spec.memory_mb + (DEBUGGER_MB if self._spec.is_paused else 0)

    def _command(self) -> list[str]:
        """Return the command of the runtime. A wrapper script receives the command as its arguments.

        https://docs.aws.amazon.com/lambda/latest/dg/runtimes-modify.html#runtime-wrapper
        """
        wrapper = self._spec.variables.get(WRAPPER)
        is_managed = not self._spec.runtime.startswith("provided")
        return [*([wrapper] if wrapper and is_managed else []), *self._spec.command]

    @staticmethod
    def _event(message: str) -> Event:
        return Event(records.now_us(), message)

    def _keep_output(self, runtime: Runtime) -> None:
        """Discard a runtime that failed to initialise, but keep its output. The next invocation starts another."""
        self._discard()
        self._early += runtime.output.take()

    def _ensure_runtime(self) -> list[Event]:
        """Start a runtime if none runs after a crash, a timeout or a slow start. Return the output of the start.

        The start counts against the time of the invocation, as on Lambda.
        """
        if self._stopped or (self._runtime and self._runtime.running):
            return []
        self._discard()
        end = time.monotonic() + self._spec.timeout_s
        failure: Ending | None = None
        for _ in range(self._init_attempts):
            failure = self._initialise(end - time.monotonic())
            if not failure or not failure.error_type:
                break
        self._init_attempts = INIT_ATTEMPTS
        self._init_error = failure.payload if failure else None
        early, self._early = self._early, []
        return early

    def _run(self, runtime: Runtime | None, invocation: Invocation, began: float) -> tuple[Ending, str]:
        """Return the outcome of the invocation, and a log line if it timed out."""
        if self._init_error:
            error, self._init_error = self._init_error, None
            error = error.replace(b"RequestId:  Error", f"RequestId: {invocation.request_id} Error".encode())
            return Ending(error, failed=True, error_type=_error_type(error)), ""
        left = self._spec.timeout_s - (time.monotonic() - began)
        ending = runtime.invoke(invocation, left) if runtime else None
        if ending is None:
            return self._time_out(runtime, invocation.request_id)
        if len(ending.payload) > MAX_RESPONSE_BYTES:
            message = f"Response payload size exceeded maximum allowed payload size ({MAX_RESPONSE_BYTES} bytes)."
            return Ending(_error("Function.ResponseSizeTooLarge", message), failed=True), ""
        return ending, ""

    def _time_out(self, runtime: Runtime | None, request_id: str) -> tuple[Ending, str]:
        if runtime:
            runtime.kill()
        message = f"RequestId: {request_id} Error: Task timed out after {self._spec.timeout_s:.2f} seconds"
        ending = Ending(_error("Sandbox.Timedout", message), failed=True, error_type="Sandbox.Timedout")
        return ending, records.timed_out(request_id, self._spec.timeout_s)

    def _report(  # noqa: PLR0913 - the fields of a report
        self,
        request_id: str,
        ending: Ending,
        duration_ms: float,
        used_mb: int,
        init_ms: float | None,
        *,
        timed_out: bool,
    ) -> Report:
        return Report(
            request_id,
            self._spec.version,
            min(duration_ms, self._spec.timeout_s * 1000),
            self._spec.memory_mb,
            used_mb,
            init_ms,
            "timeout" if timed_out else "error" if ending.failed else "success",
            None if timed_out else ending.error_type,
        )

    def _discard(self) -> None:
        runtime, self._runtime = self._runtime, None
        if runtime:
            runtime.kill()
            self._used_mb = runtime.used_mb()


def _error(kind: str, message: str) -> bytes:
    return json.dumps({"errorType": kind, "errorMessage": message}).encode()


def _error_type(payload: bytes) -> str:
    try:
        return str(json.loads(payload)["errorType"])
    except (ValueError, KeyError, TypeError):
        return "Runtime.Unknown"
