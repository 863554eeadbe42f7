"""Inject a seeded sequence of faults into running processes and into the answers of AWS."""

import itertools
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from embedded_localstack import processes
from embedded_localstack.state import Home
from eventloom import clouds
from tests.embedded import home, launch
from tests.faults.proxy import Proxy
from tests.faults.stage import Stage, frozen
from tests.integration.support import Deployment

S3 = ("GetObject", "PutObject", "DeleteObjects", "ListObjectsV2", "HeadObject")
# The outputs with the tables of the thumbnailer's items and of the notifier's claims
CATALOG, CLAIMS = "catalog_table", "state_table"
DYNAMODB = (
    ("GetItem", CATALOG),
    ("PutItem", CATALOG),
    ("UpdateItem", CATALOG),
    ("UpdateItem", CLAIMS),
    ("UpdateItem", CLAIMS),
)
# Faults in the answers of services, with their weights
ANSWERS: list[tuple[int, dict[str, Any]]] = [
    (4, {"service": "s3", "error": {"code": "SlowDown", "status": 503}}),
    (3, {"service": "s3", "error": {"code": "InternalError", "status": 500}}),
    (2, {"service": "s3", "error": {"code": "ServiceUnavailable", "status": 503}}),
    (3, {"service": "s3", "latency": {"min": 500, "max": 2500}}),
    (2, {"service": "s3", "reset": True}),
    (3, {"service": "s3", "operation": "GetObject", "response": {"abort_frac": 0.4}}),
    (2, {"service": "s3", "operation": "GetObject", "response": {"bandwidth_kbps": 4}}),
    (1, {"service": "s3", "operation": "PutObject", "response": {"abort_frac": 0.0}}),
    (4, {"service": "dynamodb", "error": {"code": "ProvisionedThroughputExceededException"}}),
    (3, {"service": "dynamodb", "error": {"code": "InternalServerError", "status": 500}}),
    (2, {"service": "dynamodb", "error": {"code": "ThrottlingException"}}),
    (2, {"service": "dynamodb", "latency": {"min": 500, "max": 2500}}),
    (2, {"service": "dynamodb", "reset": True}),
    (3, {"service": "dynamodb", "operation": "PutItem", "response": {"abort_frac": 0.3}}),
    (1, {"service": "sns", "error": {"code": "Throttling", "status": 400}}),
]
# Faults of processes and permissions, with their weights
EVENTS = {
    "kill": 10,
    "stop": 1,
    "freeze dynamodb": 1,
    "freeze the emulator": 1,
    "proxy gone": 2,
    "restart pollers": 2,
    "restart the emulator": 1,
    "deny delete": 2,
    "deny receive": 1,
    "poison": 3,
}
# The number of the turn with the first restart. Restarts are slow and therefore rare, but every run must have one.
FIRST_RESTART = 3


class Gremlin:
    """A thread that injects one fault after the other, `pause_s` apart, until it is stopped."""

    def __init__(  # noqa: PLR0917 - everything that it can break
        self, deployment: Deployment, proxy: Proxy, worker: Stage, poison: Callable[[], None], seed: int, pause_s: float
    ) -> None:
        """Prepare the thread. Faults begin with `start`."""
        self._deployment, self._proxy, self._worker, self._poison = deployment, proxy, worker, poison
        self._chance = random.Random(seed)
        self._pause_s = pause_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gremlin")
        self.done: Counter[str] = Counter()
        self._error: BaseException | None = None

    def start(self) -> None:
        """Start the faults."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the faults, and raise the error that ended them early, if any."""
        self._stop.set()
        self._thread.join()
        self._proxy.disarm()
        self.check()

    def check(self) -> None:
        """Raise the error that ended the thread early, such as an emulator that does not restart."""
        if self._error:
            raise self._error

    def total(self) -> int:
        """Return the number of faults so far."""
        return self.done.total() + self._proxy.fired().total()

    def _run(self) -> None:
        try:
            for turn in itertools.count():
                if self._stop.wait(self._pause_s):
                    return
                if turn == FIRST_RESTART:
                    self._act("restart the emulator")
                rule = self._rule()
                # The SDK tries five times, so only longer series of errors reach the function.
                self._proxy.arm(rule | {"times": self._chance.choice((1, 2, 6, 12)), "ttl_s": 20})
                if self._chance.random() < 0.35:
                    self._act(self._chance.choices(list(EVENTS), list(EVENTS.values()))[0])
        except BaseException as error:
            self._error = error

    def _rule(self) -> dict[str, Any]:
        rule = dict(self._chance.choices([rule for _, rule in ANSWERS], [weight for weight, _ in ANSWERS])[0])
        if rule["service"] == "s3":
            rule.setdefault("operation", self._chance.choice(S3))
        elif rule["service"] == "dynamodb" and "operation" not in rule:
            rule["operation"], table = self._chance.choice(DYNAMODB)
            rule["resource"] = self._deployment[table]
        return rule

    def _act(self, event: str) -> None:
        match event:
            case "kill" | "stop":
                self._signal(event, signal.SIGKILL if event == "kill" else signal.SIGSTOP)
            case "freeze dynamodb":
                self._freeze(event, [pid for pid in self._server_family() if "moto_server" in processes.command(pid)])
            case "freeze the emulator":
                self._freeze(event, self._server_family()[:1])
            case "proxy gone":
                self._proxy.stop()
                time.sleep(1)
                self._proxy.start()
                self.done[event] += 1
            case "restart pollers":
                self._worker.restart_pollers()
                self.done[event] += 1
            case "restart the emulator":
                launch("restart", clouds.chosen_cloud().port)
                self.done[event] += 1
            case "deny delete" | "deny receive":
                with self._deployment.outage(
                    "thumbnailer", "sqs:DeleteMessage" if event == "deny delete" else "sqs:ReceiveMessage"
                ):
                    time.sleep(1.5)
                self.done[event] += 1
            case "poison":
                self._poison()

    def _signal(self, event: str, number: signal.Signals) -> None:
        running = self._worker.processes()
        if running:
            processes.send([self._chance.choice(running)], number)
            self.done[event] += 1

    def _freeze(self, event: str, pids: list[int]) -> None:
        with frozen(pids, 1.5):
            self.done[event] += 1

    @staticmethod
    def _server_family() -> list[int]:
        run = Home(path=home(clouds.chosen_cloud().port)).load()
        assert run, "no emulator was started"
        assert run.running(), "the emulator is gone"
        return [run.pid, *processes.descendants(run.pid)]
