"""Run microburst between the functions and the emulator. It returns errors, or delays, truncates or drops answers."""

import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from eventloom import clouds

PROGRAM = [str(clouds.BUILD / "venv/faults/bin/python"), str(Path(__file__).with_name("microburst_server.py"))]
_START_S = 60


class Proxy:
    """A microburst process on the port after the emulator's.

    https://github.com/pingedbrain/microburst#rules documents the rules.
    """

    def __init__(self, cloud: clouds.Cloud) -> None:
        """Choose the port. `start` starts the process."""
        assert cloud.port, "faults are for an emulator"
        self._port, self._upstream = cloud.port + 1, cloud.endpoint
        self._process: subprocess.Popen[bytes] | None = None
        self._before: Counter[str] = Counter()

    @property
    def endpoint(self) -> str:
        """Return the value for AWS_ENDPOINT_URL."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start the process and wait until it answers."""
        command = [*PROGRAM, "--upstream", str(self._upstream), "--port", str(self._port)]
        log = clouds.BUILD / "faults-proxy.log"
        with log.open("ab") as out:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                requests.get(f"{self.endpoint}/_microburst/health", timeout=2).raise_for_status()
                return
            except requests.RequestException:
                time.sleep(0.1)
        raise AssertionError(f"the fault proxy did not start on port {self._port}; see {log}")

    def stop(self) -> None:
        """Kill the process. Open connections break, and new ones are refused."""
        if self._process:
            self._before = self.fired()
            self._process.kill()
            self._process.wait()
            self._process = None

    def arm(self, *rules: dict[str, Any]) -> None:
        """Add rules. Each fires `times` times."""
        self._call("PATCH", list(rules))

    def disarm(self) -> None:
        """Remove all rules, but keep their counts."""
        self._before = self.fired()
        self._call("DELETE", [])

    def fired(self) -> Counter[str]:
        """Return the counts of faults so far, by service, the rule's resource if it has one, and kind."""
        counts = Counter(self._before)
        try:
            rules = self._call("GET", None)
        except requests.ConnectionError:  # the proxy is being restarted
            rules = []
        for rule in rules:
            parts = (rule["service"], rule.get("resource"), kind(rule))
            counts[" ".join(part for part in parts if part)] += rule["fired_count"]
        return +counts

    def _call(self, method: str, body: Any) -> Any:
        answer = requests.request(method, f"{self.endpoint}/_microburst/rules", json=body, timeout=60)
        answer.raise_for_status()
        return answer.json()


def kind(rule: dict[str, Any]) -> str:
    """Return a short name of the fault that a rule causes."""
    if "error" in rule:
        return str(rule["error"]["code"])
    if "response" in rule:
        return str(next(iter(rule["response"])))
    return next(name for name in ("reset", "latency", "request", "timeout_ms") if name in rule)


@contextmanager
def running(cloud: clouds.Cloud) -> Iterator[Proxy]:
    """Run a proxy and yield it."""
    proxy = Proxy(cloud)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()
