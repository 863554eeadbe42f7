"""Test the parts of the patches that do not need LocalStack."""

import base64
import re
import socket
import sqlite3
import threading
import time
import weakref
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from embedded_localstack import patches
from embedded_localstack.executor.output import Event
from embedded_localstack.moto_server import one_at_a_time
from embedded_localstack.patches.cloudwatch_metrics import Connections, without_threads
from embedded_localstack.patches.idle_connections import close_dropped, shared_clients
from embedded_localstack.patches.lambda_client_context import decoded
from embedded_localstack.patches.lambda_event_sources import Slots, batches_at_once
from embedded_localstack.patches.lambda_logs import batches, write
from embedded_localstack.patches.lambda_mappings import drop_empty_settings
from embedded_localstack.patches.lambda_retries import age_on_aws
from embedded_localstack.patches.logs_keys import group_name
from embedded_localstack.patches.request_bodies import RAW, is_passed_on, keeping
from embedded_localstack.patches.s3_events import Sequencer, encoded

README = Path(__file__).parents[2] / "README.md"
PATCHES = Path(patches.__file__).parent


def test_the_readme_names_every_patch_and_no_other():
    named = set(re.findall(r"`patches/(\w+)`", README.read_text()))
    assert named == {path.stem for path in PATCHES.glob("*.py")} - {"__init__"}


def test_metrics_are_stored_without_threads(caplog: pytest.LogCaptureFixture):
    threads: list[str | None] = []
    start = without_threads(lambda _method, name=None: threads.append(name))
    stored: list[int] = []
    start(lambda *_: stored.append(1), name="record-cloudwatch-metric-f")
    start(lambda *_: stored.append(1 // 0), name="record-cloudwatch-metric-error-f")
    start(lambda *_: stored.append(2))
    start(lambda *_: stored.append(3), name="scale")
    assert (stored, threads) == ([1], [None, "scale"])
    assert "record-cloudwatch-metric-error-f failed" in caplog.text


class Client:
    """A client that supports weak references."""


class Factory:
    """A factory of clients like LocalStack's."""

    def __init__(self) -> None:
        self._config = object()

    @lru_cache(maxsize=256)  # noqa: B019 - as in LocalStack
    def _get_client(self, **_: Any) -> "Client":
        return Client()

    get_client = shared_clients(_get_client)


@pytest.mark.parametrize(
    ("token", "own_config", "kept"), [(None, True, True), ("token", True, False), (None, False, False)]
)
def test_a_client_of_a_session_lives_as_long_as_its_users(token: str | None, own_config: bool, kept: bool):
    factory = Factory()
    settings = {"aws_session_token": token, "config": factory._config if own_config else object()}
    client = factory.get_client(**settings)
    assert factory.get_client(**settings) is client
    assert factory.get_client(**settings | {"aws_session_token": "another"}) is not client
    client_alive = weakref.ref(client)
    del client
    assert (client_alive() is not None) is kept


def test_sequencers_grow_strictly_even_in_the_same_instant_and_across_threads():
    sequencer, numbers = Sequencer(), list[str]()

    def take() -> None:
        for _ in range(500):
            with sequencer.lock:
                numbers.append(sequencer.next())

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert numbers == sorted(numbers)
    assert len(set(numbers)) == 2000
    assert {len(number) for number in numbers} == {18}
    assert int(numbers[0], 16) <= time.time_ns(), "a later server continues above"


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("a/b.jpg", "a/b.jpg"),
        ("a b+c.jpg", "a+b%2Bc.jpg"),
        ("100%.jpg", "100%25.jpg"),
        ("é☃.png", "%C3%A9%E2%98%83.png"),
    ],
)
def test_keys_in_events_are_encoded_like_forms(key: str, expected: str):
    assert encoded(key) == expected


@pytest.mark.parametrize(
    ("maximum", "processors", "expected"), [(None, 2, 4), (None, 8, 5), (2, 8, 2), (50, 4, 8), (None, 1, 2)]
)
def test_batches_at_once(maximum: int | None, processors: int, expected: int):
    assert batches_at_once(maximum, processors) == expected


def test_drain_returns_when_all_slots_are_returned():
    slots = Slots(2)
    slots.take()
    threading.Timer(0.1, slots.give).start()
    began = time.monotonic()
    slots.drain(5)
    assert 0.05 < time.monotonic() - began < 2


def test_log_lines_become_events_in_calls_of_bounded_size():
    events = [Event(7_000, "one\n"), Event(8_999, "two\nthree\n")]
    assert list(batches(events)) == [
        [{"timestamp": 7, "message": "one\n"}, {"timestamp": 8, "message": "two\nthree\n"}]
    ]
    assert [len(batch) for batch in batches([Event(7, "x\n")] * 25_000)] == [10_000, 10_000, 5_000]
    assert [len(batch) for batch in batches([Event(7, "y" * 600_000)] * 3)] == [1, 1, 1]
    assert [len(batch[0]["message"]) for batch in batches([Event(7, "z" * 1_500_000)])] == [999_974, 500_026]
    assert list(batches([])) == []


class NotThereError(Exception):
    pass


class ThereAlreadyError(Exception):
    pass


class LogsClient:
    exceptions = SimpleNamespace(
        ResourceNotFoundException=NotThereError, ResourceAlreadyExistsException=ThereAlreadyError
    )

    def __init__(self, *, group: bool) -> None:
        self.group, self.stream, self.calls = group, False, list[str]()

    def create_log_group(self, **_: Any) -> None:
        self.calls.append("group")
        self.group = True

    def create_log_stream(self, **_: Any) -> None:
        self.calls.append("stream")
        if not self.group:
            raise NotThereError
        self.stream = True

    def put_log_events(self, **_: Any) -> None:
        self.calls.append("events")
        if not self.stream:
            raise NotThereError


ITEM = SimpleNamespace(log_group="/aws/lambda/f", log_stream="s", logs=SimpleNamespace(events=[Event(7_000, "line\n")]))


@pytest.mark.parametrize(
    ("group", "calls"),
    [(True, ["stream", "events", "events"]), (False, ["stream", "group", "stream", "events", "events"])],
)
def test_an_existing_log_group_is_not_created_again(group: bool, calls: list[str]):
    client, known = LogsClient(group=group), set[tuple[str, str]]()
    for _ in range(2):
        write(client, ITEM, known)
    assert client.calls == calls


def test_a_group_that_somebody_deletes_is_made_again():
    client, known = LogsClient(group=True), set[tuple[str, str]]()
    write(client, ITEM, known)
    client.group = client.stream = False
    client.calls.clear()
    write(client, ITEM, known)
    assert client.calls == ["events", "stream", "group", "stream", "events"]


@pytest.mark.parametrize(
    ("seconds", "retries", "base_delay", "age"), [(1, 0, 2, 1), (3, 1, 2, 61), (7, 2, 2, 181), (185, 2, 60, 185)]
)
def test_the_age_of_an_event_counts_the_waits_of_aws(seconds: float, retries: int, base_delay: float, age: float):
    assert age_on_aws(seconds, retries, base_delay) == age


@pytest.mark.parametrize(
    ("given", "expected"),
    [(b'{"custom": {"a":\n"b"}}', '{"custom": {"a": "b"}}'), (b"[1]", None), (b"{", None), (b"\xff", None)],
)
def test_a_client_context_is_base64_of_an_object(given: bytes, expected: str | None):
    assert decoded(base64.b64encode(given).decode()) == expected
    assert decoded("no base64") is None


def test_the_body_of_a_request_is_handed_on_as_it_arrived():
    raw, parsed = b"a=%20+b&&c", b"a=++b&c="
    restore = keeping(lambda _request: parsed)
    assert restore(SimpleNamespace(environ={RAW: raw})) == raw
    assert restore(SimpleNamespace(environ={RAW: b""})) == b""
    assert restore(SimpleNamespace(environ={})) == parsed, "a service's request, which LocalStack parses"


@pytest.mark.parametrize(
    ("host", "path", "expected"),
    [
        ("id.lambda-url.us-east-1.localhost.localstack.cloud:4566", "/", True),
        ("id.Execute-API.us-east-1.amazonaws.com", "/stage/", True),
        ("127.0.0.1:4566", "/_aws/execute-api/id/stage/", True),
        ("127.0.0.1:4566", "/restapis", False),
        ("localhost:4566", "/", False),
    ],
)
def test_only_bodies_for_functions_and_integrations_stay_compressed(host: str, path: str, expected: bool):
    assert is_passed_on(host, path) is expected


def test_dropped_connections_are_closed():
    ours, theirs = socket.socketpair()
    kept, other = socket.socketpair()
    connections = [SimpleNamespace(sock=end, is_connected=True, close=end.close) for end in (ours, kept)]
    pools = {"pool": SimpleNamespace(pool=SimpleNamespace(queue=[None, *connections]))}
    theirs.close()
    connections[0].is_connected = False
    assert close_dropped(pools) == 1
    assert (ours.fileno(), kept.fileno()) == (-1, kept.fileno())
    for end in (kept, other):
        end.close()


def test_backend_operations_do_not_overlap():
    inside, seen = [0], list[int]()

    def application(environ: dict[str, Any], _: Any) -> list[bytes]:
        inside[0] += 1
        seen.append(inside[0])
        time.sleep(0.005)
        inside[0] -= 1
        return [environ["wsgi.input"].read()]

    served = one_at_a_time(application)

    def call() -> None:
        from io import BytesIO  # noqa: PLC0415

        assert served({"CONTENT_LENGTH": "2", "wsgi.input": BytesIO(b"okay")}, lambda *_: None) == [b"ok"]

    threads = [threading.Thread(target=call) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [1] * 10


@pytest.mark.parametrize(
    ("mapping", "expected"),
    [
        ({"FilterCriteria": {}, "ScalingConfig": {}, "BatchSize": 10}, {"BatchSize": 10}),
        ({"FilterCriteria": {"Filters": []}, "ScalingConfig": None}, {}),
        ({"FilterCriteria": {"Filters": [{"Pattern": "{}"}]}}, {"FilterCriteria": {"Filters": [{"Pattern": "{}"}]}}),
        ({"ScalingConfig": {"MaximumConcurrency": 2}}, {"ScalingConfig": {"MaximumConcurrency": 2}}),
    ],
)
def test_settings_that_an_update_emptied_are_dropped(mapping: dict[str, Any], expected: dict[str, Any]):
    drop_empty_settings(mapping)
    assert mapping == expected


def test_a_log_group_is_found_by_its_arn():
    arn = "arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/hello"
    assert group_name(arn) == group_name(f"{arn}:*") == "/aws/lambda/hello"


def test_a_connection_to_the_metrics_is_closed_after_its_block(tmp_path: Path):
    file = str(tmp_path / "metrics.db")
    with Connections().connect(file) as connection:
        connection.execute("CREATE TABLE metrics AS SELECT 7 AS value")
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")
    with Connections().connect(file) as connection:
        assert connection.execute("SELECT value FROM metrics").fetchone() == (7,)
