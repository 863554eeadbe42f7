"""CloudWatch alarm actions: made in the name of CloudWatch and the alarm, and on the alias that is named.

LocalStack calls topics and functions in nobody's name, so no policy would be asked, drops the qualifier of a function, and waits
for the function while it holds the lock that its calls to CloudWatch need.
"""
# mypy: disable-error-code="import-not-found"

import contextvars
import logging
from collections.abc import Callable
from typing import Any

LOG = logging.getLogger(__name__)
_alarm: contextvars.ContextVar[str | None] = contextvars.ContextVar("alarm", default=None)


class Clients:
    """`connect_to(...)` of an alarm action: the services that an alarm may call know who calls."""

    def __init__(self, clients: Any, alarm_arn: str) -> None:
        self._clients, self._alarm = clients, alarm_arn

    @property
    def sns(self) -> "Action":
        """Topics."""
        client = self._clients.sns.request_metadata(service_principal="cloudwatch", source_arn=self._alarm)
        return Action(self._alarm, client.publish)

    @property
    def lambda_(self) -> "Action":
        """Functions."""
        client = self._clients.lambda_.request_metadata(service_principal="lambda.alarms.cloudwatch", source_arn=self._alarm)
        return Action(self._alarm, lambda **request: client.invoke(InvocationType="Event", **request))


class Action:
    """A call whose failure is the alarm's own affair: who changed its state is not told."""

    def __init__(self, alarm_arn: str, call: Callable[..., Any]) -> None:
        self._alarm, self._call = alarm_arn, call

    def invoke(self, **request: Any) -> None:
        """Call it."""
        try:
            self._call(**request)
        except Exception as error:
            LOG.warning("action of %s failed: %s", self._alarm, error)

    publish = invoke


def install() -> None:
    """Name the caller of the actions of metric alarms and of composite ones."""
    from localstack.services.cloudwatch import provider_v2 as module  # noqa: PLC0415 - only a running server has it

    original_connect = module.connect_to
    provider = module.CloudwatchProvider
    original_set, original_composite = provider.set_alarm_state, provider._run_composite_alarm_actions

    def connect_to(*args: Any, **kwargs: Any) -> Any:
        clients = original_connect(*args, **kwargs)
        alarm = _alarm.get()
        return Clients(clients, alarm) if alarm else clients

    def set_alarm_state(self: Any, context: Any, alarm_name: str, *args: Any, **kwargs: Any) -> Any:
        arn = f"arn:aws:cloudwatch:{context.region}:{context.account_id}:alarm:{alarm_name}"
        token = _alarm.set(arn)
        try:
            return original_set(self, context, alarm_name, *args, **kwargs)
        finally:
            _alarm.reset(token)

    def run_composite(self: Any, context: Any, composite_alarm: Any, *args: Any, **kwargs: Any) -> Any:
        token = _alarm.set(composite_alarm.alarm["AlarmArn"])
        try:
            return original_composite(self, context, composite_alarm, *args, **kwargs)
        finally:
            _alarm.reset(token)

    module.connect_to, module.lambda_function_name = connect_to, lambda action: action
    provider.set_alarm_state, provider._run_composite_alarm_actions = set_alarm_state, run_composite
