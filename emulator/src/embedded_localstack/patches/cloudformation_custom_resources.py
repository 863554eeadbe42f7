"""Let CloudFormation call the functions of custom resources. LocalStack ignores such resources.

If all attempts of an asynchronous invocation fail, the resource fails at once. CloudFormation itself waits until the
timeout, which is an hour by default.
"""
# mypy: disable-error-code="import-not-found, untyped-decorator, misc"

import json
import logging
import secrets
import threading
import uuid
from collections.abc import Callable
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from localstack import config
from localstack.aws.api.cloudformation import StackStatus
from localstack.aws.connect import connect_to
from localstack.http import Request, Response
from localstack.services.cloudformation.resource_provider import (
    OperationStatus,
    ProgressEvent,
    ResourceProvider,
    ResourceProviderExecutor,
    ResourceRequest,
)

from embedded_localstack.custom_resources import (
    PATH,
    TYPES,
    Answer,
    CustomResourceError,
    Expected,
    Mailbox,
    read_answer,
    texts,
    timeout_s,
)

LOG = logging.getLogger(__name__)
# The model of a resource contains the Data of the response, which Fn::GetAtt reads, and these two entries.
PHYSICAL_ID, GIVEN = "__physical_id__", "__properties__"
ATTEMPTS = 3  # https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
LONGEST_FUNCTION_S = 900
_mailbox = Mailbox()


def install() -> None:
    """Serve the response URLs, and give CloudFormation a provider for custom resources."""
    from localstack.services.edge import ROUTER  # noqa: PLC0415 - only a running server has it
    from localstack.utils.patch import Patch  # noqa: PLC0415

    original = ResourceProviderExecutor.try_load_resource_provider

    def load(resource_type: str) -> Any:
        return CustomResource() if resource_type and TYPES.fullmatch(resource_type) else original(resource_type)

    Patch(ResourceProviderExecutor, original.__name__, staticmethod(load)).apply()
    ROUTER.add(f"{PATH}/<token>", _receive, methods=["PUT"])
    _read_attributes()
    _delete_replaced()
    _report_failures()


def _read_attributes() -> None:
    """Let Fn::GetAtt read names of Data that contain dots. LocalStack treats a dot as a nested level."""
    from localstack.services.cloudformation.engine.v2.change_set_model_preproc import (  # noqa: PLC0415
        ChangeSetModelPreproc,
    )
    from localstack.utils.patch import patch  # noqa: PLC0415

    @patch(ChangeSetModelPreproc._deployed_property_value_of)
    def attribute(
        original: Callable[..., Any],
        self: Any,
        resource_logical_id: str,
        property_name: str,
        resolved_resources: dict[str, Any],
    ) -> Any:
        node = self._change_set.update_model.node_template
        self._get_node_resource_for(resource_name=resource_logical_id, node_template=node)  # deploys it first
        model = (resolved_resources.get(resource_logical_id) or {}).get("Properties") or {}
        if PHYSICAL_ID not in model:
            return original(self, resource_logical_id, property_name, resolved_resources)
        if property_name not in model:
            raise CustomResourceError(
                f"CustomResource attribute error: Vendor response doesn't contain {property_name} attribute in object "
                f"{model[PHYSICAL_ID]}"
            )
        return model[property_name]


def _delete_replaced() -> None:
    """Delete a replaced resource in the cleanup phase after the update."""
    from localstack.services.cloudformation.engine.v2.change_set_model_executor import (  # noqa: PLC0415
        ChangeSetModelExecutor,
    )
    from localstack.utils.patch import patch  # noqa: PLC0415

    @patch(ChangeSetModelExecutor._execute_resource_action)
    def execute_action(original: Callable[..., Any], self: Any, *arguments: Any, **facts: Any) -> Any:
        event = original(self, *arguments, **facts)
        if replaced := event.custom_context.get("replaced"):
            self._defer_action(f"cleanup-from-replacement-{facts['logical_resource_id']}", replaced)
        return event


def _report_failures() -> None:
    """Fail a stack if its outputs fail, and report the reason.

    LocalStack's CreateStack checks only the resources. It also sets the outputs after the status, so a waiter may see a
    complete stack without outputs.
    """
    from localstack.services.cloudformation.engine.v2.change_set_model_executor import (  # noqa: PLC0415
        ChangeSetModelExecutor,
    )
    from localstack.services.cloudformation.v2.entities import Stack  # noqa: PLC0415
    from localstack.utils.patch import patch  # noqa: PLC0415

    @patch(ChangeSetModelExecutor.execute)
    def execute(original: Callable[..., Any], self: Any) -> Any:
        result, stack = original(self), self._change_set.stack
        if not result.failure_message:
            stack.resolved_outputs = result.outputs
        stack.status_reason = stack.failure = result.failure_message
        return result

    @patch(Stack.set_stack_status)
    def set_stack_status(original: Callable[..., Any], self: Any, status: str, reason: str | None = None) -> Any:
        if status == StackStatus.CREATE_COMPLETE and (failure := getattr(self, "failure", None)):
            return original(self, StackStatus.CREATE_FAILED, failure)
        return original(self, status, reason)


def _receive(request: Request, token: str) -> Response:
    """Receive the response of a custom resource. S3, which receives it on AWS, answers with an empty body."""
    return Response(status=200 if _mailbox.deliver(token, request.get_data()) else 403)


class CustomResource(ResourceProvider):
    """The provider of all custom resources."""

    TYPE = "AWS::CloudFormation::CustomResource"
    SCHEMA = {"primaryIdentifier": [f"/properties/{PHYSICAL_ID}"]}  # noqa: RUF012 - LocalStack's name for it

    def create(self, request: ResourceRequest) -> ProgressEvent:
        """Call the function, and wait for its answer."""
        given = texts(dict(request.desired_state))
        try:
            answer = _ask("Create", request, given)
        except CustomResourceError as error:
            # CloudFormation generates an id, and uses it to delete a partly created resource.
            made_up = f"{request.stack_name}-{request.logical_resource_id}-{secrets.token_hex(6).upper()}"
            return _failed(error, {PHYSICAL_ID: made_up, GIVEN: given})
        return _done(answer, given)

    def update(self, request: ResourceRequest) -> ProgressEvent:
        """Call the function. If it returns another id, the resource with the old id is deleted after the update."""
        previous, given = dict(request.previous_state or {}), texts(dict(request.desired_state))
        old_id, old = previous.get(PHYSICAL_ID, ""), previous.get(GIVEN, {})
        try:
            answer = _ask("Update", request, given, PhysicalResourceId=old_id, OldResourceProperties=old)
        except CustomResourceError as error:
            return _failed(error, previous)
        event = _done(answer, given)
        if answer.physical_id != old_id:
            event.custom_context = {"replaced": lambda: self._delete_replaced(request, old_id, old)}
        return event

    def delete(self, request: ResourceRequest) -> ProgressEvent:
        """Call the function with the current properties of the resource."""
        previous = dict(request.previous_state or {})
        if PHYSICAL_ID not in previous:
            return ProgressEvent(OperationStatus.SUCCESS, resource_model={})  # it was never created
        try:
            _ask("Delete", request, previous[GIVEN], PhysicalResourceId=previous[PHYSICAL_ID])
        except CustomResourceError as error:
            return _failed(error, previous)
        return ProgressEvent(OperationStatus.SUCCESS, resource_model={})

    def _delete_replaced(self, request: ResourceRequest, physical_id: str, given: dict[str, Any]) -> None:
        try:
            _ask("Delete", request, given, PhysicalResourceId=physical_id)
        except CustomResourceError as error:
            LOG.warning("%s: %s was replaced, and not deleted: %s", request.logical_resource_id, physical_id, error)


def _done(answer: Answer, given: dict[str, Any]) -> ProgressEvent:
    model = answer.data | {PHYSICAL_ID: answer.physical_id, GIVEN: given}
    return ProgressEvent(OperationStatus.SUCCESS, resource_model=model)


def _failed(error: CustomResourceError, model: dict[str, Any]) -> ProgressEvent:
    return ProgressEvent(OperationStatus.FAILED, resource_model=model, message=str(error))


def _ask(request_type: str, request: ResourceRequest, given: dict[str, Any], **facts: Any) -> Answer:
    """Send a request to the function or the topic of a resource, and return the answer."""
    service_token = given.get("ServiceToken")
    if not isinstance(service_token, str) or not service_token.startswith("arn:"):
        raise CustomResourceError(
            f"ServiceToken of {request.logical_resource_id} is not the ARN of a function or topic"
        )
    seconds, request_id = timeout_s(given), str(uuid.uuid4())
    expected = _mailbox.expect()
    # The URL has the loopback address, because a function cannot resolve domain names without a network. The
    # certificate contains this address.
    url = f"https://127.0.0.1:{config.GATEWAY_LISTEN[0].port}{PATH}/{expected.token}"
    message = {
        "RequestType": request_type,
        "ServiceToken": service_token,
        "ResponseURL": url,
        "StackId": request.stack_id,
        "RequestId": request_id,
        "LogicalResourceId": request.logical_resource_id,
        "ResourceType": request.resource_type,
        "ResourceProperties": given,
        **facts,
    }
    LOG.info("%s %s (%s) asks %s", request_type, request.logical_resource_id, request.resource_type, service_token)
    _send(service_token, request, message, expected)
    body = expected.wait(seconds)
    return read_answer(body, request_id, request.logical_resource_id, facts.get("PhysicalResourceId", ""))


def _send(service_token: str, request: ResourceRequest, message: dict[str, Any], expected: Expected) -> None:
    text, service = json.dumps(message), service_token.split(":")[2]
    region = service_token.split(":")[3] or request.region_name
    if service == "sns":
        try:
            connect_to(region_name=region).sns.publish(
                TopicArn=service_token, Subject="AWS CloudFormation custom resource request", Message=text
            )
        except (BotoCoreError, ClientError) as error:
            raise CustomResourceError(f"the topic {service_token} took no request: {error}") from error
    elif service == "lambda":
        threading.Thread(target=_invoke, args=(service_token, region, text, expected), daemon=True).start()
    else:
        raise CustomResourceError(f"ServiceToken {service_token} is neither a function nor a topic")


def _invoke(function: str, region: str, text: str, expected: Expected) -> None:
    """Invoke the function, and repeat failed invocations as Lambda does for asynchronous invocations."""
    patient = Config(read_timeout=LONGEST_FUNCTION_S + 60, retries={"total_max_attempts": 1})
    reason = ""
    for _ in range(ATTEMPTS):
        try:
            answer = connect_to(region_name=region, config=patient).lambda_.invoke(FunctionName=function, Payload=text)
        except (BotoCoreError, ClientError) as error:
            expected.fail(f"the function {function} could not be invoked: {error}")
            return
        payload = answer["Payload"].read().decode(errors="replace")
        if "FunctionError" not in answer:
            return
        reason = payload[:1000]
    expected.fail(f"the function {function} failed {ATTEMPTS} times, and sent no response: {reason}")
