"""Trying failures again. Each is handed over before it is deleted: an interruption may repeat one, and never loses one."""

import base64
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from eventloom.operations.failure_queues import Failure, delete
from eventloom.operations.messages import send_batch
from eventloom.operations.stream_batches import NotRedriven, put_all, read_batch


class Redriver:
    """Hands failures back to where they came from: a queue, a function, or a stream."""

    def __init__(self, client: Any, functions: dict[str, Any], sleep: Callable[[float], None] = time.sleep) -> None:
        """`client` makes low-level clients by the service's name; `functions` is the Terraform output; `sleep` is for tests."""
        self._client = client
        self._functions = functions
        self._sleep = sleep
        self._sources: dict[str, str] = {}

    def target(self, failure: Failure) -> str:
        """Where it would go, in words. Raises NotRedriven."""
        if not failure.queue.function:
            return f"queue {self._source(failure).rsplit('/', 1)[1]}"
        if failure.batch and "KinesisBatchInfo" in failure.content:
            return f"stream {failure.batch['streamArn'].split('/', 1)[1]}"
        return f"function {failure.queue.function}"

    def redrive(self, failure: Failure) -> None:
        """Hand over, then delete. Raises NotRedriven."""
        self.hand_over(failure)
        delete(self._client("sqs"), failure)

    def hand_over(self, failure: Failure) -> None:
        """To where it came from. Raises NotRedriven."""
        if not failure.queue.function:
            send_batch(self._client("sqs"), self._source(failure), [failure.body])
        elif failure.batch and "KinesisBatchInfo" in failure.content:
            self._put_back(failure.batch)
        elif failure.batch:
            self._invoke_with_changes(failure)
        else:
            self._invoke(failure)

    def _source(self, failure: Failure) -> str:
        """URL of the queue whose dead-letter queue this is."""
        url = failure.queue.url
        if url not in self._sources:
            found = self._client("sqs").list_dead_letter_source_queues(QueueUrl=url).get("queueUrls", [])
            if len(found) != 1:
                raise NotRedriven(f"{failure.queue.name} is the dead-letter queue of {len(found)} queues, so that there is no one way back")
            self._sources[url] = found[0]
        return self._sources[url]

    def _invoke(self, failure: Failure) -> None:
        """Asynchronously, so that its retries and its failures queue apply again."""
        payload = json.dumps(asynchronous_event(failure)).encode()
        alias = self._functions[failure.queue.function]["alias_arn"]
        answer = self._client("lambda").invoke(FunctionName=alias, InvocationType="Event", Payload=payload)
        if answer["StatusCode"] != 202:
            raise NotRedriven(f"Lambda answered {answer['StatusCode']}")

    def _put_back(self, batch: dict[str, Any]) -> None:
        """To the stream's end: a consumer that has a checkpoint would take records at their old place for done."""
        kinesis, name = self._client("kinesis"), {"StreamARN": batch["streamArn"]}
        pages = read_batch(kinesis, name, batch, self._sleep)
        put_all(kinesis, name, [record for page in pages for record in page], self._sleep)

    def _invoke_with_changes(self, failure: Failure) -> None:
        """A table's stream can't be written to, so its function is called with the same changes, and must do them all."""
        alias, arn = self._functions[failure.queue.function]["alias_arn"], failure.batch["streamArn"]
        for records in read_batch(self._client("dynamodbstreams"), {"StreamArn": arn}, failure.batch, self._sleep):
            event = {"Records": [_as_event(record, arn) for record in records]}
            answer = self._client("lambda").invoke(FunctionName=alias, Payload=json.dumps(event, default=_json).encode())
            said = json.loads(answer["Payload"].read() or b"null")
            if "FunctionError" in answer or (said or {}).get("batchItemFailures"):
                raise NotRedriven(f"{failure.queue.function} failed again: {json.dumps(said)[:300]}")


def asynchronous_event(failure: Failure) -> Any:
    """The event that a function failed at, or that did not even reach it. Raises NotRedriven."""
    content = failure.content
    if "requestPayload" in content:
        return content["requestPayload"]
    if "detail-type" in content:  # EventBridge could not deliver
        return content
    if content.get("Type") == "Notification":  # SNS could not deliver
        return {"Records": [{"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": content}]}
    raise NotRedriven("it holds no event that could be sent again")


def _as_event(record: dict[str, Any], arn: str) -> dict[str, Any]:
    """A record as Lambda passes it on."""
    return record | {"eventSourceARN": arn}


def _json(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value.timestamp()


class DiscardRecord:
    """Where discarded messages are kept: a file of JSON lines, and a bucket if one is named."""

    def __init__(self, path: Path, s3: Any = None, bucket: str = "") -> None:
        """`s3` is needed with a bucket only."""
        self._path = path
        self._s3 = s3
        self._bucket = bucket

    def keep(self, failure: Failure, reason: str, when: str) -> None:
        """On disk (and in the bucket) when this returns, so that the message may be deleted."""
        entry = failure.facts() | {"discarded_at": when, "reason": reason, "body": failure.body, "attributes": failure.attributes}
        line = json.dumps(entry, ensure_ascii=False) + "\n"
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("ab") as file:
            file.write(line.encode())
            file.flush()
            os.fsync(file.fileno())
        if self._bucket:
            self._s3.put_object(Bucket=self._bucket, Key=f"discarded/{failure.queue.name}/{failure.message_id}.json", Body=line.encode())
