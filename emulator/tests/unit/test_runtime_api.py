import json
from http.client import HTTPConnection, HTTPResponse
from threading import Event, Thread

import pytest

from embedded_localstack.executor.runtime_api import PREFIX, Invocation, RuntimeApi


class Recorder:
    def __init__(self) -> None:
        self.calls: list[tuple[object, ...]] = []
        self.is_ready = Event()

    def ready(self) -> None:
        self.calls.append(("ready",))
        self.is_ready.set()

    def init_failed(self, error: bytes) -> None:
        self.calls.append(("init_failed", error))

    def answered(self, request_id: str, payload: bytes, *, failed: bool) -> None:
        self.calls.append(("answered", request_id, payload, failed))


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def api(recorder: Recorder):
    api = RuntimeApi(recorder)
    yield api
    api.close()


@pytest.fixture
def connection(api: RuntimeApi):
    connection = HTTPConnection(api.address, timeout=5)
    yield connection
    connection.close()


def call(connection: HTTPConnection, method: str, path: str, body: bytes | None = None) -> tuple[HTTPResponse, bytes]:
    connection.request(method, PREFIX + path, body)
    response = connection.getresponse()
    return response, response.read()


INVOCATION = Invocation("id-1", b'{"a": 1}', "arn:aws:lambda:f:live", "Root=1-2-3", 1234567890123, '{"client": {}}')


def test_next_hands_over_the_event_and_its_headers(api: RuntimeApi, connection: HTTPConnection, recorder: Recorder):
    api.offer(INVOCATION)
    response, body = call(connection, "GET", "invocation/next")
    assert (response.status, body) == (200, b'{"a": 1}')
    assert {name: value for name, value in response.getheaders() if name.startswith("Lambda-Runtime")} == {
        "Lambda-Runtime-Aws-Request-Id": "id-1",
        "Lambda-Runtime-Trace-Id": "Root=1-2-3",
        "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:f:live",
        "Lambda-Runtime-Deadline-Ms": "1234567890123",
        "Lambda-Runtime-Client-Context": '{"client": {}}',
    }
    assert recorder.calls == [("ready",)]


@pytest.mark.parametrize(("kind", "failed"), [("response", False), ("error", True)])
def test_results_and_errors_are_received(connection: HTTPConnection, recorder: Recorder, kind: str, failed: bool):
    response, _ = call(connection, "POST", f"invocation/id-1/{kind}", b"result")
    assert response.status == 202
    assert recorder.calls == [("answered", "id-1", b"result", failed)]


def test_init_errors_are_received(connection: HTTPConnection, recorder: Recorder):
    response, _ = call(connection, "POST", "init/error", b"{}")
    assert response.status == 202
    assert recorder.calls == [("init_failed", b"{}")]


def test_a_result_in_chunks_is_received(connection: HTTPConnection, recorder: Recorder):
    connection.request("POST", f"{PREFIX}invocation/id-1/response", iter([b"ab", b"cd"]), encode_chunked=True)
    assert connection.getresponse().status == 202
    assert recorder.calls == [("answered", "id-1", b"abcd", False)]


@pytest.mark.parametrize(("method", "path"), [("GET", "x"), ("POST", "invocation/id-1/other"), ("POST", "x")])
def test_another_path_or_method_is_not_found(connection: HTTPConnection, method: str, path: str):
    response, body = call(connection, method, path, b"" if method == "POST" else None)
    assert response.status == 404
    assert json.loads(body)["errorType"] == "NotFound"


def test_closing_releases_a_waiting_runtime(api: RuntimeApi, connection: HTTPConnection, recorder: Recorder):
    statuses: list[int] = []
    waiting = Thread(target=lambda: statuses.append(call(connection, "GET", "invocation/next")[0].status))
    waiting.start()
    assert recorder.is_ready.wait(5)
    api.close()
    waiting.join(5)
    assert statuses == [410]
