"""The function's logger (structured JSON) and metrics (CloudWatch embedded metric format, EMF).

Powertools reads the service and namespace from POWERTOOLS_SERVICE_NAME and POWERTOOLS_METRICS_NAMESPACE. The Terraform
module modules/function sets both variables.
"""

from collections.abc import Callable
from functools import wraps

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import Metrics, MetricUnit, single_metric

logger = Logger()
metrics = Metrics()

__all__ = ["MetricUnit", "logger", "metrics", "single_metric", "with_metrics"]


def with_metrics[**P, R](handler: Callable[P, R]) -> Callable[P, R]:
    """Decorate a Lambda handler so that each invocation writes its own metrics when it ends, even if it fails.

    Without this decorator, the metrics of a failed invocation are written with those of the next one, or never.
    """

    @wraps(handler)
    def invoke(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return handler(*args, **kwargs)
        finally:
            # Powertools warns when there is nothing to write.
            if metrics.metric_set:
                metrics.flush_metrics()

    return invoke
