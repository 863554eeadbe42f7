"""Remove everything that is deployed in the running server, for `POST /_localstack/state/reset`.

LocalStack's paid edition has a reset at the same path:
https://docs.localstack.cloud/aws/capabilities/state-management/
"""
# mypy: disable-error-code="import-not-found, import-untyped"

import logging
import os
import shutil
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from embedded_localstack.iam import sessions
from embedded_localstack.patches import moto_backends
from embedded_localstack.patches.lambda_event_sources import checkpoints
from embedded_localstack.snapshot import functions, queues
from embedded_localstack.snapshot.gate import Gate

LOG = logging.getLogger(__name__)
PATH = "/_localstack/state/reset"
QUIET_SECONDS = 5
# The hooks of these services would restart moto's processes, which takes seconds. `moto_backends.forget` empties them.
BACKENDS = {"dynamodb", "kinesis"}
EXECUTORS = (
    ("dynamodb", "_event_forwarder", "executor"),
    ("s3", "_notification_dispatcher", "executor"),
    ("sns", "_publisher", "executor"),
)
"""The deliveries of changes and messages: the service, the object of its provider, and the object's member."""

_lock = threading.Lock()


def install(gate: Gate, busy: threading.Lock) -> None:
    """Answer requests to PATH before all other handlers, so that a reset does not wait for its own request."""
    from localstack.aws import handlers  # noqa: PLC0415 - only a running server has it

    def answer(chain: Any, context: Any, _response: Any) -> None:
        if context.request.path != PATH:
            return
        # A browser sends the header Origin with each POST from another site's web page.
        if context.request.method != "POST" or "Origin" in context.request.headers:
            chain.respond(405 if context.request.method != "POST" else 403)
            return
        with busy:
            reset(gate)
        chain.respond(200)

    handlers.preprocess_request.handlers.insert(0, answer)


def reset(gate: Gate) -> None:
    """Stop all work, and empty every service. Client requests are refused until this is done."""
    from localstack.services.plugins import SERVICE_PLUGINS  # noqa: PLC0415 - only a running server has it

    began = time.monotonic()
    services = {name: SERVICE_PLUGINS.get_service(name) for name in SERVICE_PLUGINS.list_active_services()}
    gate.close()
    try:
        _stop_work({name: service._provider for name, service in services.items()})
        gate.empty(QUIET_SECONDS)
        for name, service in services.items():
            _empty(name, service)
        moto_backends.forget()
        _empty_caches()
    finally:
        gate.open()
    LOG.info("everything is forgotten, in %.2f s", time.monotonic() - began)


def _stop_work(providers: dict[str, Any]) -> None:
    functions.stop()
    queues.stop()
    for name, holder, member in EXECUTORS:
        if name in providers:
            _renew(getattr(providers[name], holder), member)
    if "stepfunctions" in providers:
        _stop_executions()
    if "firehose" in providers:
        for listener in providers["firehose"].kinesis_listeners.values():
            listener.stop()
        providers["firehose"].kinesis_listeners.clear()


def _renew(holder: Any, member: str) -> None:
    """Cancel the waiting deliveries, and give the running ones QUIET_SECONDS to end."""
    old: ThreadPoolExecutor = getattr(holder, member)
    setattr(holder, member, ThreadPoolExecutor(old._max_workers, thread_name_prefix=str(old._thread_name_prefix)))
    old.shutdown(wait=False, cancel_futures=True)
    deadline = time.monotonic() + QUIET_SECONDS
    for thread in list(old._threads):
        thread.join(max(0, deadline - time.monotonic()))


def _stop_executions() -> None:
    from localstack.services.stepfunctions.backend.store import sfn_stores  # noqa: PLC0415

    for _account, _region, store in sfn_stores.iter_stores():
        for execution in store.executions.values():
            if execution.exec_status == "RUNNING" and execution.exec_worker:
                execution.exec_worker.stop(datetime.now(UTC), None, "the server was reset")


def _empty(name: str, service: Any) -> None:
    from embedded_localstack.snapshot.stores import Containers  # noqa: PLC0415 - only a running server can import it

    containers = Containers()
    service.accept_state_visitor(containers)
    hooks = service.lifecycle_hook
    if name not in BACKENDS:
        hooks.on_before_state_reset()
    for container in containers.dictionaries:
        _clear(container)
    for folder in containers.directories:
        shutil.rmtree(folder, ignore_errors=True)
        Path(folder).mkdir(parents=True, exist_ok=True)
    if name == "events":
        _empty_events(service._provider)
    if name == "s3":
        service._provider._storage_backend.close()
        service._provider._storage_backend._filesystem.clear()
    if name not in BACKENDS:
        hooks.on_after_state_reset()


def _empty_caches() -> None:
    from localstack.services.dynamodb.utils import SCHEMA_CACHE  # noqa: PLC0415 - only a running server has it

    SCHEMA_CACHE.clear()
    checkpoints.clear()
    sessions.forget()
    # the unpacked code of functions
    shutil.rmtree(Path(os.environ["TMPDIR"]) / "lambda", ignore_errors=True)


def _clear(container: Any) -> None:
    """Empty a container of LocalStack or moto. The container stays, because other code holds references to it."""
    from localstack.services.stores import AccountRegionBundle  # noqa: PLC0415 - only a running server has it

    if isinstance(container, AccountRegionBundle):
        container.reset()
    else:
        dict.clear(container)


def _empty_events(provider: Any) -> None:
    """Remove the objects of rules and buses, which are not part of the store, and the jobs of schedules."""
    from localstack.services.events.scheduler import JobScheduler  # noqa: PLC0415 - only a running server has it

    for store in _dictionaries(provider):
        store.clear()
    JobScheduler.instance().jobs = []


def _dictionaries(provider: Any) -> Iterator[dict[str, Any]]:
    for name, value in vars(provider).items():
        if name.endswith("_store") and isinstance(value, dict):
            yield value
