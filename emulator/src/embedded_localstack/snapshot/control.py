"""Stopping with the state written down, and starting with it."""
# mypy: disable-error-code="import-not-found"

import logging
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from embedded_localstack.patches import moto_backends
from embedded_localstack.snapshot import executions, functions, objects, queues, rules
from embedded_localstack.snapshot.gate import Gate
from embedded_localstack.state import Home

LOG = logging.getLogger(__name__)
SAVE = signal.SIGUSR1
"""What `restart` sends to the server."""
QUIET_SECONDS = 10

gate = Gate()


def install() -> None:
    """Close the gate if there is a state to come back to; write it down when told to."""
    gate.install()
    queues.install()
    if _folder().is_dir():
        gate.close()
        moto_backends.begin_with(_folder())
    signal.signal(SAVE, lambda *_: threading.Thread(target=_stop, name="snapshot").start())


def _folder() -> Path:
    return Home(path=Path(os.environ["EMBEDDED_LOCALSTACK_HOME"])).snapshot


# -- stop


def _stop() -> None:
    try:
        save(_folder())
    except Exception:
        LOG.exception("the state could not be written down")
        os._exit(1)
    os._exit(0)


def save(folder: Path) -> None:
    """Write everything into the folder, which is there only if it is complete."""
    from embedded_localstack.snapshot import stores  # noqa: PLC0415 - only a running server can import it

    began = time.monotonic()
    part = folder.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    shards, waiting = functions.read_so_far(), functions.events()
    gate.close()
    functions.stop()
    queues.stop()
    gate.empty(QUIET_SECONDS)
    _finish_deliveries()
    stores.save(part)
    objects.save(part / "objects")
    functions.save(part, shards, waiting | functions.events())
    moto_backends.save(part)
    part.rename(folder)
    LOG.info("the state is written down, in %.1f s", time.monotonic() - began)


def _finish_deliveries() -> None:
    """Answers are given before changes, events and messages have arrived where they belong: none may be on its way."""
    for service, executor in DELIVERIES.items():
        if provider := _provider(service):
            executor(provider).shutdown(wait=True)
    for thread in threading.enumerate():
        if thread.name.startswith("events-process-rules"):
            thread.join(QUIET_SECONDS)


# In the order in which one leads to the other
DELIVERIES: dict[str, Callable[[Any], ThreadPoolExecutor]] = {
    "dynamodb": lambda provider: provider._event_forwarder.executor,
    "s3": lambda provider: provider._notification_dispatcher.executor,
    "sns": lambda provider: provider._publisher.executor,
}


def _provider(service: str) -> Any:
    from localstack.services.plugins import SERVICE_PLUGINS  # noqa: PLC0415 - only a running server has it

    return SERVICE_PLUGINS.get_service(service)._provider if SERVICE_PLUGINS.is_running(service) else None


# -- start


def resume() -> None:
    """Put the state back, if there is one, and open the gate. A state that does not fit ends the server: half of one is worse."""
    folder = _folder()
    if not folder.is_dir():
        return
    try:
        _load(folder)
    except Exception:
        LOG.exception("the state in %s could not be put back", folder)
        os._exit(1)
    gate.open()


def _load(folder: Path) -> None:
    from embedded_localstack.snapshot import stores  # noqa: PLC0415 - only a running server can import it

    began = time.monotonic()
    functions.load_shards(folder)
    ready = list(stores.load(folder))
    hooks: dict[str, Callable[[], None]] = {
        "s3": lambda: objects.load(folder / "objects"),
        "sqs": queues.load,
        "events": rules.load,
        "stepfunctions": executions.load,
        "kinesis": moto_backends.start_kinesis,
        # Pollers and alarms begin to work at once: what they work on comes before them.
        "lambda": lambda: _provider("lambda").on_after_state_load(),
        "cloudwatch": _watch_alarms,
    }
    for hook in [hook for service, hook in hooks.items() if service in ready]:
        hook()
    functions.load_events(folder)
    # Whether the next state was written down shows in the folder.
    shutil.rmtree(folder)
    LOG.info("the state is back, in %.1f s", time.monotonic() - began)


def _watch_alarms() -> None:
    from localstack.services.cloudwatch.models import cloudwatch_stores  # noqa: PLC0415 - only a running server has it

    for _account, _region, store in cloudwatch_stores.iter_stores():
        for arn in store.alarms:
            _provider("cloudwatch").alarm_scheduler.schedule_metric_alarm(arn)
