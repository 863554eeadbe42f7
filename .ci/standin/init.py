#!/usr/bin/python3
"""Replace the init process that LocalStack downloads for Lambda containers.

It takes invocations on port 9563, runs the function as the embedded LocalStack does, and reports the outcome.
"""

import json
import os
import signal
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from embedded_localstack import programs
from embedded_localstack.executor.environment import Environment, InitError, Spec
from embedded_localstack.executor.runtime import Place
from embedded_localstack.executor.variables import function_variables

INVOCATION_PORT = 9563
LOCALSTACK = os.environ["LOCALSTACK_RUNTIME_ENDPOINT"]
TASK_ROOT, FOLDER, PYTHON, RUNTIME = Path("/var/task"), Path("/tmp"), Path("/usr/bin/python3"), "python3.13"


def report(path: str, body: bytes = b"") -> None:
    """POST `body` to LocalStack's runtime endpoint."""
    headers = {"Content-Type": "application/json"}
    urllib.request.urlopen(urllib.request.Request(LOCALSTACK + path, body, headers, method="POST"), timeout=30).close()


def make_environment() -> Environment:
    """Return the function's environment that the container's variables describe."""
    variables, program = dict(os.environ), programs.python(PYTHON)
    return Environment(
        Spec(
            command=(*program.command, variables["_HANDLER"]),
            runtime=RUNTIME,
            place=Place(FOLDER, TASK_ROOT, program.runtime_folder),
            variables=function_variables(variables, {}, RUNTIME, PYTHON.parent),
            version=variables["AWS_LAMBDA_FUNCTION_VERSION"],
            timeout_s=float(variables["AWS_LAMBDA_FUNCTION_TIMEOUT"]),
            memory_mb=int(variables["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]),
            json_logs=variables.get("AWS_LAMBDA_LOG_FORMAT") == "JSON",
        )
    )


def run(environment: Environment, invocation: dict[str, Any]) -> None:
    """Run one invocation and report its log, then its result. LocalStack requires this order."""
    request_id = invocation["invoke-id"]
    payload, arn = invocation["payload"].encode(), invocation["invoked-function-arn"]
    trace = invocation.get("trace-id") or ""
    result = environment.invoke(request_id, payload, arn, trace)
    print(result.logs, end="", flush=True)
    report(f"/invocations/{request_id}/logs", json.dumps({"logs": result.logs}).encode())
    report(f"/invocations/{request_id}/{'error' if result.failed else 'response'}", result.payload)


def serve(environment: Environment) -> None:
    """Serve invocations until the process ends."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Write no access log: the container's output is the function's log."""

        def do_POST(self) -> None:
            invocation = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()
            threading.Thread(target=run, args=(environment, invocation), daemon=True).start()

    ThreadingHTTPServer(("0.0.0.0", INVOCATION_PORT), Handler).serve_forever()


def main() -> None:
    """Load the function, report that it is ready or why it failed, and serve."""
    environment = make_environment()
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    server = threading.Thread(target=serve, args=(environment,))
    server.start()
    runtime_id = os.environ["LOCALSTACK_RUNTIME_ID"]
    try:
        environment.start(must_work=True)
    except InitError as error:
        report(f"/status/{runtime_id}/error", error.payload)
    else:
        report(f"/status/{runtime_id}/ready")


if __name__ == "__main__":
    main()
