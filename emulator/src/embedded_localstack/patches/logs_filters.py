"""Apply filter patterns in FilterLogEvents, subscription filters and metric filters, and answer TestMetricFilter.

LocalStack's matcher accepts every event. Its metric filters count the events of all log groups. A second subscription
filter receives only the events that match the first one.
"""
# mypy: disable-error-code="import-not-found"

import base64
import gzip
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from embedded_localstack.log_patterns import InvalidPattern, metrics, parse
from embedded_localstack.patches.cloudwatch_metrics import store

LOG = logging.getLogger(__name__)
_MINUTE_MS = 60_000
_defaults: dict[tuple[str, ...], int] = {}
"""The last minute for which each metric filter has stored its default value."""


def matcher(pattern: str) -> Callable[[str, Mapping[str, Any]], bool]:
    """Return a function that decides whether an event matches, as LocalStack's get_pattern_matcher does."""
    parsed = parse(pattern)
    return lambda _pattern, event: parsed.match(event["message"]) is not None


def checked(operation: str) -> Callable[..., Any]:
    """Return a provider method for an operation. It refuses invalid patterns before it calls moto."""

    def call(_self: Any, context: Any, filter_pattern: str | None = None, **request: Any) -> Any:
        from localstack.aws.api.logs import InvalidParameterException  # noqa: PLC0415 - only a running server has it
        from localstack.services.moto import call_moto  # noqa: PLC0415

        try:
            parse(filter_pattern or "")
            for transformation in request.get("metric_transformations") or []:
                metrics.check(transformation)
        except InvalidPattern as error:
            raise InvalidParameterException(str(error)) from error
        if operation == "put_metric_filter":
            _remove_metric_filter(context, request["log_group_name"], request["filter_name"])
        return call_moto(context)

    return call


def _remove_metric_filter(context: Any, group: str, name: str) -> None:
    """Remove the filter that a new filter of the same name replaces. moto would keep both.

    Raises:
        ResourceNotFoundException: the log group does not exist.
    """
    from localstack.aws.api.logs import ResourceNotFoundException  # noqa: PLC0415
    from localstack.services.logs.models import get_moto_logs_backend  # noqa: PLC0415

    backend = get_moto_logs_backend(context.account_id, context.region)
    if group not in backend.groups:
        raise ResourceNotFoundException("The specified log group does not exist.")
    backend.delete_metric_filter(name, group)


def matches_of_test(
    _self: Any, filter_pattern: str, log_event_messages: Sequence[str], **_options: Any
) -> dict[str, Any]:
    """Answer TestMetricFilter."""
    from localstack.aws.api.logs import InvalidParameterException  # noqa: PLC0415

    try:
        pattern = parse(filter_pattern)
    except InvalidPattern as error:
        raise InvalidParameterException(str(error)) from error
    matches = ((number, text, pattern.match(text)) for number, text in enumerate(log_event_messages, 1))
    return {
        "matches": [
            {"eventNumber": number, "eventMessage": text, "extractedValues": match.extracted}
            for number, text, match in matches
            if match
        ]
    }


def put_log_events(
    _self: Any, context: Any, log_group_name: str, log_events: Sequence[Mapping[str, Any]], **_options: Any
) -> Any:
    """Store events, and then the data points of the log group's metric filters."""
    from localstack.services.logs.models import get_moto_logs_backend  # noqa: PLC0415
    from localstack.services.moto import call_moto  # noqa: PLC0415

    answer = call_moto(context)
    events = [(event["timestamp"], event["message"]) for event in log_events]
    backend = get_moto_logs_backend(context.account_id, context.region)
    for metric_filter in backend.filters.get_matching_filters(log_group_name=log_group_name):
        for transformation in metric_filter["metricTransformations"]:
            owner = (context.account_id, context.region, log_group_name, metric_filter["filterName"])
            points = data_points(owner, metric_filter["filterPattern"], transformation, events)
            if points:
                store(context.account_id, context.region, transformation["metricNamespace"], points)
    return answer


def data_points(
    owner: tuple[str, ...], pattern: str, transformation: Mapping[str, Any], events: Sequence[tuple[int, str]]
) -> list[dict[str, Any]]:
    """Return the data points of events. If no event matches, return the default value, at most once a minute.

    A restored state can contain an invalid pattern, because LocalStack accepts every pattern. It makes no data point.
    """
    try:
        matches, points = metrics.points(parse(pattern), transformation, events)
    except InvalidPattern as error:
        LOG.warning("the metric filter %s is not applied: %s", owner[-1], error)
        return []
    default = transformation.get("defaultValue")
    if not matches and events and default is not None:
        time_ms = events[-1][0]
        if _defaults.get(owner) != time_ms // _MINUTE_MS:
            _defaults[owner] = time_ms // _MINUTE_MS
            points = [metrics.point(transformation, time_ms, float(default))]
    return [point | {"Timestamp": datetime.fromtimestamp(point["Timestamp"], UTC)} for point in points]


def put_events_in_stream(stream: Any, log_events: list[Any]) -> str:
    """Store events in a stream of moto, and send those that match to each subscription filter's destination."""
    from moto.core.utils import unix_time_millis  # noqa: PLC0415
    from moto.logs.models import LogEvent  # noqa: PLC0415

    stream.last_ingestion_time = int(unix_time_millis())
    stream.stored_bytes += sum(len(event["message"]) for event in log_events)
    events = [LogEvent(stream.last_ingestion_time, event) for event in log_events]
    stream.events += events
    stream.upload_sequence_token += 1
    for subscription in list(stream.log_group.subscription_filters.values()):
        try:
            pattern = parse(subscription.filter_pattern or "")
            if matches := [event for event in events if pattern.match(event.message)]:
                deliver(stream, subscription, matches)
        except Exception as error:  # as on AWS, the events are stored even if their delivery fails
            destination = subscription.destination_arn
            LOG.warning("events of %s were not delivered to %s: %s", stream.log_group.name, destination, error)
    return f"{stream.upload_sequence_token:056d}"


def record(stream: Any, subscription: Any, events: Sequence[Any]) -> bytes:
    """Return the compressed record that a destination receives.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html
    """
    content = {
        "messageType": "DATA_MESSAGE",
        "owner": stream.account_id,
        "logGroup": stream.log_group.name,
        "logStream": stream.log_stream_name,
        "subscriptionFilters": [subscription.name],
        "logEvents": [
            {"id": str(event.event_id), "timestamp": event.timestamp, "message": event.message} for event in events
        ],
    }
    return gzip.compress(json.dumps(content, separators=(",", ":")).encode())


def deliver(stream: Any, subscription: Any, events: Sequence[Any]) -> None:
    """Send events to a function, a stream or a Firehose stream, with the filter's role or as CloudWatch Logs."""
    from localstack.aws.connect import connect_to  # noqa: PLC0415
    from localstack.utils.aws import arns  # noqa: PLC0415
    from localstack.utils.aws.client_types import ServicePrincipal  # noqa: PLC0415

    arn, group = subscription.destination_arn, stream.log_group.name
    place = arns.parse_arn(arn)
    if subscription.role_arn:
        clients = connect_to.with_assumed_role(
            role_arn=subscription.role_arn, service_principal=ServicePrincipal.logs, region_name=place["region"]
        )
    else:
        clients = connect_to(aws_access_key_id=place["account"], region_name=place["region"])
    caller = {
        "source_arn": arns.log_group_arn(group, stream.account_id, stream.region),
        "service_principal": ServicePrincipal.logs,
    }
    data = record(stream, subscription, events)
    if place["service"] == "lambda":
        payload = json.dumps({"awslogs": {"data": base64.b64encode(data).decode()}})
        clients.lambda_.request_metadata(**caller).invoke(FunctionName=arn, Payload=payload, InvocationType="Event")
    elif place["service"] == "kinesis":
        client = clients.kinesis.request_metadata(**caller)
        client.put_record(StreamName=arns.kinesis_stream_name(arn), Data=data, PartitionKey=group)
    else:
        client = clients.firehose.request_metadata(**caller)
        client.put_record(DeliveryStreamName=arns.firehose_name(arn), Record={"Data": data})


def install() -> None:
    """Set the matcher and the operations that use patterns."""
    from localstack.services.logs import provider  # noqa: PLC0415
    from localstack.utils.patch import Patch  # noqa: PLC0415
    from moto.logs.models import LogStream  # noqa: PLC0415

    Patch.function(provider.get_pattern_matcher, lambda _original, pattern: matcher(pattern)).apply()
    for operation in ("filter_log_events", "put_metric_filter", "put_subscription_filter"):
        Patch(provider.LogsProvider, operation, checked(operation)).apply()
    Patch(provider.LogsProvider, "test_metric_filter", matches_of_test).apply()
    Patch(provider.LogsProvider, "put_log_events", put_log_events).apply()
    Patch(LogStream, "put_log_events", put_events_in_stream).apply()
