"""Read the figures of an environment for a period of time: counts, durations and queues.

On AWS the figures are CloudWatch metrics. An emulator does not provide the functions' custom metrics, and only few of
AWS's. So its figures are read from log lines: the embedded metric format, and Lambda's `platform.report`.
"""

import math
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import requests

from eventloom import clouds
from eventloom.clouds import Cloud
from eventloom.monitoring.log_records import parse
from eventloom.monitoring.prices import PRICES

ENDINGS = ("ImagesReady", "ImagesRejected", "ImagesDeleted")
PERCENTILES = (50, 95, 99)

type Connect = Callable[[str], Any]
"""Returns the boto3 client of a service."""


@dataclass
class Function:
    """The invocations of one function. `durations` are in ms, by percentile. `gb_s` are the billed GB-seconds."""

    invocations: int = 0
    errors: int = 0
    durations: dict[int, float] = field(default_factory=dict)
    gb_s: float = 0.0


@dataclass(frozen=True)
class Queue:
    """The current state of a queue. `age_s` is the age of the oldest message in seconds, or None if it is unknown."""

    waiting: int
    in_flight: int
    age_s: float | None


@dataclass
class Reading:
    """The figures of an environment between two times (epoch, s). `architecture` determines Lambda's price."""

    since: float
    until: float
    architecture: str = "x86_64"
    counts: dict[str, dict[int, int]] = field(
        default_factory=lambda: {name: {} for name in ENDINGS}
    )  # by minute (epoch, s)
    rejected: Counter[str] = field(default_factory=Counter)  # by reason
    functions: dict[str, Function] = field(default_factory=dict)
    queues: dict[str, Queue] = field(default_factory=dict)

    def total(self, name: str) -> int:
        """Return the number of images with the result `name`, one of ENDINGS."""
        return sum(self.counts[name].values())

    @property
    def images(self) -> int:
        """Return the number of images that became READY or REJECTED."""
        return self.total("ImagesReady") + self.total("ImagesRejected")

    @property
    def cost_per_thousand(self) -> float | None:
        """Return the USD per thousand images at list prices, as on the dashboard, or None without images."""
        thumbnailer = self.functions.get("thumbnailer")
        if not self.images or not thumbnailer:
            return None
        compute = (
            thumbnailer.gb_s * PRICES["lambda_gb_s"][self.architecture]
            + thumbnailer.invocations * PRICES["lambda_request"]
        )
        requests_made = self.images * (
            4 * PRICES["s3_put"] + PRICES["s3_get"] + 4 * PRICES["sqs_request"] + 2 * PRICES["dynamodb_write"]
        )
        return float(1000 * (compute + requests_made) / self.images)


def read(
    outputs: dict[str, Any],
    minutes: int,
    connect: Connect = clouds.client,
    cloud: Cloud | None = None,
    percentiles: tuple[int, ...] = PERCENTILES,
) -> Reading:
    """Return the figures of the last `minutes` of an environment. `outputs` are its Terraform outputs.

    `connect` returns boto3 clients. By default, `connect` and `cloud` are those of the chosen cloud.
    """
    cloud = cloud or clouds.chosen_cloud()
    now = time.time()
    reading = Reading(now - 60 * minutes, now, cloud.architecture)
    if cloud.port:
        _from_logs(reading, outputs, connect, percentiles)
    else:
        _from_metrics(reading, outputs, connect, percentiles)
    urls = {"uploads": outputs["uploads_queue_url"], "uploads-dlq": outputs["uploads_dlq_url"]}
    reading.queues = {name: _queue(url, connect, cloud) for name, url in urls.items()}
    return reading


def percentile(values: list[float], share: int) -> float:
    """Return the percentile `share` of the values by the nearest-rank method."""
    return sorted(values)[max(0, math.ceil(share / 100 * len(values)) - 1)]


def _from_logs(reading: Reading, outputs: dict[str, Any], connect: Connect, percentiles: tuple[int, ...]) -> None:
    for name, function in outputs["functions"].items():
        figures, durations = Function(), []
        for at, fields in _events(function["log_group"], reading.since, connect):
            if "_aws" in fields:
                _count(reading, at, fields)
            elif fields.get("type") == "platform.report":
                metrics = fields["record"]["metrics"]
                figures.invocations += 1
                figures.errors += fields["record"]["status"] != "success"
                figures.gb_s += metrics["billedDurationMs"] / 1000 * metrics["memorySizeMB"] / 1024
                durations.append(metrics["durationMs"])
        figures.durations = {share: percentile(durations, share) for share in percentiles if durations}
        reading.functions[name] = figures


def _events(group: str, since: float, connect: Connect) -> Iterator[tuple[float, dict[str, Any]]]:
    """Yield the time (epoch, s) and the fields of each line of a log group."""
    pages = connect("logs").get_paginator("filter_log_events").paginate(logGroupName=group, startTime=int(since * 1000))
    for event in (event for page in pages for event in page["events"]):
        yield event["timestamp"] / 1000, parse(event["message"])


def _count(reading: Reading, at: float, line: dict[str, Any]) -> None:
    """Add the counts of a line in the embedded metric format. Lines with a reason count only for that reason.

    The thumbnailer also logs all rejections in a line without a reason.
    """
    for name in {
        metric["Name"] for directive in line["_aws"]["CloudWatchMetrics"] for metric in directive["Metrics"]
    } & set(ENDINGS):
        value = int(sum(line[name]) if isinstance(line[name], list) else line[name])
        if "reason" in line:
            reading.rejected[line["reason"]] += value
        else:
            minute = int(at // 60 * 60)
            reading.counts[name][minute] = reading.counts[name].get(minute, 0) + value


def _from_metrics(reading: Reading, outputs: dict[str, Any], connect: Connect, percentiles: tuple[int, ...]) -> None:
    namespace = outputs["metrics_namespace"]
    metrics: dict[tuple[str, ...], dict[str, Any]] = {
        ("count", name): _stat(namespace, name, "Sum", service="thumbnailer") for name in ENDINGS
    }
    memory = {}
    for name, function in outputs["functions"].items():
        memory[name] = connect("lambda").get_function_configuration(FunctionName=function["function_name"])[
            "MemorySize"
        ]
        for metric, stat in [
            ("Invocations", "Sum"),
            ("Errors", "Sum"),
            ("Duration", "Sum"),
            *(("Duration", f"p{p}") for p in percentiles),
        ]:
            metrics[(name, metric, stat)] = _stat("AWS/Lambda", metric, stat, FunctionName=function["function_name"])
    for page in (
        connect("cloudwatch").get_paginator("list_metrics").paginate(Namespace=namespace, MetricName="ImagesRejected")
    ):
        for metric in page["Metrics"]:
            dimensions = {pair["Name"]: pair["Value"] for pair in metric["Dimensions"]}
            if "reason" in dimensions:
                metrics[("reason", dimensions["reason"])] = _stat(namespace, "ImagesRejected", "Sum", **dimensions)
    values = _metric_data(metrics, reading, connect)
    for name in ENDINGS:
        reading.counts[name] = {minute: int(value) for minute, value in values[("count", name)].items()}
    reading.rejected.update(
        {key[1]: int(sum(by_minute.values())) for key, by_minute in values.items() if key[0] == "reason"}
    )
    for name in outputs["functions"]:
        total = {
            metric: sum(values[(name, metric, "Sum")].values()) for metric in ("Invocations", "Errors", "Duration")
        }
        # Percentiles of several minutes cannot be combined, so this takes the highest one.
        durations = {
            p: max(by_minute.values()) for p in percentiles if (by_minute := values[(name, "Duration", f"p{p}")])
        }
        gb_s = total["Duration"] / 1000 * memory[name] / 1024
        reading.functions[name] = Function(int(total["Invocations"]), int(total["Errors"]), durations, gb_s)


def _stat(namespace: str, name: str, stat: str, **dimensions: str) -> dict[str, Any]:
    pairs = [{"Name": key, "Value": value} for key, value in dimensions.items()]
    return {"Metric": {"Namespace": namespace, "MetricName": name, "Dimensions": pairs}, "Period": 60, "Stat": stat}


def _metric_data(
    metrics: dict[tuple[str, ...], dict[str, Any]], reading: Reading, connect: Connect
) -> dict[tuple[str, ...], dict[int, float]]:
    """Return the values of each metric by minute. A request can contain at most 500 metrics."""
    keys = list(metrics)
    values: dict[tuple[str, ...], dict[int, float]] = defaultdict(dict)
    values.update({key: {} for key in keys})
    for first in range(0, len(keys), 500):
        queries = [
            {"Id": f"m{index}", "MetricStat": metrics[keys[index]]}
            for index in range(first, min(first + 500, len(keys)))
        ]
        pages = connect("cloudwatch").get_paginator("get_metric_data")
        for page in pages.paginate(MetricDataQueries=queries, StartTime=reading.since, EndTime=reading.until):
            for result in page["MetricDataResults"]:
                pairs = zip(result["Timestamps"], result["Values"], strict=True)
                values[keys[int(result["Id"][1:])]].update({int(at.timestamp()): value for at, value in pairs})
    return values


def _queue(url: str, connect: Connect, cloud: Cloud) -> Queue:
    names = [
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateNumberOfMessagesDelayed",
    ]
    attributes = connect("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    waiting, in_flight, delayed = (int(attributes[name]) for name in names)
    return Queue(
        waiting + delayed, in_flight, _age_from_messages(url, cloud) if cloud.port else _age_from_metrics(url, connect)
    )


def _age_from_metrics(url: str, connect: Connect) -> float | None:
    metric = _stat("AWS/SQS", "ApproximateAgeOfOldestMessage", "Maximum", QueueName=url.rsplit("/", 1)[1])
    values = _metric_data({("age",): metric}, Reading(time.time() - 600, time.time()), connect)[("age",)]
    return values[max(values)] if values else None


def _age_from_messages(url: str, cloud: Cloud) -> float:
    """Return the age of the oldest message. LocalStack lists the messages of a queue without receiving them."""
    address = f"{cloud.endpoint}/_aws/sqs/messages"
    answer = requests.get(address, params={"QueueUrl": url}, headers={"Accept": "application/json"}, timeout=10)
    result = answer.json()["ReceiveMessageResponse"]["ReceiveMessageResult"]
    messages = (result or {}).get("Message", [])
    sent = [
        int(attribute["Value"]) / 1000
        for message in (messages if isinstance(messages, list) else [messages])
        for attribute in message["Attribute"]
        if attribute["Name"] == "SentTimestamp"
    ]
    return max(0.0, time.time() - min(sent)) if sent else 0.0
