"""Store the metrics of a stage, and write its access log.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html
"""
# mypy: disable-error-code="import-not-found, import-untyped"

import logging
import time
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from localstack.aws.connect import connect_to

from embedded_localstack.http_apis.access_logs import Result, line
from embedded_localstack.patches.cloudwatch_metrics import store

LOG = logging.getLogger(__name__)


def record(stage: Any, result: Result, milliseconds: float) -> None:
    """Store the metrics of a request, and add a line to the access log of its stage if the stage has one."""
    invocation, status = result.invocation, result.answer.status
    values = {
        "Count": 1,
        "4xx": int(400 <= status <= 499),
        "5xx": int(status >= 500),
        "Latency": milliseconds,
        "DataProcessed": len(invocation.request.body) + len(result.answer.body),
    }
    units = {"Latency": "Milliseconds", "DataProcessed": "Bytes"}
    api = [{"Name": "ApiId", "Value": invocation.api_id}]
    metrics = [
        {"MetricName": name, "Value": value, "Unit": units.get(name, "Count"), "Dimensions": dimensions}
        for dimensions in (api, [*api, {"Name": "Stage", "Value": invocation.stage}])
        for name, value in values.items()
    ]
    store(invocation.account, invocation.region, "AWS/ApiGateway", metrics)
    if settings := stage.access_log_settings:
        _log(settings, result, milliseconds)


def _log(settings: Mapping[str, Any], result: Result, milliseconds: float) -> None:
    """Add a line to a log group. A failure is only logged, because the request is already answered."""
    invocation = result.invocation
    group = str(settings["destinationArn"]).partition(":log-group:")[2].removesuffix(":*")
    stream = f"{invocation.api_id}-{invocation.stage}".replace("$", "")
    logs = connect_to(aws_access_key_id=invocation.account, region_name=invocation.region).logs
    event = {"timestamp": int(time.time() * 1000), "message": line(str(settings["format"]), result, milliseconds)}
    entry = {"logGroupName": group, "logStreamName": stream, "logEvents": [event]}
    try:
        try:
            logs.put_log_events(**entry)
        except logs.exceptions.ResourceNotFoundException:
            logs.create_log_stream(logGroupName=group, logStreamName=stream)
            logs.put_log_events(**entry)
    except (ClientError, BotoCoreError) as error:
        LOG.warning("the access log of %s can't be written to %s: %s", invocation.api_id, group, error)
