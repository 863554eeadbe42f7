from pathlib import Path

import pytest

from embedded_localstack.executor.variables import function_variables

GIVEN = {
    "AWS_REGION": "us-east-1",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": 256,
    "AWS_LAMBDA_LOG_LEVEL": "Info",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:4566",
    "LOCALSTACK_RUNTIME_ID": "x",
    "EDGE_PORT": "4566",
    "_AWS_XRAY_DAEMON_PORT": "2000",
    "LAMBDA_TASK_ROOT": "/var/task",
    "HOME": "/home",
}


def variables(own: dict[str, str] | None = None, runtime: str = "python3.13") -> dict[str, str]:
    return function_variables(GIVEN, own or {}, runtime, Path("/v/bin"))


def test_a_function_gets_the_variables_that_aws_sets():
    result = variables()
    assert result["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.13"
    assert (result["LAMBDA_TASK_ROOT"], result["LAMBDA_RUNTIME_DIR"]) == ("/var/task", "/var/runtime")
    assert result["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"
    assert result["AWS_LAMBDA_LOG_LEVEL"] == "INFO"
    assert not {"HOME", "TMPDIR"} & set(result)


def test_localstack_s_own_variables_are_left_out():
    assert not [name for name in variables() if name.startswith(("LOCALSTACK", "EDGE", "_AWS"))]


def test_the_function_s_own_win_but_for_where_it_runs():
    result = variables({"PATH": "/mine", "LAMBDA_TASK_ROOT": "/mine", "LOCALSTACK_RUNTIME_ID": "really mine"})
    assert (result["PATH"], result["LAMBDA_TASK_ROOT"]) == ("/mine", "/var/task")
    assert result["LOCALSTACK_RUNTIME_ID"] == "really mine"


@pytest.mark.parametrize(
    ("runtime", "name", "path"),
    [
        ("python3.12", "PYTHONPATH", "/opt/python/lib/python3.12/site-packages:/opt/python"),
        (
            "nodejs22.x",
            "NODE_PATH",
            "/opt/nodejs/node22/node_modules:/opt/nodejs/node_modules:/var/runtime/node_modules:/var/runtime:/var/task",
        ),
    ],
)
def test_layers_are_on_the_path_of_their_language(runtime: str, name: str, path: str):
    assert variables(runtime=runtime)[name] == path
    assert not {"PYTHONPATH", "NODE_PATH"} & set(variables(runtime="provided.al2023"))
