"""What CloudWatch learns about a batch: metrics in embedded metric format."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from aws_lambda_powertools.metrics import single_metric

from shared.observability import MetricUnit, metrics
from thumbnailer.batch import Summary


@contextmanager
def metrics_of_invocation() -> Iterator[Callable[[Summary], None]]:
    """Yields what reports a batch; what was reported is written even if the invocation fails afterwards."""
    try:
        yield _report
    finally:
        if metrics.metric_set:
            metrics.flush_metrics()


def _report(summary: Summary) -> None:
    """One count per way an event can end, and BytesIn and MessagesRetried; rejections once more by reason."""
    for name, count in Counter(outcome.result.value for outcome in summary.outcomes).items():
        metrics.add_metric(name, MetricUnit.Count, count)
    bytes_in = sum(outcome.bytes for outcome in summary.outcomes)
    if bytes_in:
        metrics.add_metric("BytesIn", MetricUnit.Bytes, bytes_in)
    metrics.add_metric("MessagesRetried", MetricUnit.Count, len(summary.failed))
    for reason, count in Counter(outcome.reason for outcome in summary.outcomes if outcome.reason).items():
        with single_metric("ImagesRejected", MetricUnit.Count, count) as metric:
            metric.add_dimension("service", metrics.service or "thumbnailer")
            metric.add_dimension("reason", reason)
