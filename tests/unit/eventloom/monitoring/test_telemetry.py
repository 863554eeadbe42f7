"""`watch` and `report` show the figures of log lines and CloudWatch, and the dashboard uses existing metrics."""

import io
import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any

import boto3
import pytest
from click.testing import CliRunner
from moto import mock_aws
from rich.console import Console

from eventloom import cli, clouds
from eventloom.clouds import Cloud
from eventloom.monitoring import report, telemetry, watch
from eventloom.monitoring.facts import facts
from eventloom.monitoring.telemetry import Function, Queue, Reading
from thumbnailer.pipeline import Result

MINUTE = int(time.time() // 60 * 60)
OUTPUTS = {
    "environment": "test",
    "metrics_namespace": "Acme/metrics",
    "functions": {
        "thumbnailer": {"log_group": "/aws/lambda/thumbnailer", "function_name": "eventloom-test-thumbnailer"}
    },
    "uploads_queue_url": "uploads",
    "uploads_dlq_url": "dlq",
}
# The same page of SQS, API Gateway and Service Quotas, and
# https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
METRICS_OF_AWS = {
    "AWS/Lambda": {"Invocations", "Errors", "Throttles", "Duration", "ConcurrentExecutions", "IteratorAge"},
    "AWS/SQS": {
        "ApproximateAgeOfOldestMessage",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateNumberOfMessagesVisible",
        "NumberOfMessagesSent",
    },
    "AWS/ApiGateway": {"Count", "4XXError", "5XXError", "Latency"},
    "AWS/Usage": {"ResourceCount"},
}


class FakeClients:
    """The logs and the queues of an emulator: `lines` of the one log group, and 3 messages in every queue."""

    def __init__(self, lines: list[Any]) -> None:
        self._lines = [line if isinstance(line, str) else json.dumps(line) for line in lines]

    def __call__(self, service: str) -> "FakeClients":
        assert service in {"logs", "sqs"}
        return self

    def get_paginator(self, _: str) -> "FakeClients":
        return self

    def paginate(self, logGroupName: str, startTime: int) -> list[dict[str, Any]]:
        assert logGroupName == "/aws/lambda/thumbnailer"
        assert startTime == pytest.approx(1000 * (time.time() - 30 * 60), abs=60_000)
        return [{"events": [{"timestamp": 1000 * MINUTE + 1000, "message": line} for line in self._lines]}]

    def get_queue_attributes(self, QueueUrl: str, AttributeNames: list[str]) -> dict[str, Any]:
        numbers = {"uploads": (2, 2, 1), "dlq": (1, 0, 0)}[QueueUrl]
        return {"Attributes": {name: str(number) for name, number in zip(AttributeNames, numbers, strict=True)}}


@pytest.fixture
def emulator() -> Iterator[Cloud]:
    """Provide an emulator that shows a message in the queue `uploads` that is 41 s old, as LocalStack does."""
    attributes = [
        {"Name": "SenderId", "Value": "0"},
        {"Name": "SentTimestamp", "Value": str(int((time.time() - 41) * 1000))},
    ]

    class Messages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            result = {"Message": {"Attribute": attributes}} if "QueueUrl=uploads" in self.path else None
            body = json.dumps({"ReceiveMessageResponse": {"ReceiveMessageResult": result}}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Messages) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Cloud("embedded", server.server_port, "")
        server.shutdown()


def emf(value: int, **dimensions: str) -> dict[str, Any]:
    """Return a line as Powertools writes it."""
    name = dimensions.pop("name")
    directive = {
        "Namespace": OUTPUTS["metrics_namespace"],
        "Dimensions": [["service"]],
        "Metrics": [{"Name": name, "Unit": "Count"}],
    }
    return {"_aws": {"Timestamp": 0, "CloudWatchMetrics": [directive]}, name: [value], **dimensions}


def ran(duration_ms: float, status: str = "success") -> dict[str, Any]:
    """Return Lambda's report on an invocation."""
    metrics = {"durationMs": duration_ms, "billedDurationMs": duration_ms, "memorySizeMB": 2048}
    return {"type": "platform.report", "record": {"status": status, "metrics": metrics}}


@pytest.fixture
def reading(emulator: Cloud) -> Reading:
    lines = [
        "START",
        '{"cut',
        emf(7, name="ImagesReady", service="thumbnailer"),
        emf(3, name="ImagesRejected", service="thumbnailer"),
        emf(2, name="ImagesRejected", service="thumbnailer", reason="corrupt"),
        emf(1, name="ImagesRejected", service="thumbnailer", reason="<b>"),
        *(ran(100.0 * n) for n in range(1, 10)),
        ran(1000.0, "timeout"),
    ]
    return telemetry.read(OUTPUTS, 30, FakeClients(lines), emulator)


def test_log_lines_are_counted(reading: Reading) -> None:
    assert reading.counts["ImagesReady"] == {MINUTE: 7}
    assert (reading.images, reading.rejected) == (10, Counter({"corrupt": 2, "<b>": 1}))
    assert reading.functions["thumbnailer"] == Function(10, 1, {50: 500.0, 95: 1000.0, 99: 1000.0}, pytest.approx(11.0))
    assert reading.queues == {"uploads": Queue(3, 2, pytest.approx(41, abs=5)), "uploads-dlq": Queue(1, 0, 0.0)}


def test_cost_is_compute_and_requests_by_image(reading: Reading) -> None:
    prices = telemetry.PRICES
    compute = 11.0 * prices["lambda_gb_s"][clouds.HOST_ARCHITECTURE] + 10 * prices["lambda_request"]
    assert reading.cost_per_thousand == pytest.approx(100 * compute + 1000 * (20e-6 + 0.4e-6 + 1.6e-6 + 1.25e-6))
    assert Reading(0, 60).cost_per_thousand is None


class FakeLambda:
    """A function of 2048 MB."""

    def get_function_configuration(self, FunctionName: str) -> dict[str, Any]:
        assert FunctionName == "eventloom-test-thumbnailer"
        return {"MemorySize": 2048}


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Callable[[str], Any], dict[str, Any]]]:
    """Provide the clients of an account, and the outputs of an environment in it."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    with mock_aws():
        clients = {name: boto3.client(name, "us-east-1") for name in ("cloudwatch", "sqs")}  # type: ignore[call-overload]
        urls = {
            f"uploads_{name}_url": clients["sqs"].create_queue(QueueName=name)["QueueUrl"] for name in ("queue", "dlq")
        }
        yield (clients | {"lambda": FakeLambda()}).__getitem__, OUTPUTS | urls


def test_metrics_of_an_account_are_added_up(account: tuple[Callable[[str], Any], dict[str, Any]]) -> None:
    connect, outputs = account

    def put(namespace: str, name: str, value: float, **dimensions: str) -> None:
        pairs = [{"Name": key, "Value": text} for key, text in dimensions.items()]
        data = {"MetricName": name, "Dimensions": pairs, "Value": value, "Timestamp": time.time() - 120}
        connect("cloudwatch").put_metric_data(Namespace=namespace, MetricData=[data])

    put("AWS/SQS", "ApproximateAgeOfOldestMessage", 41, QueueName="queue")
    put(OUTPUTS["metrics_namespace"], "ImagesReady", 7, service="thumbnailer")
    put(OUTPUTS["metrics_namespace"], "ImagesRejected", 3, service="thumbnailer")
    put(OUTPUTS["metrics_namespace"], "ImagesRejected", 2, service="thumbnailer", reason="corrupt")
    for metric, value in {"Invocations": 4, "Errors": 1, "Duration": 500}.items():
        put("AWS/Lambda", metric, value, FunctionName="eventloom-test-thumbnailer")
    # moto has no percentiles
    reading = telemetry.read(outputs, 30, connect, clouds.CLOUDS["aws"], percentiles=())
    assert (reading.total("ImagesReady"), reading.total("ImagesRejected"), reading.rejected) == (
        7,
        3,
        Counter(corrupt=2),
    )
    assert reading.queues == {"uploads": Queue(0, 0, 41.0), "uploads-dlq": Queue(0, 0, None)}
    function = reading.functions["thumbnailer"]
    assert (function.invocations, function.errors, function.gb_s) == (4, 1, pytest.approx(1.0))


def test_the_terminal_shows_what_was_read(reading: Reading) -> None:
    console = Console(width=110, record=True, file=io.StringIO())
    console.print(watch.view(reading, "test"))
    text = console.export_text()
    for expected in ("ready", "corrupt", "uploads-dlq", "41 s", "1,000", "thumbnailer"):
        assert expected in text


def test_json_has_the_same_figures(reading: Reading) -> None:
    figures = json.loads(json.dumps(facts(reading, "test")))
    assert (figures["environment"], figures["images"]) == ("test", {"ready": 7, "rejected": 3, "deleted": 0})
    assert list(figures["images_by_minute"]["ready"].values()) == [7]
    assert figures["rejected_by_reason"] == {"corrupt": 2, "<b>": 1}
    assert figures["queues"]["uploads"]["waiting"] == 3
    assert figures["usd_per_thousand_images"] == reading.cost_per_thousand
    expected = {
        "invocations": 10,
        "errors": 1,
        "duration_ms": {"p50": 500.0, "p95": 1000.0, "p99": 1000.0},
        "gb_s": 11.0,
    }
    assert figures["functions"]["thumbnailer"] == expected


@pytest.mark.parametrize(("once", "shown"), [(True, 1), (False, 3)])
def test_figures_are_shown_once_or_again_and_again(once: bool, shown: int) -> None:
    turns = count(1)

    def show() -> None:
        if next(turns) == 3:
            raise KeyboardInterrupt

    waits: list[float] = []
    if once:
        watch.repeat(show, once, 7, waits.append)
    else:
        with pytest.raises(KeyboardInterrupt):
            watch.repeat(show, once, 7, waits.append)
    assert waits == [7] * (shown - 1)


@pytest.mark.parametrize("command", ["watch", "report"])
def test_no_more_minutes_are_accepted_than_cloudwatch_keeps(command: str) -> None:
    result = CliRunner().invoke(cli.main, [command, "--minutes", "21601"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--minutes" in result.stderr


def test_the_page_shows_what_was_read_and_escapes_it(reading: Reading) -> None:
    page = report.page(reading, "test")
    assert "&lt;b&gt;" in page
    assert "<b>:" not in page
    assert page.count("<rect") == 2 + 2  # ready and rejected in one minute; two reasons
    assert not re.search(r'(src|href)="?https?:', page), "the page loads nothing from elsewhere"


def test_every_metric_of_the_dashboard_exists() -> None:
    text = (clouds.ROOT / "terraform" / "dashboard.tf").read_text()
    of_aws = re.findall(r'"(AWS/\w+)", "(\w+)"', text)
    of_aws += [
        ("AWS/Lambda", name)
        for name in re.findall(r'stat = "\w+", metric = "(Invocations|Errors|Duration|Throttles|\w*Executions)"', text)
    ]
    assert len(of_aws) > 8
    assert [pair for pair in of_aws if pair[1] not in METRICS_OF_AWS[pair[0]]] == []
    loops = set(re.findall(r'metric = "(\w+)"', text))
    assert loops <= METRICS_OF_AWS["AWS/Lambda"] | METRICS_OF_AWS["AWS/ApiGateway"]
    of_ours = {
        *re.findall(r'local\.custom, "(\w+)"', text),
        *re.findall(r'MetricName=\\"(\w+)', text),
        *re.findall(r'"(Images\w+)"', text),
    }
    assert of_ours
    assert of_ours <= {result.value for result in Result}


def test_the_prices_of_the_dashboard_are_in_the_table_of_prices() -> None:
    assert {"lambda_gb_s", *re.findall(r"local\.prices\.(\w+)", dashboard())} <= set(telemetry.PRICES)


def dashboard() -> str:
    """Return the text of the dashboard."""
    return (clouds.ROOT / "terraform" / "dashboard.tf").read_text()
