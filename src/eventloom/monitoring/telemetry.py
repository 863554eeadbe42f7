"""How an environment is doing: counts, durations and queues of a stretch of time.

On AWS the figures are CloudWatch's metrics. An emulator has none of the functions' own, and few of AWS's: there they are read from the
log lines that CloudWatch makes them of (embedded metric format, and Lambda's `platform.report`).
"""

import json
import math
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import requests

from eventloom.clouds import client, lane
from eventloom.monitoring.prices import PRICES

ENDINGS = ("ImagesReady", "ImagesRejected", "ImagesDeleted")
PERCENTILES = (50, 95, 99)


@dataclass
class Function:
    """Invocations of one function. Durations in ms, by percentile; `gb_s` is what Lambda bills."""

    invocations: int = 0
    errors: int = 0
    durations: dict[int, float] = field(default_factory=dict)
    gb_s: float = 0.0


@dataclass(frozen=True)
class Queue:
    """Messages waiting and in flight now, and seconds that the oldest has waited; None where nobody knows."""

    waiting: int
    in_flight: int
    age_s: float | None


@dataclass
class Reading:
    """An environment between two moments (epoch, s)."""

    since: float
    until: float
    counts: dict[str, dict[int, int]] = field(default_factory=lambda: {name: {} for name in ENDINGS})  # by minute (epoch, s)
    rejected: Counter[str] = field(default_factory=Counter)  # by reason
    functions: dict[str, Function] = field(default_factory=dict)
    queues: dict[str, Queue] = field(default_factory=dict)

    def total(self, name: str) -> int:
        """How often an event ended this way."""
        return sum(self.counts[name].values())

    @property
    def images(self) -> int:
        """Images that got a verdict."""
        return self.total("ImagesReady") + self.total("ImagesRejected")

    @property
    def cost_per_thousand(self) -> float | None:
        """USD per thousand images at list prices; the same sum as on the dashboard. None without images."""
        thumbnailer = self.functions.get("thumbnailer")
        if not self.images or not thumbnailer:
            return None
        compute = thumbnailer.gb_s * PRICES["lambda_gb_s"][lane().architecture] + thumbnailer.invocations * PRICES["lambda_request"]
        requests_made = self.images * (4 * PRICES["s3_put"] + PRICES["s3_get"] + 3 * PRICES["sqs_request"] + 2 * PRICES["dynamodb_write"])
        return float(1000 * (compute + requests_made) / self.images)


def read(outputs: dict[str, Any], minutes: int) -> Reading:
    """The last `minutes` of what `outputs` (of Terraform) describes."""
    reading = Reading(time.time() - 60 * minutes, time.time())
    (_from_logs if lane().port else _from_metrics)(reading, outputs)
    reading.queues = {"uploads": _queue(outputs["uploads_queue_url"]), "uploads-dlq": _queue(outputs["uploads_dlq_url"])}
    return reading


def percentile(values: list[float], share: int) -> float:
    """Nearest rank."""
    return sorted(values)[max(0, math.ceil(share / 100 * len(values)) - 1)]


def _from_logs(reading: Reading, outputs: dict[str, Any]) -> None:
    for name, function in outputs["functions"].items():
        found, durations = Function(), []
        for at, line in _json_lines(function["log_group"], reading.since):
            if "_aws" in line:
                _count(reading, at, line)
            elif line.get("type") == "platform.report":
                metrics = line["record"]["metrics"]
                found.invocations += 1
                found.errors += line["record"]["status"] != "success"
                found.gb_s += metrics["billedDurationMs"] / 1000 * metrics["memorySizeMB"] / 1024
                durations.append(metrics["durationMs"])
        found.durations = {share: percentile(durations, share) for share in PERCENTILES if durations}
        reading.functions[name] = found


def _json_lines(group: str, since: float) -> Iterator[tuple[float, dict[str, Any]]]:
    pages = client("logs").get_paginator("filter_log_events").paginate(logGroupName=group, startTime=int(since * 1000))
    for event in (event for page in pages for event in page["events"]):
        if event["message"].startswith("{"):
            try:
                yield event["timestamp"] / 1000, json.loads(event["message"])
            except ValueError:
                continue  # a line that was cut off


def _count(reading: Reading, at: float, line: dict[str, Any]) -> None:
    """Add what an EMF line counts; rejections are written twice: in all, and by reason."""
    for name in {metric["Name"] for directive in line["_aws"]["CloudWatchMetrics"] for metric in directive["Metrics"]} & set(ENDINGS):
        value = int(sum(line[name]) if isinstance(line[name], list) else line[name])
        if "reason" in line:
            reading.rejected[line["reason"]] += value
        else:
            minute = int(at // 60 * 60)
            reading.counts[name][minute] = reading.counts[name].get(minute, 0) + value


def _from_metrics(reading: Reading, outputs: dict[str, Any]) -> None:
    namespace = outputs["metrics_namespace"]
    wanted: dict[tuple[str, ...], dict[str, Any]] = {
        ("count", name): _stat(namespace, name, "Sum", service="thumbnailer") for name in ENDINGS
    }
    memory = {}
    for name, function in outputs["functions"].items():
        memory[name] = client("lambda").get_function_configuration(FunctionName=function["function_name"])["MemorySize"]
        for metric, stat in [("Invocations", "Sum"), ("Errors", "Sum"), ("Duration", "Sum"), *(("Duration", f"p{p}") for p in PERCENTILES)]:
            wanted[(name, metric, stat)] = _stat("AWS/Lambda", metric, stat, FunctionName=function["function_name"])
    for found in client("cloudwatch").get_paginator("list_metrics").paginate(Namespace=namespace, MetricName="ImagesRejected"):
        for metric in found["Metrics"]:
            dimensions = {pair["Name"]: pair["Value"] for pair in metric["Dimensions"]}
            if "reason" in dimensions:
                wanted[("reason", dimensions["reason"])] = _stat(namespace, "ImagesRejected", "Sum", **dimensions)
    values = _metric_data(wanted, reading)
    for name in ENDINGS:
        reading.counts[name] = {minute: int(value) for minute, value in values[("count", name)].items()}
    reading.rejected.update({key[1]: int(sum(found.values())) for key, found in values.items() if key[0] == "reason"})
    for name in outputs["functions"]:
        total = {metric: sum(values[(name, metric, "Sum")].values()) for metric in ("Invocations", "Errors", "Duration")}
        # Percentiles of a minute can't be added up: the worst minute is told
        durations = {p: max(found.values()) for p in PERCENTILES if (found := values[(name, "Duration", f"p{p}")])}
        gb_s = total["Duration"] / 1000 * memory[name] / 1024
        reading.functions[name] = Function(int(total["Invocations"]), int(total["Errors"]), durations, gb_s)


def _stat(namespace: str, name: str, stat: str, **dimensions: str) -> dict[str, Any]:
    pairs = [{"Name": key, "Value": value} for key, value in dimensions.items()]
    return {"Metric": {"Namespace": namespace, "MetricName": name, "Dimensions": pairs}, "Period": 60, "Stat": stat}


def _metric_data(wanted: dict[tuple[str, ...], dict[str, Any]], reading: Reading) -> dict[tuple[str, ...], dict[int, float]]:
    """Values by minute of each metric; 500 are asked for at a time, as many as CloudWatch takes."""
    keys = list(wanted)
    values: dict[tuple[str, ...], dict[int, float]] = defaultdict(dict)
    values.update({key: {} for key in keys})
    for first in range(0, len(keys), 500):
        queries = [{"Id": f"m{index}", "MetricStat": wanted[keys[index]]} for index in range(first, min(first + 500, len(keys)))]
        pages = client("cloudwatch").get_paginator("get_metric_data")
        for page in pages.paginate(MetricDataQueries=queries, StartTime=reading.since, EndTime=reading.until):
            for result in page["MetricDataResults"]:
                pairs = zip(result["Timestamps"], result["Values"], strict=True)
                values[keys[int(result["Id"][1:])]].update({int(at.timestamp()): value for at, value in pairs})
    return values


def _queue(url: str) -> Queue:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"]
    found = {
        name: int(value) for name, value in client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"].items()
    }
    return Queue(found[names[0]] + found[names[2]], found[names[1]], _age(url))


def _age(url: str) -> float | None:
    """CloudWatch knows it; LocalStack lets its messages be looked at without receiving them."""
    if not lane().port:
        metric = _stat("AWS/SQS", "ApproximateAgeOfOldestMessage", "Maximum", QueueName=url.rsplit("/", 1)[1])
        values = _metric_data({("age",): metric}, Reading(time.time() - 600, time.time()))[("age",)]
        return values[max(values)] if values else None
    address = f"{lane().endpoint}/_aws/sqs/messages"
    answer = requests.get(address, params={"QueueUrl": url}, headers={"Accept": "application/json"}, timeout=10)
    messages = answer.json()["ReceiveMessageResponse"]["ReceiveMessageResult"]
    found = (messages or {}).get("Message", [])
    sent = [
        int(attribute["Value"]) / 1000
        for message in (found if isinstance(found, list) else [found])
        for attribute in message["Attribute"]
        if attribute["Name"] == "SentTimestamp"
    ]
    return max(0.0, time.time() - min(sent)) if sent else 0.0
