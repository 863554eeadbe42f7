"""Test which requests a moto backend receives."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from localstack.aws.api import RequestContext, ServiceException
from localstack.aws.spec import load_service
from localstack.http import Request

from embedded_localstack.patches.moto_backends import Backend, last_answer

ITEM = {"TableName": "t", "Item": {"id": {"S": "ä"}}}


class Recorder(BaseHTTPRequestHandler):
    """A backend that records its requests and counts its connections."""

    protocol_version = "HTTP/1.1"
    requests: list[tuple[str, list[tuple[str, str]], Any]] = []  # noqa: RUF012 - emptied by the fixture
    connections: set[int] = set()  # noqa: RUF012
    answer: tuple[int, dict[str, Any]] = (200, {})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.requests.append((self.path, [(name.lower(), value) for name, value in self.headers.items()], body))
        self.connections.add(self.client_address[1])
        status, content = self.answer
        answer = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.send_header("X-Number", str(len(self.requests)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        """Print nothing."""


@pytest.fixture
def backend() -> Iterator[Backend]:
    Recorder.requests.clear()
    Recorder.connections.clear()
    Recorder.answer = 200, {}
    server = ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Backend(f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    server.server_close()


def put_item(body: bytes) -> RequestContext:
    """Return a PutItem with the header case of AWS's SDK for JavaScript, which differs from botocore's."""
    headers = {
        "x-amz-target": "DynamoDB_20120810.PutItem",
        "content-type": "application/x-amz-json-1.0",
        "authorization": "AWS4-HMAC-SHA256 Credential=1/20260101/eu-west-1/dynamodb/aws4_request",
        "transfer-encoding": "chunked",
    }
    context = RequestContext(request=Request("POST", "/", headers=headers, body=body))
    context.service = load_service("dynamodb")
    context.operation, context.protocol = context.service.operation_model("PutItem"), "json"
    return context


@pytest.mark.parametrize("changed", [False, True])
def test_a_backend_gets_the_request_or_its_changed_parameters(backend: Backend, changed: bool):
    sent = {"TableName": "sent"} if changed else ITEM
    backend(put_item(json.dumps(sent).encode()), ITEM if changed else None)
    (path, headers, body), *others = Recorder.requests
    assert (path, json.loads(body), others) == ("/", ITEM, [])
    assert sorted(name for name, _ in headers if name.startswith(("x-amz", "content", "auth"))) == [
        "authorization",
        "content-length",
        "content-type",
        "x-amz-target",
    ]
    assert dict(headers)["x-amz-target"] == "DynamoDB_20120810.PutItem"
    assert dict(headers)["content-type"] == "application/x-amz-json-1.0"


def test_a_connection_is_kept(backend: Backend):
    for number in (1, 2, 3):
        backend(put_item(b"{}"))
        assert last_answer()["x-number"] == str(number)
    assert len(Recorder.connections) == 1


def test_a_refusal_is_raised(backend: Backend):
    Recorder.answer = 400, {"__type": "com.amazonaws.dynamodb.v20120810#ValidationException", "message": "no"}
    with pytest.raises(ServiceException, match="no") as raised:
        backend(put_item(b"{}"))
    assert (raised.value.code, raised.value.status_code) == ("ValidationException", 400)


def test_the_answer_is_parsed(backend: Backend):
    Recorder.answer = 200, {"Attributes": {"id": {"S": "1"}}}
    assert backend(put_item(b"{}")) == {"Attributes": {"id": {"S": "1"}}}
