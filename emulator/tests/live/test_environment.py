"""Test execution environments with AWS's runtime client and without LocalStack."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import embedded_localstack
from embedded_localstack import processes, programs
from embedded_localstack.executor.environment import Environment, InitError, Result, Spec
from embedded_localstack.executor.runtime import Place, name_fallback

FUNCTION = """
import logging, os, resource, socket, subprocess, sys, tempfile, threading, time
print("loading")
if os.environ.get("INIT") == "raise":
    raise ValueError("not today")
if os.environ.get("INIT") == "exit":
    os._exit(3)
if os.environ.get("INIT", "").startswith("exit at "):
    loads = os.path.join(tempfile.gettempdir(), "loads")
    open(loads, "a").write("x")
    if os.path.getsize(loads) == int(os.environ["INIT"].split()[-1]):
        os._exit(3)
if os.environ.get("INIT") == "slow":
    time.sleep(60)

calls, ticks = 0, []

def tick():
    while True:
        ticks.append(time.sleep(0.01))

def handler(event, context):
    global calls
    calls += 1
    print("event", event)
    match event:
        case "raise":
            raise KeyError("boom")
        case "exit":
            os._exit(7)
        case "leave":
            sys.exit(0)
        case "signal":
            os.kill(os.getpid(), 11)
        case "hang":
            # one child in the process group, one in its own session, one daemon
            subprocess.Popen(["sleep", "300"])
            subprocess.Popen(["sleep", "300"], start_new_session=True)
            subprocess.Popen(["sh", "-c", "setsid sleep 300 & exit"])
            time.sleep(60)
        case "memory":
            block = b"x" * (300 * 1024 * 1024)
            time.sleep(5)
        case "peak":
            block = b"x" * (300 * 1024 * 1024)
            del block
        case "children's memory":
            code = "import time; block = b'x' * (90 * 1024 * 1024); time.sleep(30)"
            for _ in range(3):
                subprocess.Popen([sys.executable, "-c", code])
            time.sleep(30)
        case "large":
            return "x" * (7 * 1024 * 1024)
        case "environment":
            return dict(os.environ)
        case "left":
            return context.get_remaining_time_in_millis()
        case "file":
            open(os.path.join(tempfile.gettempdir(), "kept"), "a").write("x")
            return os.path.getsize(os.path.join(tempfile.gettempdir(), "kept"))
        case "background":
            subprocess.Popen(["sh", "-c", "while true; do echo >> ${TMPDIR:-/tmp}/ticks; sleep 0.01; done"])
            threading.Thread(target=tick, daemon=True).start()
        case "ticks":
            return len(ticks), len(open(os.path.join(tempfile.gettempdir(), "ticks")).readlines())
        case "context":
            return context.client_context and context.client_context.custom
        case "log":
            print("before")
            logging.getLogger().warning("one\\ntwo")
            print("after")
        case "place":
            refused = []
            paths = ("/var/task/app.py", "new", "/opt/new", "/usr/local/new", "/var/runtime/new", "/dev/shm/new")
            for path in (*paths, "/etc/hosts"):
                try:
                    open(path, "a").close()
                except OSError:
                    refused.append(path)
            open("/tmp/new", "w").write("x")
            limits = resource.getrlimit(resource.RLIMIT_NOFILE)
            opt = sorted(os.listdir("/opt"))
            return {"refused": refused, "file": __file__, "cwd": os.getcwd(), "files": limits, "opt": opt}
        case "names":
            names = ("localhost.localstack.cloud", "sqs.eu-west-1.localhost.localstack.cloud", "localhost")
            return [socket.gethostbyname(name) for name in names] + [os.path.exists("/var/hosts")]
        case "print":
            for number in range(2000):
                print("line", number)
            sys.stdout.write("no newline at the end")
    return calls
"""


@pytest.fixture
def make(tmp_path: Path, interpreter: Path):
    code = tmp_path / "code"
    code.mkdir()
    (code / "app.py").write_text(FUNCTION)
    environments: list[Environment] = []

    def make(*, start: bool = True, variables: dict[str, str] | None = None, **changes: Any) -> Environment:
        folder = tmp_path / f"environment-{len(environments)}"
        program = programs.python(interpreter)
        layers = changes.pop("layers", None)
        spec = {
            "command": (*program.command, changes.pop("handler", "app.handler")),
            "runtime": "python3.13",
            "place": Place(folder, code, program.runtime_folder, layers, program.interpreter_folders),
            "variables": {"PATH": os.environ["PATH"]} | (variables or {}),
            "version": "$LATEST",
            "timeout_s": 10,
            "memory_mb": 256,
            "json_logs": False,
        }
        environment = Environment(Spec(**(spec | changes)))
        environments.append(environment)
        if start:
            environment.start()
        return environment

    yield make
    for environment in environments:
        environment.stop()
    assert processes.belonging_to(tmp_path) == []


def invoke(environment: Environment, event: Any = None) -> Result:
    return environment.invoke(
        "id-1", json.dumps(event).encode(), "arn:aws:lambda:us-east-1:000000000000:function:f", "Root=1-2-3"
    )


def error_type(result: Result) -> str:
    assert result.failed
    return str(json.loads(result.payload)["errorType"])


def test_only_a_cold_start_has_an_init_duration(make):
    environment = make()
    cold, warm = invoke(environment), invoke(environment)
    assert [json.loads(result.payload) for result in (cold, warm)] == [1, 2]
    lines = cold.logs.splitlines()
    assert lines[:4] == [
        "INIT_START Runtime Version: python3.13",
        "loading",
        "START RequestId: id-1 Version: $LATEST",
        "event None",
    ]
    assert lines[4] == "END RequestId: id-1"
    assert "Init Duration: " in lines[5]
    assert "INIT" not in warm.logs
    assert "Init Duration" not in warm.logs
    assert cold.tail.startswith("START RequestId: id-1 Version: $LATEST\nevent None\nEND")


def test_the_report_has_the_memory_used(make):
    report = invoke(make()).logs.splitlines()[-1]
    used = int(report.split("Max Memory Used: ")[1].split(" MB")[0])
    assert 5 < used < 100
    assert "Memory Size: 256 MB" in report


def test_every_line_of_output_is_in_the_log(make):
    logs = invoke(make(), "print").logs
    assert logs.count("\nline ") == 2000
    assert "no newline at the end\nEND" in logs


def test_an_exception_does_not_end_the_environment(make):
    environment = make()
    result = invoke(environment, "raise")
    assert error_type(result) == "KeyError"
    assert "[ERROR] KeyError" in result.logs
    assert json.loads(invoke(environment).payload) == 2


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ("exit", "RequestId: id-1 Error: Runtime exited with error: exit status 7"),
        ("leave", "RequestId: id-1 Error: Runtime exited without providing a reason"),
        ("signal", "RequestId: id-1 Error: Runtime exited with error: signal: segmentation fault"),
    ],
)
def test_a_crash_is_reported_and_the_next_invocation_works(make, event: str, message: str):
    environment = make()
    result = invoke(environment, event)
    assert json.loads(result.payload) == {"errorType": "Runtime.ExitError", "errorMessage": message}
    assert "Error Type: Runtime.ExitError" in result.logs
    assert json.loads(invoke(environment).payload) == 1, "a new interpreter"


def test_a_timeout_ends_every_process(make, tmp_path: Path):
    environment = make(timeout_s=1)
    began = time.monotonic()
    result = invoke(environment, "hang")
    assert time.monotonic() - began < 3
    assert json.loads(result.payload) == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": "RequestId: id-1 Error: Task timed out after 1.00 seconds",
    }
    assert "Task timed out after 1.00 seconds" in result.logs
    assert "Status: timeout" in result.logs
    assert processes.belonging_to(tmp_path) == []
    assert json.loads(invoke(environment).payload) == 1


@pytest.mark.parametrize("event", ["memory", "children's memory"])
def test_too_much_memory_ends_the_environment(make, event: str):
    environment = make()
    began = time.monotonic()
    result = invoke(environment, event)
    assert error_type(result) == "Runtime.OutOfMemory"
    assert "Max Memory Used: 256 MB" in result.logs
    assert time.monotonic() - began < 4
    assert json.loads(invoke(environment).payload) == 1


def test_a_short_peak_of_memory_is_detected(make):
    assert error_type(invoke(make(), "peak")) == "Runtime.OutOfMemory"


def test_a_response_over_the_limit_is_an_error(make):
    assert error_type(invoke(make(), "large")) == "Function.ResponseSizeTooLarge"


def test_an_error_in_the_init_phase_is_the_result_of_the_invocation(make):
    environment = make(variables={"INIT": "raise"})
    result = invoke(environment)
    assert error_type(result) == "ValueError"
    assert result.logs.startswith("INIT_START")
    assert "loading" in result.logs
    assert "not today" in result.logs
    assert error_type(invoke(environment)) == "ValueError", "the next invocation gets it too"


def test_a_crash_in_the_init_phase_is_reported(make):
    result = invoke(make(variables={"INIT": "exit"}))
    assert json.loads(result.payload) == {
        "errorType": "Runtime.ExitError",
        "errorMessage": "RequestId: id-1 Error: Runtime exited with error: exit status 3",
    }


def test_a_process_that_dies_in_the_init_phase_is_replaced(make):
    environment = make(variables={"INIT": "exit at 1"})
    result = invoke(environment)
    assert json.loads(result.payload) == 1
    assert result.logs.count("INIT_START") == 2


def test_a_process_that_dies_again_after_a_crash_is_replaced(make):
    """The invocation after a crash initialises the function again, and this process may be killed as well."""
    environment = make(variables={"INIT": "exit at 2"})
    assert error_type(invoke(environment, "exit")) == "Runtime.ExitError"
    assert json.loads(invoke(environment).payload) == 1


def test_a_slow_init_phase_counts_towards_the_timeout(make, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("embedded_localstack.executor.environment.INIT_SECONDS", 0.5)
    environment = make(variables={"INIT": "slow"}, timeout_s=1)
    assert error_type(invoke(environment)) == "Sandbox.Timedout"


def test_a_missing_handler_is_reported(make):
    assert error_type(invoke(make(handler="app.nothing"))) == "Runtime.HandlerNotFound"
    assert error_type(invoke(make(handler="nothing.handler"))) == "Runtime.ImportModuleError"


def test_a_missing_interpreter_is_reported(make):
    result = invoke(make(command=("/nonexistent/python",)))
    assert error_type(result) == "Runtime.ExitError"
    assert "cannot start /nonexistent/python" in result.logs


def test_a_provisioned_environment_raises_an_init_error(make):
    with pytest.raises(InitError, match="not today"):
        make(start=False, variables={"INIT": "raise"}).start(must_work=True)


def test_the_deadline_is_the_timeout(make):
    assert 8000 < json.loads(invoke(make(), "left").payload) <= 10000


def test_the_temporary_folder_lives_as_long_as_the_environment(make, tmp_path: Path):
    environment = make()
    assert json.loads(invoke(environment, "file").payload) == 1
    assert json.loads(invoke(environment, "file").payload) == 2
    folder = tmp_path / "environment-0"
    assert folder.exists()
    environment.stop()
    assert not folder.exists()


def test_a_stop_ends_a_running_invocation(make, tmp_path: Path):
    environment = make()
    threading.Timer(0.5, environment.stop).start()
    result = invoke(environment, "hang")
    assert error_type(result) == "Runtime.ExitError"
    assert processes.wait_gone(processes.belonging_to(tmp_path), 5) == []


def test_a_function_gets_no_other_variables(make, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_PROFILE", "mine")
    variables = json.loads(invoke(make(), "environment").payload)
    assert set(variables) <= {
        "PATH",
        "AWS_LAMBDA_RUNTIME_API",
        "_X_AMZN_TRACE_ID",
        "LC_CTYPE",
    }


def test_logs_can_be_json(make):
    logs = invoke(make(json_logs=True)).logs.splitlines()
    records = [json.loads(line) for line in logs if line.startswith("{")]
    assert [record["type"] for record in records] == ["platform.initStart", "platform.start", "platform.report"]
    assert records[2]["record"]["metrics"]["memorySizeMB"] == 256


def test_an_error_of_the_handler_is_in_the_report(make):
    environment = make(json_logs=True)
    reports = [json.loads(invoke(environment, event).events[-1].message)["record"] for event in (None, "raise")]
    assert [report["status"] for report in reports] == ["success", "error"]


def test_a_record_is_one_event_with_its_time_and_level(make):
    began = time.time_ns() // 1000
    events = invoke(make(), "log").events
    assert {"before\n", "after\n"} <= {event.message for event in events}
    [record] = [event for event in events if event.message.endswith("\tone\ntwo\n")]
    assert began < record.time_us < time.time_ns() // 1000
    assert events == sorted(events, key=lambda event: event.time_us)


def test_an_error_is_one_event(make):
    [error] = [event.message for event in invoke(make(), "raise").events if "KeyError" in event.message]
    assert error.startswith("[ERROR] KeyError: 'boom'\nTraceback (most recent call last):\n")
    assert 'File "/var/task/app.py", line ' in error
    assert "\r" not in error


def test_the_client_context_reaches_the_function(make):
    environment = make()
    given = environment.invoke("id-1", b'"context"', "arn", "Root=1-2-3", '{"custom": {"a": "b"}}')
    assert json.loads(given.payload) == {"a": "b"}
    assert json.loads(invoke(environment, "context").payload) is None


def test_only_the_temporary_folder_can_be_written_to(make, tmp_path: Path):
    layers = tmp_path / "layers"
    (layers / "python").mkdir(parents=True)
    (layers / "tool.sh").touch()
    place = json.loads(invoke(make(layers=layers), "place").payload)
    everything = ["/var/task/app.py", "new", "/opt/new", "/usr/local/new", "/var/runtime/new", "/dev/shm/new"]
    assert place == {
        "refused": [*everything, "/etc/hosts"],
        "file": "/var/task/app.py",
        "cwd": "/var/task",
        "files": [1024, 1024],
        "opt": ["python", "tool.sh"],
    }
    assert (tmp_path / "environment-0" / "new").read_text() == "x"


def test_localstacks_host_names_lead_to_this_machine_without_a_name_server(make):
    result = invoke(make(variables={"AWS_REGION": "eu-west-1"}), "names")
    assert json.loads(result.payload) == ["127.0.0.1", "127.0.0.1", "127.0.0.1", False]


def test_a_wrapper_script_starts_the_runtime(make, tmp_path: Path):
    wrapper = tmp_path / "code" / "wrap.sh"
    wrapper.write_text('#!/bin/sh\nexport WRAPPED=$#\nexec "$@"\n')
    wrapper.chmod(0o755)
    environment = make(variables={"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/wrap.sh"})
    assert json.loads(invoke(environment, "environment").payload)["WRAPPED"] == "4"


def test_a_function_without_a_mount_namespace_shares_the_file_system_and_that_is_logged(
    make, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    name_fallback.cache_clear()
    # A missing folder in the list of kept folders makes the namespace fail, as on a kernel without user namespaces.
    place = Place(tmp_path / "environment-0", tmp_path / "code", tmp_path, None, (tmp_path / "nothing",))
    environment = make(place=place, variables={"LAMBDA_TASK_ROOT": "/var/task"})
    variables = json.loads(invoke(environment, "environment").payload)
    assert (variables["LAMBDA_TASK_ROOT"], variables["TMPDIR"]) == (str(place.task_root), str(place.folder))
    assert "functions share the file system of this machine" in caplog.text
    assert json.loads(invoke(environment, "file").payload) == 1


def test_two_environments_share_no_state(make):
    first, second = make(), make()
    assert json.loads(invoke(first).payload) == json.loads(invoke(second).payload) == 1


def test_no_function_outlives_the_server(tmp_path: Path, interpreter: Path):
    """Kill the process that owns the environments, so that it cannot clean up."""
    script = tmp_path / "server.py"
    code = tmp_path / "code"
    code.mkdir()
    (code / "app.py").write_text(FUNCTION)
    script.write_text(f"""
import sys
from pathlib import Path
from embedded_localstack import programs
from embedded_localstack.executor.environment import Environment, Spec
from embedded_localstack.executor.runtime import Place
folder = Path({str(tmp_path)!r}) / "environment"
program = programs.python(Path({str(interpreter)!r}))
place = Place(folder, Path({str(code)!r}), program.runtime_folder, None, program.interpreter_folders)
command = (*program.command, "app.handler")
environment = Environment(Spec(command, "python3.13", place, {{"PATH": "/usr/bin:/bin"}}, "1", 60, 256, False))
environment.start()
print("started", flush=True)
environment.invoke("id-1", b'"hang"', "arn", "trace")
""")
    source = str(Path(embedded_localstack.__file__).parents[1])
    with subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": source}
    ) as server:
        assert server.stdout
        assert server.stdout.readline() == b"started\n"
        deadline = time.monotonic() + 5
        while len(processes.belonging_to(tmp_path)) < 5 and time.monotonic() < deadline:
            time.sleep(0.05)
        family = processes.belonging_to(tmp_path)
        assert len(family) == 5, "supervisor, interpreter, three children"
        os.kill(server.pid, signal.SIGKILL)
    assert processes.wait_gone(family, 5) == []


def test_background_work_is_frozen_between_invocations(make):
    environment = make()
    invoke(environment, "background")
    counts = []
    for _ in range(2):
        time.sleep(1)
        counts.append(json.loads(invoke(environment, "ticks").payload))
    assert max(counts[1]) < 50, "a hundred would be two seconds' worth of each"
    time.sleep(0.1)
    assert json.loads(invoke(environment, "raise").payload)["errorType"] == "KeyError"
    time.sleep(0.1)
    assert json.loads(invoke(environment, "ticks").payload) >= counts[1], "it continues in the next invocation"
