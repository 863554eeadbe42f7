"""Read from the log of a consumer why messages were moved to its dead-letter queue."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from eventloom.operations.failures import Failure, FailureQueue

# A filter pattern has at most 1,024 characters.
_IDS_PER_QUERY = 20
_MARGIN_MS = 60_000
# The thumbnailer logs a line when an attempt begins. If no other line follows, the attempt did not end normally.
UNFINISHED = "the process ended during the attempt, or the invocation timed out"


def consumer_log_group(client: Callable[[str], Any], queue: FailureQueue, functions: dict[str, Any]) -> str | None:
    """Return the log group of the function that consumes a dead-letter queue's source queue, or None."""
    sqs = client("sqs")
    for url in sqs.list_dead_letter_source_queues(QueueUrl=queue.url).get("queueUrls", []):
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        for mapping in client("lambda").list_event_source_mappings(EventSourceArn=arn)["EventSourceMappings"]:
            for facts in functions.values():
                if facts["function_name"] == mapping["FunctionArn"].split(":")[6]:
                    return str(facts["log_group"])
    return None


def causes_in_log(logs: Any, log_group: str, failures: Sequence[Failure]) -> dict[str, str]:
    """Return the last cause in a log for each message, by message id. A message keeps its id when SQS moves it."""
    causes: dict[str, str] = {}
    for start in range(0, len(failures), _IDS_PER_QUERY):
        part = failures[start : start + _IDS_PER_QUERY]
        ids = {failure.message_id for failure in part}
        since = int(min(failure.sent_at for failure in part) * 1000) - _MARGIN_MS
        pattern = " ".join(f'?"{message_id}"' for message_id in sorted(ids))
        for page in logs.get_paginator("filter_log_events").paginate(
            logGroupName=log_group, filterPattern=pattern, startTime=since
        ):
            for event in page["events"]:
                named = _cause_in(event["message"], ids)
                # The cause of another attempt is more useful than UNFINISHED.
                causes = named | causes if UNFINISHED in named.values() else causes | named
    return causes


def _cause_in(line: str, ids: set[str]) -> dict[str, str]:
    try:
        entry = json.loads(line)
    except ValueError:
        return {}
    if not isinstance(entry, dict) or entry.get("message_id") not in ids:
        return {}
    if entry.get("message") == "begun":
        return {entry["message_id"]: UNFINISHED}
    cause = entry.get("error") or entry.get("exception_name") or entry.get("problems") or entry.get("message")
    return {entry["message_id"]: str(cause)}
