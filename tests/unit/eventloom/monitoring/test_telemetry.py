"""What `make watch` and `make report` tell, from log lines and from CloudWatch, and that the dashboard asks for nothing unknown."""

import io
import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws
from rich.console import Console

from eventloom import clouds
from eventloom.monitoring import report, telemetry, watch
from eventloom.monitoring.telemetry import Function, Queue, Reading
from thumbnailer.pipeline import Result

NOW = time.time()
MINUTE = int(NOW // 60 * 60)
OUTPUTS = {
    "environment": "test",
    "metrics_namespace": "Acme/metrics",
    "functions": {"thumbnailer": {"log_group": "/aws/lambda/thumbnailer", "function_name": "eventloom-test-thumbnailer"}},
    "uploads_queue_url": "uploads",
    "uploads_dlq_url": "dlq",
}
# https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html and the same page of SQS, API Gateway and Service Quotas
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


@pytest.fixture
def sqs(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = {"uploads": Queue(3, 2, 41.0), "dlq": Queue(1, 0, None)}
    monkeypatch.setattr(telemetry, "_queue", lambda url: waiting[url])


def emf(value: int, **dimensions: str) -> dict[str, Any]:
    """A line as Powertools writes it."""
    name = dimensions.pop("name")
    directive = {"Namespace": OUTPUTS["metrics_namespace"], "Dimensions": [["service"]], "Metrics": [{"Name": name, "Unit": "Count"}]}
    return {"_aws": {"Timestamp": 0, "CloudWatchMetrics": [directive]}, name: [value], **dimensions}


def ran(duration_ms: float, status: str = "success") -> dict[str, Any]:
    """Lambda's own line."""
    metrics = {"durationMs": duration_ms, "billedDurationMs": duration_ms, "memorySizeMB": 2048}
    return {"type": "platform.report", "record": {"status": status, "metrics": metrics}}


@pytest.fixture
def reading(monkeypatch: pytest.MonkeyPatch, sqs: None) -> Reading:
    lines = [
        emf(7, name="ImagesReady", service="thumbnailer"),
        emf(3, name="ImagesRejected", service="thumbnailer"),
        emf(2, name="ImagesRejected", service="thumbnailer", reason="corrupt"),
        emf(1, name="ImagesRejected", service="thumbnailer", reason="<b>"),
        *(ran(100.0 * n) for n in range(1, 10)),
        ran(1000.0, "timeout"),
    ]
    monkeypatch.setattr(telemetry, "_json_lines", lambda group, since: iter([(MINUTE + 1.0, line) for line in lines]))
    monkeypatch.setattr(telemetry, "lane", lambda: clouds.LANES["embedded"])
    return telemetry.read(OUTPUTS, 30)


def test_log_lines_are_counted(reading: Reading) -> None:
    assert reading.counts["ImagesReady"] == {MINUTE: 7}
    assert (reading.images, reading.rejected) == (10, Counter({"corrupt": 2, "<b>": 1}))
    assert reading.functions["thumbnailer"] == Function(10, 1, {50: 500.0, 95: 1000.0, 99: 1000.0}, pytest.approx(11.0))
    assert reading.queues["uploads"].age_s == 41.0


def test_cost_is_compute_and_requests_by_image(reading: Reading) -> None:
    prices = telemetry.PRICES
    compute = 11.0 * prices["lambda_gb_s"][clouds.LANES["embedded"].architecture] + 10 * prices["lambda_request"]
    assert reading.cost_per_thousand == pytest.approx(100 * compute + 1000 * (20e-6 + 0.4e-6 + 1.2e-6 + 1.25e-6))
    assert Reading(0, 60).cost_per_thousand is None


@pytest.fixture
def cloudwatch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """CloudWatch, and a function of 2048 MB, as an account has them."""
    with mock_aws():
        clients = {name: boto3.client(name, "us-east-1") for name in ("cloudwatch", "iam", "lambda")}
        monkeypatch.setattr(telemetry, "client", clients.get)
        monkeypatch.setattr(telemetry, "lane", lambda: clouds.LANES["aws"])
        monkeypatch.setattr(telemetry, "PERCENTILES", ())  # moto computes none
        monkeypatch.setattr(clients["lambda"], "get_function_configuration", lambda **_: {"MemorySize": 2048})
        yield clients["cloudwatch"]


def test_metrics_of_an_account_are_added_up(cloudwatch: Any, sqs: None) -> None:
    def put(namespace: str, name: str, value: float, **dimensions: str) -> None:
        pairs = [{"Name": key, "Value": text} for key, text in dimensions.items()]
        data = {"MetricName": name, "Dimensions": pairs, "Value": value, "Timestamp": NOW - 120}
        cloudwatch.put_metric_data(Namespace=namespace, MetricData=[data])

    put(OUTPUTS["metrics_namespace"], "ImagesReady", 7, service="thumbnailer")
    put(OUTPUTS["metrics_namespace"], "ImagesRejected", 3, service="thumbnailer")
    put(OUTPUTS["metrics_namespace"], "ImagesRejected", 2, service="thumbnailer", reason="corrupt")
    for metric, value in {"Invocations": 4, "Errors": 1, "Duration": 500}.items():
        put("AWS/Lambda", metric, value, FunctionName="eventloom-test-thumbnailer")
    found = telemetry.read(OUTPUTS, 30)
    assert (found.total("ImagesReady"), found.total("ImagesRejected"), found.rejected) == (7, 3, Counter(corrupt=2))
    function = found.functions["thumbnailer"]
    assert (function.invocations, function.errors, function.gb_s) == (4, 1, pytest.approx(1.0))


def test_the_terminal_shows_what_was_read(reading: Reading) -> None:
    console = Console(width=110, record=True, file=io.StringIO())
    console.print(watch.view(reading, "test"))
    text = console.export_text()
    for expected in ("ready", "corrupt", "uploads-dlq", "41 s", "1,000", "thumbnailer"):
        assert expected in text


def test_the_page_shows_what_was_read_and_escapes_it(reading: Reading) -> None:
    page = report.page(reading, "test")
    assert "&lt;b&gt;" in page
    assert "<b>:" not in page
    assert page.count("<rect") == 2 + 2  # ready and rejected in one minute; two reasons
    assert not re.search(r'(src|href)="?https?:', page), "it stands alone"


def test_every_metric_of_the_dashboard_is_one_that_somebody_emits() -> None:
    text = (clouds.ROOT / "terraform" / "dashboard.tf").read_text()
    of_aws = re.findall(r'"(AWS/\w+)", "(\w+)"', text)
    of_aws += [
        ("AWS/Lambda", name) for name in re.findall(r'stat = "\w+", metric = "(Invocations|Errors|Duration|Throttles|\w*Executions)"', text)
    ]
    assert len(of_aws) > 8
    assert [pair for pair in of_aws if pair[1] not in METRICS_OF_AWS[pair[0]]] == []
    loops = set(re.findall(r'metric = "(\w+)"', text))
    assert loops <= METRICS_OF_AWS["AWS/Lambda"] | METRICS_OF_AWS["AWS/ApiGateway"]
    of_ours = {*re.findall(r'local\.custom, "(\w+)"', text), *re.findall(r'MetricName=\\"(\w+)', text), *re.findall(r'"(Images\w+)"', text)}
    assert of_ours
    assert of_ours <= {result.value for result in Result}


def test_prices_are_the_ones_that_terraform_reads() -> None:
    assert {"lambda_gb_s", *re.findall(r"local\.prices\.(\w+)", dashboard())} <= set(telemetry.PRICES)


def dashboard() -> str:
    """The text of the dashboard."""
    return (clouds.ROOT / "terraform" / "dashboard.tf").read_text()


def test_lines_that_are_no_json_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    class Logs:
        def get_paginator(self, _: str) -> "Logs":
            return self

        def paginate(self, **_: Any) -> list[dict[str, Any]]:
            texts = ["START", '{"cut', json.dumps({"type": "x"})]
            return [{"events": [{"timestamp": 1000, "message": text} for text in texts]}]

    monkeypatch.setattr(telemetry, "client", lambda _: Logs())
    assert list(telemetry._json_lines("group", 0)) == [(1.0, {"type": "x"})]
