"""Receive and check the responses of CloudFormation custom resources.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requests.html,
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html

CloudFormation passes a response URL to the function and waits for a response there. The function may end long before
that. For example, CDK's provider framework lets a state machine respond.
"""

import json
import re
import secrets
import threading
from dataclasses import dataclass, field
from typing import Any

TYPES = re.compile(r"Custom::[\w@-]+|AWS::CloudFormation::CustomResource")
PATH = "/_embedded/custom-resources"
MOST_ANSWER_BYTES = 4096
# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-customresource.html
DEFAULT_TIMEOUT_S, MOST_TIMEOUT_S = 3600, 3600


class CustomResourceError(Exception):
    """A custom resource that failed. The message is the reason of the failure."""


@dataclass(frozen=True)
class Answer:
    """The response of a custom resource that succeeded."""

    physical_id: str
    data: dict[str, Any]


@dataclass
class Mailbox:
    """The response URLs that wait for a response. Each one contains a secret and accepts one response."""

    _expected: dict[str, "Expected"] = field(default_factory=dict)

    def expect(self) -> "Expected":
        """Return a new response URL. Call `forget` when its response is no longer needed."""
        expected = Expected(self, secrets.token_hex(24))
        self._expected[expected.token] = expected
        return expected

    def deliver(self, token: str, body: bytes) -> bool:
        """Deliver a response, and return whether its URL waits for one."""
        expected = self._expected.pop(token, None)
        if expected is None:
            return False
        expected.settle(body)
        return True

    def forget(self, token: str) -> None:
        """Stop accepting a response for a token."""
        self._expected.pop(token, None)


class Expected:
    """One response URL, and the response that arrives there."""

    def __init__(self, mailbox: Mailbox, token: str) -> None:
        self.token = token
        self._mailbox, self._arrived = mailbox, threading.Event()
        self._body, self._failure = b"", ""

    def settle(self, body: bytes) -> None:
        """Store the response."""
        self._body = body
        self._arrived.set()

    def fail(self, reason: str) -> None:
        """Record that no response will come, unless one has arrived."""
        if not self._arrived.is_set():
            self._failure = reason
            self._arrived.set()

    def wait(self, seconds: float) -> bytes:
        """Return the response.

        Raises:
            CustomResourceError: no response arrived within `seconds`, or none will come.
        """
        arrived = self._arrived.wait(seconds)
        self._mailbox.forget(self.token)
        if not arrived:
            raise CustomResourceError(
                f"CloudFormation did not receive a response from your Custom Resource within {seconds:.0f} s; see the "
                "function's log for the RequestId, and whether it sent its answer to ResponseURL"
            )
        if self._failure:
            raise CustomResourceError(self._failure)
        return self._body


def texts(value: Any) -> Any:
    """Return properties in the form that CloudFormation sends, with numbers and Booleans as strings."""
    match value:
        case dict():
            return {name: texts(each) for name, each in value.items()}
        case list():
            return [texts(each) for each in value]
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
    return value


def timeout_s(properties: dict[str, Any]) -> int:
    """Return the time in seconds that a resource may take.

    Raises:
        CustomResourceError: ServiceTimeout is not a number from 1 to 3600.
    """
    text = str(properties.get("ServiceTimeout", DEFAULT_TIMEOUT_S))
    if not text.isdecimal() or not 1 <= int(text) <= MOST_TIMEOUT_S:
        raise CustomResourceError(f"ServiceTimeout is {text}; set it to a number of seconds from 1 to {MOST_TIMEOUT_S}")
    return int(text)


def read_answer(body: bytes, request_id: str, logical_id: str, physical_id: str) -> Answer:
    """Return the response that a body contains.

    Args:
        body: the body that was sent to the response URL.
        request_id: the id of the request that it answers.
        logical_id: the name of the resource in the template.
        physical_id: the current id of the resource, or an empty string.

    Raises:
        CustomResourceError: the response reports a failure or is invalid.
    """
    if len(body) > MOST_ANSWER_BYTES:
        raise CustomResourceError(f"Response object is too long: {len(body)} bytes, of at most {MOST_ANSWER_BYTES}")
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise CustomResourceError("Invalid response: the body at ResponseURL is not a JSON object")
    status = answer.get("Status")
    if status == "FAILED":
        reason = answer.get("Reason") or "no reason was given"
        raise CustomResourceError(
            f"Received response status [FAILED] from custom resource. Message returned: {reason} "
            f"(RequestId: {request_id})"
        )
    if status != "SUCCESS":
        raise CustomResourceError(f"Invalid response: Status is {status!r}, neither SUCCESS nor FAILED")
    named = answer.get("PhysicalResourceId") or physical_id
    if not isinstance(named, str) or not named:
        raise CustomResourceError(f"Invalid PhysicalResourceId: the response for {logical_id} has none")
    data = answer.get("Data") or {}
    if not isinstance(data, dict):
        raise CustomResourceError("Invalid response: Data is not a JSON object")
    return Answer(named, texts(data))
