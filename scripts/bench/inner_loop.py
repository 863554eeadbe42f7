"""Measure the inner loop on the embedded LocalStack: from saving a file to the first line of new code, and deploys.

Usage: python -m scripts.bench.inner_loop [--quick]

It deploys this checkout to a separate emulator (EMBEDDED_PORT), edits a copy of functions/ while events arrive, and
removes everything. The new code prints the time at its import. Times are wall-clock seconds, so nothing else may run.
"""

import argparse
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

os.environ.setdefault("EMBEDDED_PORT", "4597")

from eventloom.clouds import ROOT, client
from scripts.bench import report

# An event that each function answers without any effect
EVENTS = {"digest": {"day": "2026-11-22"}, "thumbnailer": {"Records": []}}
EDITS, QUICK_EDITS = 9, 2
EVENT_S, POLL_S, PAUSE_S, LIMIT_S = 0.05, 0.02, 0.7, 60.0


def run(quick: bool) -> dict[str, Any]:
    """Return the seconds of each row of report.INNER_LOOP, and the number of edits behind each median."""
    edits = QUICK_EDITS if quick else EDITS
    with deployed():
        figures: dict[str, Any] = {
            "deploy_unchanged": timed("deploy"),
            "deploy_only": timed("deploy", "--only", "digest"),
        }
        for name in EVENTS:
            figures[name] = round(statistics.median(saves(name, edits)), 2)
    return figures | {"edits": edits}


@contextmanager
def deployed() -> Iterator[None]:
    """Deploy to an empty emulator, and remove it afterwards."""
    eventloom("up")
    try:
        eventloom("deploy")
        yield
    finally:
        eventloom("down", "--forget")


def eventloom(*arguments: str) -> None:
    """Run a command of this checkout. Raises CalledProcessError if it fails."""
    environment = os.environ | {"CLOUD": "embedded"}
    subprocess.run([ROOT / "eventloom", *arguments], check=True, env=environment, stdout=subprocess.DEVNULL)


def timed(*arguments: str) -> float:
    """Return the seconds that a command takes."""
    began = time.monotonic()
    eventloom(*arguments)
    return round(time.monotonic() - began, 1)


def saves(name: str, edits: int) -> list[float]:
    """Return the seconds from each save to the first line of new code, while `dev` runs and events arrive."""
    with tempfile.TemporaryDirectory(prefix="bench-inner-loop-") as folder:
        functions = Path(folder, "functions")
        shutil.copytree(ROOT / "functions", functions)
        with developing(name, functions, Path(folder, "messages")), events_arriving(name):
            return [edit(name, functions / name / "handler.py", number) for number in range(edits)]


@contextmanager
def developing(name: str, functions: Path, messages: Path) -> Iterator[None]:
    """Run `./eventloom dev` on a folder of functions, and end it with Ctrl-C."""
    with messages.open("w") as stderr:
        process = subprocess.Popen(
            [ROOT / "eventloom", "dev", name, "--functions", functions],
            env=os.environ | {"CLOUD": "embedded"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            start_new_session=True,
        )
        try:
            end = time.monotonic() + LIMIT_S
            while f"watching {name}" not in messages.read_text():
                if process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(f"dev does not watch {name}: {messages.read_text()}")
                time.sleep(POLL_S)
            yield
        finally:
            os.killpg(process.pid, signal.SIGINT)
            process.wait()


@contextmanager
def events_arriving(name: str) -> Iterator[None]:
    """Invoke a function again and again."""
    is_over, lambda_ = Event(), client("lambda")
    payload = json.dumps(EVENTS[name]).encode()

    def invoke() -> None:
        while not is_over.wait(EVENT_S):
            lambda_.invoke(FunctionName=f"eventloom-local-{name}:live", Payload=payload)

    thread = Thread(target=invoke)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def edit(name: str, handler: Path, number: int) -> float:
    """Save a handler that prints the time at its import, and return the seconds from the save to the import."""
    time.sleep(PAUSE_S)
    mark = f"edit-{number}-{time.time_ns()}"
    code = handler.read_text().split("\n# the edit\n")[0]
    began = time.time()
    handler.write_text(f"{code}\n# the edit\nimport time as _time\nprint('{mark}', _time.time())\n")
    while (moment := first_line(name, mark, began)) is None:
        if time.time() - began > LIMIT_S:
            raise RuntimeError(f"{name} did not run saved code within {LIMIT_S:g} s")
        time.sleep(POLL_S)
    return moment - began


def first_line(name: str, mark: str, began: float) -> float | None:
    """Return the first time that the code with this mark printed, or None if the code has not run."""
    answer = client("logs").filter_log_events(
        logGroupName=f"/aws/lambda/eventloom-local-{name}",
        filterPattern=f'"{mark}"',
        startTime=int(began * 1000) - 1000,
    )
    moments = re.findall(rf"{mark} ([0-9.]+)", "".join(event["message"] for event in answer["events"]))
    return min(map(float, moments)) if moments else None


def main() -> None:
    """Measure only the inner loop, and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="show that it runs, with few edits")
    figures = run(parser.parse_args().quick)
    for name, about in report.INNER_LOOP.items():
        print(f"{about:<60} {figures[name]:>6g} s")


if __name__ == "__main__":
    main()
