"""Test Node.js functions, and functions with their own program, without LocalStack."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from embedded_localstack import runtimes
from embedded_localstack.executor.environment import Environment, Result, Spec
from embedded_localstack.executor.runtime import Place
from embedded_localstack.executor.variables import function_variables

CODE = """
import layered from "layered";
import { createRequire } from "node:module";
const required = createRequire(import.meta.url)("layered");
export const handler = async (event, context) => {
  console.log("hello", { a: 1 });
  console.error("two\\nlines");
  if (event === "raise") throw new RangeError("too far");
  return { event, layered, required, custom: context.clientContext?.custom, url: import.meta.url,
           left: context.getRemainingTimeInMillis() > 1000 };
};
export const early = (event, context, callback) => {
  setTimeout(() => callback(null, "called back"), 10);
};
export const streamed = awslambda.streamifyResponse(async (event, stream) => {
  stream.write("a");
  stream.end("b");
});
"""


@pytest.fixture
def make(tmp_path: Path):
    node = shutil.which("node")
    if not node:
        pytest.skip("node is not on the PATH")
    code, layer = tmp_path / "code", tmp_path / "layer"
    code.mkdir()
    (layer / "nodejs/node_modules/layered").mkdir(parents=True)
    (layer / "nodejs/node_modules/layered/index.js").write_text('module.exports = "from the layer";')
    (code / "app.mjs").write_text(CODE)
    (code / "old.js").write_text("exports.handler = async () => 'common';")
    environments: list[Environment] = []

    def make(handler: str, *, json_logs: bool = False, command: tuple[str, ...] = (), runtime: str = "nodejs20.x"):
        place = Place(tmp_path / f"tmp-{len(environments)}", code, runtimes.NODE_FILES[0].parent, layer)
        given = {"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": "Error"} if json_logs else {}
        variables = function_variables(given, {}, runtime, Path(node).parent)
        started = command or (node, "/var/runtime/index.mjs", handler)
        environment = Environment(Spec(started, runtime, place, variables, "1", 10, 256, json_logs))
        environments.append(environment)
        environment.start()
        return environment

    yield make
    for environment in environments:
        environment.stop()


def invoke(environment: Environment, event: Any = None) -> Result:
    return environment.invoke("id-1", json.dumps(event).encode(), "arn", "Root=1-2-3", '{"custom": {"a": "b"}}')


def test_a_module_gets_its_event_its_context_and_its_layers(make):
    result = invoke(make("app.handler"), 7)
    assert json.loads(result.payload) == {
        "event": 7,
        "layered": "from the layer",
        "required": "from the layer",
        "custom": {"a": "b"},
        "url": "file:///var/task/app.mjs",
        "left": True,
    }
    logged = [event for event in result.events if event.level]
    assert [event.level for event in logged] == ["INFO", "ERROR"]
    assert [event.message.split("\t")[1:] for event in logged] == [
        ["id-1", "INFO", "hello { a: 1 }\n"],
        ["id-1", "ERROR", "two\nlines\n"],
    ]


@pytest.mark.parametrize(
    ("handler", "answer"), [("old.handler", b'"common"'), ("app.early", b'"called back"'), ("app.streamed", b"ab")]
)
def test_every_kind_of_handler_works(make, handler: str, answer: bytes):
    environment = make(handler)
    assert [invoke(environment).payload for _ in range(2)] == [answer, answer]


def test_an_error_has_its_type_and_its_trace(make):
    result = invoke(make("app.handler"), "raise")
    error = json.loads(result.payload)
    assert (result.failed, error["errorType"], error["errorMessage"]) == (True, "RangeError", "too far")
    assert "/var/task/app.mjs" in error["trace"][1]
    assert "ERROR\tInvoke Error \t" in result.tail


@pytest.mark.parametrize(
    ("handler", "kind"),
    [
        ("nothing.handler", "Runtime.ImportModuleError"),
        ("app.nothing", "Runtime.HandlerNotFound"),
        ("app", "Runtime.MalformedHandlerName"),
    ],
)
def test_a_handler_that_cannot_be_loaded_is_reported(make, handler: str, kind: str):
    assert json.loads(invoke(make(handler)).payload)["errorType"] == kind


def test_records_are_json_from_the_level_of_the_function(make):
    records = [json.loads(event.message) for event in invoke(make("app.handler", json_logs=True)).events]
    assert [record["message"] for record in records if "level" in record] == ["two\nlines"]


def test_provided_runs_the_program_of_the_code(make, tmp_path: Path):
    bootstrap = tmp_path / "code" / "bootstrap"
    bootstrap.write_text("""#!/bin/sh
api=http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation
exec node -e "
  const api = '$api';
  (async () => { for (;;) {
    const next = await fetch(api + '/next');
    const id = next.headers.get('lambda-runtime-aws-request-id');
    await fetch(api + '/' + id + '/response', { method: 'POST', body: 'own ' + await next.text() });
  } })();"
""")
    bootstrap.chmod(0o755)
    environment = make("", command=("/var/task/bootstrap",), runtime="provided.al2023")
    assert invoke(environment, 7).payload == b"own 7"
