"""Run alarm actions as CloudWatch on behalf of the alarm, invoke the configured alias, and keep the tags of alarms.

LocalStack calls topics and functions without a principal, so no policy would be evaluated. It drops the qualifier of a
function. It waits for the function while it holds a lock, and the function's own calls to CloudWatch need that lock. It
loses the tags in the request that creates an alarm.
"""
# mypy: disable-error-code="import-not-found, untyped-decorator"

import contextvars
import logging
from collections.abc import Callable, Mapping
from typing import Any

LOG = logging.getLogger(__name__)
_alarm: contextvars.ContextVar[str | None] = contextvars.ContextVar("alarm", default=None)


class Clients:
    """The clients of an alarm action. Their requests name CloudWatch as the caller and the alarm as the source."""

    def __init__(self, clients: Any, alarm_arn: str) -> None:
        self._clients, self._alarm = clients, alarm_arn

    @property
    def sns(self) -> "Action":
        """The client that publishes to topics."""
        client = self._clients.sns.request_metadata(service_principal="cloudwatch", source_arn=self._alarm)
        return Action(self._alarm, client.publish)

    @property
    def lambda_(self) -> "Action":
        """The client that invokes functions."""
        client = self._clients.lambda_.request_metadata(
            service_principal="lambda.alarms.cloudwatch", source_arn=self._alarm
        )
        return Action(self._alarm, lambda **request: client.invoke(InvocationType="Event", **request))


class Action:
    """A call whose failure is logged instead of raised, because it must not fail the change of the alarm's state."""

    def __init__(self, alarm_arn: str, call: Callable[..., Any]) -> None:
        self._alarm, self._call = alarm_arn, call

    def invoke(self, **request: Any) -> None:
        """Make the call, and log a failure."""
        try:
            self._call(**request)
        except Exception as error:
            LOG.warning("action of %s failed: %s", self._alarm, error)

    publish = invoke


def install() -> None:
    """Set the caller in the actions of metric and composite alarms, and keep the tags of alarms."""
    from localstack.services.cloudwatch import provider_v2 as module  # noqa: PLC0415 - only a running server has it
    from localstack.utils.patch import Patch, patch  # noqa: PLC0415

    original_connect = module.connect_to
    provider = module.CloudwatchProvider

    def connect_to(*args: Any, **kwargs: Any) -> Any:
        clients = original_connect(*args, **kwargs)
        alarm = _alarm.get()
        return Clients(clients, alarm) if alarm else clients

    Patch(module, "connect_to", connect_to).apply()
    Patch(module, "lambda_function_name", lambda action: action).apply()

    @patch(provider.set_alarm_state)
    def set_alarm_state(
        original: Callable[..., Any], self: Any, context: Any, alarm_name: str, *args: Any, **kwargs: Any
    ) -> Any:
        token = _alarm.set(alarm_arn(context, alarm_name))
        try:
            return original(self, context, alarm_name, *args, **kwargs)
        finally:
            _alarm.reset(token)

    @patch(provider._run_composite_alarm_actions)
    def run_composite(
        original: Callable[..., Any], self: Any, context: Any, composite_alarm: Any, *args: Any, **kwargs: Any
    ) -> Any:
        token = _alarm.set(composite_alarm.alarm["AlarmArn"])
        try:
            return original(self, context, composite_alarm, *args, **kwargs)
        finally:
            _alarm.reset(token)

    _keep_tags(provider)


def alarm_arn(context: Any, name: str) -> str:
    """Return the ARN of an alarm in the caller's account and region."""
    return f"arn:aws:cloudwatch:{context.region}:{context.account_id}:alarm:{name}"


def _keep_tags(provider: Any) -> None:
    """Keep the tags of the request that creates an alarm until the alarm is deleted.

    Tags in a request that changes an alarm are ignored, as on AWS:
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    """
    from localstack.utils.patch import patch  # noqa: PLC0415

    def make(original: Callable[..., Any], self: Any, context: Any, request: Mapping[str, Any]) -> None:
        arn = alarm_arn(context, request["AlarmName"])
        store = self.get_store(context.account_id, context.region)
        is_new = arn not in store.alarms
        original(self, context, request)
        if is_new and request.get("Tags"):
            store.TAGS.tag_resource(arn, request["Tags"])

    patch(provider.put_metric_alarm)(make)
    patch(provider.put_composite_alarm)(make)

    @patch(provider.delete_alarms)
    def delete_alarms(
        original: Callable[..., Any], self: Any, context: Any, alarm_names: list[str], **kwargs: Any
    ) -> None:
        original(self, context, alarm_names, **kwargs)
        tags = self.get_store(context.account_id, context.region).TAGS
        for name in alarm_names:
            tags.tags.pop(alarm_arn(context, name), None)
