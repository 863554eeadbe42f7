"""Save and restore the parts of Lambda's state outside its store: stream positions and asynchronous events."""
# mypy: disable-error-code="import-not-found"

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from embedded_localstack.patches.lambda_event_sources import checkpoints

Event = tuple[str, str]
"""The ARN of a function version, and the message body that LocalStack wrote into the version's event queue."""


def read_so_far() -> dict[str, dict[str, str]]:
    """Return the iterator of the first unhandled record, by event source mapping and shard."""
    return {mapping: dict(shards) for mapping, shards in checkpoints.items()}


def events() -> set[Event]:
    """Return the events of asynchronous invocations that run or wait for an attempt."""
    return {(arn, message.message["Body"]) for arn, queue in queues() for message in _messages(queue)}


def stop() -> None:
    """Stop the event source mappings, the pollers and the event queues, so that no new invocation starts."""
    for worker in _workers():
        worker.stop_for_shutdown()
    for _, manager in _managers():
        manager.poller._shutdown_event.set()
    for _, queue in queues():
        queue.shutdown()


def save(folder: Path, shards: dict[str, dict[str, str]], waiting: set[Event]) -> None:
    """Save the stream positions and the events."""
    (folder / "functions.json").write_text(json.dumps({"shards": shards, "events": sorted(waiting)}))


def load_shards(folder: Path) -> None:
    """Load the stream positions, before the pollers start."""
    checkpoints.update(json.loads((folder / "functions.json").read_text())["shards"])


def load_events(folder: Path) -> None:
    """Send the events again, after functions can be invoked.

    An invocation that ran when the server stopped runs again, as after a fault on AWS.
    """
    managers = dict(_managers())
    for arn, body in json.loads((folder / "functions.json").read_text())["events"]:
        _client().send_message(QueueUrl=managers[arn].event_queue_url, MessageBody=body)


def _provider() -> Any:
    from localstack.services.plugins import SERVICE_PLUGINS  # noqa: PLC0415 - only a running server has it

    return SERVICE_PLUGINS.get_service("lambda")._provider if SERVICE_PLUGINS.is_running("lambda") else None


def _workers() -> list[Any]:
    provider = _provider()
    return list(provider.esm_workers.values()) if provider else []


def _managers() -> list[tuple[str, Any]]:
    provider = _provider()
    return list(provider.lambda_service.event_managers.items()) if provider else []


def _client() -> Any:
    from localstack.services.lambda_.invocation.internal_sqs_queue import get_fake_sqs_client  # noqa: PLC0415

    return get_fake_sqs_client()


def queues() -> Iterator[tuple[str, Any]]:
    """Yield the ARN of each function version, and the queue of its asynchronous invocations."""
    known = _client().queue_manager.queues
    for arn, manager in _managers():
        if queue := known.get(manager.event_queue_url):
            yield arn, queue


def _messages(queue: Any) -> list[Any]:
    with queue.mutex:
        return [*queue.visible.queue, *queue.delayed, *queue.inflight]
