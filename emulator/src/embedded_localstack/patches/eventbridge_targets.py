"""Let EventBridge start state machines with any input, and log each target that fails.

LocalStack 4.14 names an execution after the id in the input, which is missing if the target transforms its input. It
logs a failed target at level INFO, which the server's log does not show.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
"""
# mypy: disable-error-code="import-not-found, untyped-decorator"

import logging
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

LOG = logging.getLogger(__name__)
# The id of the event that is being delivered, from before the target transforms the input.
_event_id: ContextVar[str] = ContextVar("event_id")


def install() -> None:
    """Remember the id of each event on its way to a target."""
    # Only a running server can import these modules.
    from localstack.services.events.target import StatesTargetSender, TargetSender  # noqa: PLC0415
    from localstack.services.events.utils import to_json_str  # noqa: PLC0415
    from localstack.utils.patch import patch  # noqa: PLC0415

    @patch(TargetSender.process_event)
    def process_event(original: Callable[..., None], self: Any, event: dict[str, Any], trace_header: Any) -> None:
        token = _event_id.set(event.get("id") or str(uuid.uuid4()))
        try:
            original(self, event, trace_header)
        except Exception as error:
            LOG.warning("rule %s: target %s did not get an event: %s", self.rule_name, self.target["Arn"], error)
            raise
        finally:
            _event_id.reset(token)

    @patch(StatesTargetSender.send_event)
    def send_event(_original: Callable[..., None], self: Any, event: Any, _trace_header: Any) -> None:
        self.service = "stepfunctions"
        arn = self.target["Arn"]
        self.client.start_execution(stateMachineArn=arn, name=_event_id.get(), input=to_json_str(event))
