"""Deploy apps of Chalice and Zappa, and use and delete them."""

import json
import shutil
import urllib.error
from pathlib import Path

import pytest

from foreign.pages import not_typed
from foreign.workspace import Workspace
from support import eventually

EXAMPLES = Path(__file__).with_name("examples")
SCHEDULED = {
    **{"version": "0", "id": "1", "account": "000000000000", "region": "us-east-1", "time": "2026-01-01T00:00:00Z"},
    **{"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}, "resources": []},
}


@pytest.mark.project("Chalice: a REST API, a queue and a schedule (ours)", source=EXAMPLES / "chalice", tool="Chalice")
def test_a_chalice_app(space: Workspace, tmp_path: Path):
    folder = shutil.copytree(EXAMPLES / "chalice", tmp_path / "app")
    program = space.tools.python("chalice") / "chalice"
    space.version("Chalice", program, "--version", word=1)
    queue = space.client("sqs").create_queue(QueueName="notes", Attributes={"VisibilityTimeout": "60"})["QueueUrl"]
    space.client("dynamodb").create_table(
        TableName="notes",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "name", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "name", "KeyType": "HASH"}],
    )
    space.run(program, "deploy", cwd=folder, path=program.parent)
    space.run(program, "deploy", cwd=folder, path=program.parent)
    space.client("sqs").send_message(QueueUrl=queue, MessageBody=json.dumps({"name": "a", "text": "some text"}))
    (api,) = space.client("apigateway").get_rest_apis()["items"]
    table = space.client("dynamodb")
    assert eventually(lambda: table.scan(TableName="notes")["Items"], 60)
    assert space.fetch(api["id"], "/api/notes/a") == {"name": "a", "text": "some text"}
    with pytest.raises(urllib.error.HTTPError, match="404"):
        space.fetch(api["id"], "/api/notes/b")
    assert space.invoke("notes-dev-tick", SCHEDULED) == {}
    space.run(program, "delete", cwd=folder, path=program.parent)
    assert not_typed("chalice", "chalice", space.typed) == []
    assert space.client("lambda").list_functions()["Functions"] == []


@pytest.mark.project("Chalice: `chalice new-project`", tool="Chalice")
def test_a_new_project_of_chalice(space: Workspace, tmp_path: Path):
    program = space.tools.python("chalice") / "chalice"
    space.version("Chalice", program, "--version", word=1)
    space.run(program, "new-project", "hello", cwd=tmp_path)
    space.run(program, "deploy", cwd=tmp_path / "hello", path=program.parent)
    (api,) = space.client("apigateway").get_rest_apis()["items"]
    assert space.fetch(api["id"], "/api/") == {"hello": "world"}
    space.run(program, "delete", cwd=tmp_path / "hello", path=program.parent)


@pytest.mark.project("Zappa: a Flask app (ours)", source=EXAMPLES / "zappa", tool="Zappa")
def test_a_zappa_app(space: Workspace, tmp_path: Path):
    folder = shutil.copytree(EXAMPLES / "zappa", tmp_path / "app")
    environment = space.tools.python("zappa")
    program = environment / "zappa"
    space.version("Zappa", program, "--version")
    space.facts["changed"] = '`"touch": false` in its settings: Zappa would ask the real host name of API Gateway'
    variables = {"VIRTUAL_ENV": str(environment.parent)}
    space.run(program, "deploy", "dev", cwd=folder, path=environment, **variables)
    (api,) = space.client("apigateway").get_rest_apis()["items"]
    assert space.fetch(api["id"], "/dev/hello/you", {"a": 1}) == {"hello": "you", "sent": {"a": 1}}
    space.run(program, "update", "dev", cwd=folder, path=environment, **variables)
    space.run(program, "undeploy", "dev", "--yes", cwd=folder, path=environment, **variables)
    assert not_typed("chalice", "zappa", space.typed) == []
    assert space.client("lambda").list_functions()["Functions"] == []
