"""Provide an environment with failed messages: moto's queues, and a Lambda client that records its invocations."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
from click.testing import Result

from eventloom.operations import failure_queues
from eventloom.operations.failures import FailureQueue
from tests.unit.eventloom.operations import support

FUNCTIONS = {
    "converter": {
        "function_name": "p-converter",
        "alias_arn": "arn:converter:live",
        "log_group": "/aws/lambda/p-converter",
    }
}
ON_FAILURE = {
    "version": "1.0",
    "requestContext": {"functionArn": "arn", "condition": "RetriesExhausted", "approximateInvokeCount": 3},
    "requestPayload": {"Records": [{"s3": {"bucket": {"name": "raw"}, "object": {"key": "a.csv"}}}]},
    "responsePayload": {"errorType": "ValueError", "errorMessage": "no such column"},
}
OUTPUTS = {
    "prefix": "p",
    "functions": FUNCTIONS,
    "uploads_bucket": "uploads",
    "raw_bucket": "raw",
    "analytics_bucket": "analytics",
    "catalog_table": "catalog",
}


class FailingCloud:
    """Two queues of failures: the dead-letter queue of p-uploads, and the failures queue of the converter."""

    def __init__(self, folder: Path) -> None:
        self.sqs: Any = boto3.client("sqs", region_name="us-east-1")
        self.s3: Any = boto3.client("s3", region_name="us-east-1")
        self.items: list[dict[str, Any]] = []
        self.dynamodb = SimpleNamespace(batch_get_item=lambda **_: {"Responses": {"catalog": self.items}})
        self.invocations: list[dict[str, Any]] = []
        self.dlq_url = self.sqs.create_queue(QueueName="p-uploads-dlq")["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=self.dlq_url, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]
        redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 5})
        self.url = self.sqs.create_queue(QueueName="p-uploads", Attributes={"RedrivePolicy": redrive})["QueueUrl"]
        self.failures_url = self.sqs.create_queue(QueueName="p-converter-failures")["QueueUrl"]
        self.lambda_ = SimpleNamespace(
            invoke=self._invoke, list_event_source_mappings=lambda **_: {"EventSourceMappings": []}
        )
        self.target = support.make_target(folder, OUTPUTS | {"uploads_queue_url": self.url}, self.client)

    def _invoke(self, **request: Any) -> dict[str, Any]:
        self.invocations.append(request)
        return {"StatusCode": 202}

    def client(self, service: str) -> Any:
        return {"sqs": self.sqs, "s3": self.s3, "lambda": self.lambda_, "dynamodb": self.dynamodb}[service]

    def send(self, url: str, *bodies: Any, attributes: dict[str, Any] | None = None) -> list[str]:
        """Send messages and return their ids."""
        texts = [body if isinstance(body, str) else json.dumps(body) for body in bodies]
        return [
            self.sqs.send_message(QueueUrl=url, MessageBody=text, MessageAttributes=attributes or {})["MessageId"]
            for text in texts
        ]

    def bodies(self, url: str) -> list[str]:
        """Return the bodies of the messages that are visible in a queue, and hide them."""
        return [
            failure.body for batch in failure_queues.receive(self.sqs, FailureQueue("q", url), 0) for failure in batch
        ]

    def attributes(self, url: str) -> dict[str, Any]:
        """Return the attributes of the only message in a queue."""
        ((failure,),) = failure_queues.receive(self.sqs, FailureQueue("q", url), 0)
        return failure.attributes

    def count(self, url: str) -> int:
        """Return the number of messages in a queue, including hidden ones."""
        depth = failure_queues.depth(self.sqs, FailureQueue("q", url))
        return depth.waiting + depth.hidden

    def override_sqs(self, **operations: Any) -> None:
        """Replace operations of SQS for the commands."""
        self.sqs = support.Override(self.sqs, **operations)

    def run(self, *arguments: str, answer: str | None = None, can_ask: bool = False) -> Result:
        """Run ./eventloom with these arguments."""
        return support.run(replace(self.target, can_ask=can_ask), *arguments, answer=answer)
