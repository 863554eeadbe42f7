"""Store metrics without waiting for the disk, and store the metrics of SQS and Lambda without requests to CloudWatch.

LocalStack opens its database for each metric and waits until the metric is on disk (16 ms). SQS and Lambda send a
request through the gateway for each metric, even for a ReceiveMessage that returns nothing. Lambda starts a thread for
each metric, and LocalStack keeps the thread object until the server ends.
"""
# mypy: disable-error-code="import-not-found"

import logging
import sqlite3
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

LOG = logging.getLogger(__name__)
# The beginning of the names of the threads that LocalStack starts for the metrics of invocations.
THREAD = "record-cloudwatch-metric"


class _Connection(sqlite3.Connection):
    """A connection that is closed at the end of its `with` block. Otherwise it stays open until garbage collection."""

    def __exit__(self, *error: Any) -> Any:
        try:
            return super().__exit__(*error)
        finally:
            self.close()


class Connections:
    """Stands in for the module sqlite3. Its connections do not wait for the disk.

    The file has to survive a crash of the process, but not of the machine:
    https://www.sqlite.org/pragma.html#pragma_synchronous
    """

    def connect(self, path: str, **options: Any) -> sqlite3.Connection:
        """Open the database of metrics."""
        connection: sqlite3.Connection = sqlite3.connect(path, factory=_Connection, **options)
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA journal_mode = MEMORY")
        return connection


def store(account_id: str | None, region: str | None, namespace: str, metrics: list[dict[str, Any]]) -> None:
    """Add metrics to CloudWatch's database. A metric without a Timestamp gets the current time.

    The first call starts CloudWatch.
    """
    from localstack.constants import AWS_REGION_US_EAST_1, DEFAULT_AWS_ACCOUNT_ID  # noqa: PLC0415 - only a running server has them
    from localstack.services.plugins import SERVICE_PLUGINS  # noqa: PLC0415
    from localstack.utils.bootstrap import is_api_enabled  # noqa: PLC0415

    if not is_api_enabled("cloudwatch"):
        return
    database = SERVICE_PLUGINS.require("cloudwatch")._provider.cloudwatch_database
    now = datetime.now(UTC)
    database.add_metric_data(
        account_id or DEFAULT_AWS_ACCOUNT_ID,
        region or AWS_REGION_US_EAST_1,
        namespace,
        [{"Timestamp": now} | metric for metric in metrics],
    )


def _publish_queue_metric(  # noqa: PLR0913, PLR0917 - the signature of LocalStack
    account_id: str, region: str, queue_name: str, metric: str, value: float = 1, unit: str = "Count"
) -> None:
    store(account_id, region, "AWS/SQS", [_of_queue(queue_name, metric, value, unit)])


def _publish_queue_metrics(account_id: str, region: str, sqs_metric_batch_data: Sequence[dict[str, Any]]) -> None:
    metrics = [
        _of_queue(entry["QueueName"], entry["MetricName"], entry.get("Value", 1), entry.get("Unit", "Count"))
        for entry in sqs_metric_batch_data
    ]
    store(account_id, region, "AWS/SQS", metrics)


def _of_queue(queue_name: str, metric: str, value: float, unit: str) -> dict[str, Any]:
    dimensions = [{"Name": "QueueName", "Value": queue_name}]
    return {"MetricName": metric, "Dimensions": dimensions, "Unit": unit, "Value": value}


def without_threads(start_thread: Callable[..., Any]) -> Callable[..., Any]:
    """Return a replacement of start_thread that stores metrics immediately and starts threads for everything else."""

    def start(method: Callable[..., None], *args: Any, name: str | None = None, **options: Any) -> Any:
        if not (name or "").startswith(THREAD):
            return start_thread(method, *args, name=name, **options)
        try:
            method()
        except Exception:  # as in the thread, which would only log it
            LOG.exception("%s failed", name)
        return None

    return start


def install() -> None:
    """Replace the connections and the functions that publish the metrics of SQS and Lambda."""
    from localstack.services.cloudwatch import cloudwatch_database_helper  # noqa: PLC0415
    from localstack.services.lambda_.invocation import metrics as lambda_metrics  # noqa: PLC0415
    from localstack.services.lambda_.invocation import version_manager  # noqa: PLC0415
    from localstack.services.sqs import provider as sqs  # noqa: PLC0415
    from localstack.utils.cloudwatch.cloudwatch_util import dimension_lambda  # noqa: PLC0415
    from localstack.utils.patch import Patch  # noqa: PLC0415

    def publish_function_metric(
        metric: str, value: float, kwargs: Any, account_id: str | None = None, region_name: str | None = None
    ) -> None:
        facts = {"MetricName": metric, "Dimensions": dimension_lambda(kwargs), "Value": value}
        store(account_id, region_name, "AWS/Lambda", [facts])

    Patch(cloudwatch_database_helper, "sqlite3", Connections()).apply()
    Patch(sqs, "publish_sqs_metric", _publish_queue_metric).apply()
    Patch(sqs, "publish_sqs_metric_batch", _publish_queue_metrics).apply()
    Patch(lambda_metrics, "publish_lambda_metric", publish_function_metric).apply()
    Patch(version_manager, "start_thread", without_threads(version_manager.start_thread)).apply()
