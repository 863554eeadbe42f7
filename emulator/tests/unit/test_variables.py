from pathlib import Path

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
}


def variables(own: dict[str, str] | None = None, layers: list[Path] | None = None) -> dict[str, str]:
    return function_variables(
        GIVEN, own or {}, "python3.13", Path("/v/bin/python"), Path("/code"), Path("/t/1"), layers or []
    )


def test_a_function_gets_the_variables_that_aws_sets():
    result = variables()
    assert result["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.13"
    assert result["LAMBDA_TASK_ROOT"] == "/code"
    assert result["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"
    assert result["AWS_LAMBDA_LOG_LEVEL"] == "INFO"
    assert (result["HOME"], result["TMPDIR"]) == ("/t/1", "/t/1")


def test_localstack_s_own_variables_are_left_out():
    assert not [name for name in variables() if name.startswith(("LOCALSTACK", "EDGE", "_AWS"))]


def test_the_function_s_own_win_but_for_where_it_runs():
    result = variables({"PATH": "/mine", "HOME": "/home/me", "LOCALSTACK_RUNTIME_ID": "really mine"})
    assert (result["PATH"], result["HOME"], result["LOCALSTACK_RUNTIME_ID"]) == ("/mine", "/t/1", "really mine")


def test_layers_come_in_their_order():
    path = variables(layers=[Path("/l1"), Path("/l2")])["PYTHONPATH"]
    assert (
        path == "/l1/python/lib/python3.13/site-packages:/l1/python:/l2/python/lib/python3.13/site-packages:/l2/python"
    )
