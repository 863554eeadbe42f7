"""Send failed messages back to where they came from.

Messages are sent before they are deleted. So an interruption may send up to ten messages twice, but never loses any.
"""

import base64
import json
import time
from collections.abc import Callable, Sequence
from typing import Any

from eventloom.operations.failure_queues import delete
from eventloom.operations.failures import Failure
from eventloom.operations.messages import send_messages
from eventloom.operations.stream_batches import NotRedriven, put_all, read_batch


class Redriver:
    """Sends failed messages back to the queue, function or stream that they came from."""

    def __init__(
        self, client: Callable[[str], Any], functions: dict[str, Any], sleep: Callable[[float], None] = time.sleep
    ) -> None:
        """Take a function that returns the boto3 client of a service, and the Terraform output `functions`."""
        self._client = client
        self._functions = functions
        self._sleep = sleep
        self._sources: dict[str, str] = {}

    def target(self, failure: Failure) -> str:
        """Return in words where a message goes. Raises NotRedriven if it cannot be sent."""
        if not failure.queue.function:
            return f"queue {self._source(failure).rsplit('/', 1)[1]}"
        if failure.batch and "KinesisBatchInfo" in failure.content:
            return f"stream {failure.batch['streamArn'].split('/', 1)[1]}"
        return f"function {failure.queue.function}"

    def redrive(self, failures: Sequence[Failure]) -> dict[str, str]:
        """Send up to 10 messages of a queue, then delete them. Returns the reasons of those that stay, by id."""
        if not failures[0].queue.function:
            return self._delete_others(failures, self._send(failures))
        left = dict[str, str]()
        for failure in failures:
            # The records of a batch must not be put into their stream twice. So each message is deleted immediately.
            try:
                self.hand_over(failure)
                left |= self._delete_others([failure], {})
            except NotRedriven as reason:
                left[failure.message_id] = str(reason)
        return left

    def _delete_others(self, failures: Sequence[Failure], left: dict[str, str]) -> dict[str, str]:
        """Delete the messages that are not in `left`. Returns `left` and the reasons of undeleted ones, by id."""
        gone = [failure for failure in failures if failure.message_id not in left]
        undeleted = delete(self._client("sqs"), failures[0].queue, gone) if gone else {}
        return left | {
            message_id: f"it was sent, but not deleted: {reason}" for message_id, reason in undeleted.items()
        }

    def source(self, failure: Failure) -> str:
        """Return the URL of a dead-letter queue's source queue. Raises NotRedriven if there is not exactly one."""
        return self._source(failure)

    def _send(self, failures: Sequence[Failure]) -> dict[str, str]:
        try:
            source = self._source(failures[0])
        except NotRedriven as reason:
            return {failure.message_id: str(reason) for failure in failures}
        refused = send_messages(self._client("sqs"), source, [failure.message for failure in failures])
        return {failures[number].message_id: f"SQS refused it: {reason}" for number, reason in refused.items()}

    def hand_over(self, failure: Failure) -> None:
        """Send a message of a failures queue to its function or stream. Raises NotRedriven if that fails."""
        if failure.batch and "KinesisBatchInfo" in failure.content:
            self._put_back(failure.batch)
        elif failure.batch:
            self._invoke_with_changes(failure)
        else:
            self._invoke(failure)

    def _source(self, failure: Failure) -> str:
        """Return the URL of the source queue, and cache it."""
        url = failure.queue.url
        if url not in self._sources:
            sources = self._client("sqs").list_dead_letter_source_queues(QueueUrl=url).get("queueUrls", [])
            if len(sources) != 1:
                raise NotRedriven(f"{failure.queue.name} is the dead-letter queue of {len(sources)} queues, not of one")
            self._sources[url] = sources[0]
        return self._sources[url]

    def _invoke(self, failure: Failure) -> None:
        """Invoke the function asynchronously, so that Lambda retries it and uses its failures queue again."""
        payload = json.dumps(asynchronous_event(failure)).encode()
        alias = self._functions[failure.queue.function]["alias_arn"]
        answer = self._client("lambda").invoke(FunctionName=alias, InvocationType="Event", Payload=payload)
        if answer["StatusCode"] != 202:
            raise NotRedriven(f"Lambda answered {answer['StatusCode']}")

    def _put_back(self, batch: dict[str, Any]) -> None:
        """Put records at the end of the stream, because a consumer skips records before its checkpoint."""
        kinesis, name = self._client("kinesis"), {"StreamARN": batch["streamArn"]}
        pages = read_batch(kinesis, name, batch, self._sleep)
        put_all(kinesis, name, [record for page in pages for record in page], self._sleep)

    def _invoke_with_changes(self, failure: Failure) -> None:
        """Invoke the function with the records, because only DynamoDB can write to a table's stream.

        Raises NotRedriven if the function does not process all records.
        """
        alias, arn = self._functions[failure.queue.function]["alias_arn"], failure.batch["streamArn"]
        for records in read_batch(self._client("dynamodbstreams"), {"StreamArn": arn}, failure.batch, self._sleep):
            event = {
                "Records": [record | {"eventSourceARN": arn} for record in records]
            }  # Lambda adds the ARN to each record.
            answer = self._client("lambda").invoke(
                FunctionName=alias, Payload=json.dumps(event, default=_json).encode()
            )
            result = json.loads(answer["Payload"].read() or b"null")
            if "FunctionError" in answer or (result or {}).get("batchItemFailures"):
                raise NotRedriven(f"{failure.queue.function} failed again: {json.dumps(result)[:300]}")


def asynchronous_event(failure: Failure) -> Any:
    """Return the event in a message of a failures queue. Raises NotRedriven if the message contains no event."""
    content = failure.content
    if "requestPayload" in content:
        return content["requestPayload"]
    if "detail-type" in content:  # EventBridge could not deliver the event.
        return content
    if content.get("Type") == "Notification":  # SNS could not deliver the message.
        return {"Records": [{"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": content}]}
    raise NotRedriven("it holds no event that can be sent again")


def event_text(failure: Failure) -> str:
    """Return the text that the consumer gets: the message's body, or for a function the event as JSON."""
    is_event = failure.queue.function and not failure.batch
    return json.dumps(asynchronous_event(failure)) if is_event else failure.body


def _json(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value.timestamp()
