"""Save the state when the server stops, and restore it when the next server starts."""
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
from typing import TYPE_CHECKING, Any

from embedded_localstack.patches import moto_backends
from embedded_localstack.snapshot import executions, functions, objects, queues, reset, rules
from embedded_localstack.snapshot.gate import Gate
from embedded_localstack.state import Home

if TYPE_CHECKING:
    from embedded_localstack.snapshot import stores

LOG = logging.getLogger(__name__)
SAVE = signal.SIGUSR1
"""The signal that `down` and `restart` send to the server."""
QUIET_SECONDS = 10
MIB = 1024 * 1024
SPARE_BYTES = 64 * MIB

gate = Gate()
# Held while the state is restored, because an incomplete state must not be saved.
_busy = threading.Lock()


def install() -> None:
    """Close the gate if there is a state to restore, and install the signal handler that saves the state."""
    gate.install()
    queues.install()
    reset.install(gate, _busy)
    folder = Home.of_this_server().snapshot
    if folder.is_dir():
        gate.close()
        moto_backends.begin_with(folder)
    signal.signal(SAVE, lambda *_: threading.Thread(target=_stop, name="snapshot").start())


# -- stop


def _stop() -> None:
    """Save the state and end the process.

    If the rehearsal fails, the server keeps running with its whole state, and the launcher reads the reason.
    """
    home = Home.of_this_server()
    with _busy:
        try:
            rehearsal = rehearse(home.snapshot, home.without())
        except UnkeptError as error:
            LOG.error("the state of some services cannot be saved: %s", error)
            home.refuse(str(error), error.services)
            return
        except Exception as error:
            LOG.exception("the state cannot be saved")
            home.refuse(" ".join(f"{type(error).__name__}: {error}".split()))
            return
        try:
            save(home.snapshot, rehearsal)
        except Exception:
            LOG.exception("the state could not be saved")
            os._exit(1)
        os._exit(0)


class UnkeptError(Exception):
    """A failure to save the state of some services. `services` has their names, and the message says why."""

    def __init__(self, failures: dict[str, str]) -> None:
        super().__init__("; ".join(f"{service}: {reason}" for service, reason in failures.items()))
        self.services = list(failures)


def rehearse(folder: Path, without: list[str]) -> "stores.Rehearsal":
    """Check, while the server still runs, that the state can be saved and restored, and that the disk has space.

    Raises:
        UnkeptError: the state of a service cannot be pickled or unpickled.
        OSError: the folder cannot be written to, or the disk is too full.
    """
    from embedded_localstack.snapshot import stores  # noqa: PLC0415 - only a running server can import it

    part = folder.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    try:
        rehearsal = stores.rehearse([name for name in stores.used() if name not in without])
        if rehearsal.failures:
            raise UnkeptError(rehearsal.failures)
        moto_backends.save(part)
        needed = rehearsal.size + objects.size() + sum(file.stat().st_size for file in part.iterdir())
        free = shutil.disk_usage(part).free
        if free < needed + SPARE_BYTES:
            raise OSError(f"{needed / MIB:.0f} MiB are needed in {part.parent}, and {free / MIB:.0f} MiB are free")
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return rehearsal


def save(folder: Path, rehearsal: "stores.Rehearsal") -> None:
    """Save the whole state in the folder. The folder exists only if the state in it is complete."""
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
    stores.save(part, rehearsal)
    if "s3" in rehearsal.pickles:
        objects.save(part / "objects")
    functions.save(part, shards, waiting | functions.events())
    moto_backends.save(part)
    part.rename(folder)
    LOG.info("the state is saved, in %.1f s", time.monotonic() - began)


def _finish_deliveries() -> None:
    """Wait for the delivery of changes, events and messages. Services answer requests before these are delivered."""
    for service, executor in DELIVERIES.items():
        if provider := _provider(service):
            executor(provider).shutdown(wait=True)
    for thread in threading.enumerate():
        if thread.name.startswith("events-process-rules"):
            thread.join(QUIET_SECONDS)


# The order matters: a delivery of one service may cause deliveries of those after it.
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
    """Restore the state, if there is one, and open the gate.

    A service whose state cannot be restored starts empty. Its files are moved to `unrestored`, and the launcher reports
    it.
    """
    home = Home.of_this_server()
    if not home.snapshot.is_dir():
        return
    with _busy:
        try:
            failures = _load(home.snapshot)
            home.set_aside(failures)
        except Exception:
            LOG.exception("the state in %s could not be restored", home.snapshot)
            os._exit(1)
    gate.open()


def _load(folder: Path) -> dict[str, str]:
    """Restore the state, and return the reason of each failure by service."""
    from embedded_localstack.snapshot import stores  # noqa: PLC0415 - only a running server can import it

    began = time.monotonic()
    functions.load_shards(folder)
    names, loader = stores.saved(folder), stores.Loader(folder)
    for name in names:
        loader.load(name)
    for name in names:
        with loader.attempt(name):
            stores.start(name)
    hooks: dict[str, Callable[[], None]] = {
        "s3": lambda: objects.load(folder / "objects"),
        "sqs": queues.load,
        "events": rules.load,
        "stepfunctions": executions.load,
        "kinesis": moto_backends.start_kinesis,
        # Pollers and alarms start to work at once, so the state that they need is restored first.
        "lambda": lambda: _provider("lambda").on_after_state_load(),
        "cloudwatch": _watch_alarms,
    }
    for service, hook in [*hooks.items(), ("lambda", lambda: functions.load_events(folder))]:
        if service in names and service not in loader.failures:
            with loader.attempt(service):
                hook()
    LOG.info("the state is back, in %.1f s", time.monotonic() - began)
    return loader.failures


def _watch_alarms() -> None:
    from localstack.services.cloudwatch.models import cloudwatch_stores  # noqa: PLC0415 - only a running server has it

    for _account, _region, store in cloudwatch_stores.iter_stores():
        for arn in store.alarms:
            _provider("cloudwatch").alarm_scheduler.schedule_metric_alarm(arn)
