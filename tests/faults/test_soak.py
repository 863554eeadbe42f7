"""A soak of the deployed pipeline goes as the simulator says, at the scale of one machine."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pytest
from photos import photo
from support import Deployment, unique

from clouds import client
from simulation.model import Shape, simulate

RATE, SECONDS = 20, 20
# Of what was foretold; service times and how many there are at once are of the same run, what they lead to is the model's.
CLOSE = (0.6, 1.6)


@dataclass(frozen=True)
class Done:
    """One upload: when it was put, and when the thumbnailer began and ended, in seconds since the epoch."""

    put: float
    began: float
    ended: float


@pytest.fixture(scope="module")
def soaked(deployment: Deployment) -> tuple[float, list[Done]]:
    """RATE uploads a second for SECONDS seconds; when they began, and what became of each."""
    prefix, body = unique("soak"), photo(1600, 1200)
    deployment.put(f"{prefix}/first.jpg", body)
    deployment.settled()
    put: dict[str, float] = {}

    def upload(number: int) -> None:
        key = f"{prefix}/{number}.jpg"
        time.sleep(max(0.0, began + number / RATE - time.time()))
        put[key] = time.time()
        deployment.put(key, body)

    began = time.time()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(upload, range(RATE * SECONDS)))
    deployment.settled()
    return began, [Done(put[key], *span) for key, span in _worked(deployment, prefix).items() if key in put]


def _worked(deployment: Deployment, prefix: str) -> dict[str, tuple[float, float]]:
    """When the thumbnailer began and ended with each key, by its log."""
    found = {}
    pages = client("logs").get_paginator("filter_log_events").paginate(logGroupName=deployment["functions"]["thumbnailer"]["log_group"])
    for event in (event for page in pages for event in page["events"]):
        if prefix in event["message"] and '"READY"' in event["message"]:
            line, ended = json.loads(event["message"]), event["timestamp"] / 1000
            found[str(line["object_key"])] = (ended - line["duration_ms"] / 1000, ended)
    return found


def _at_once(done: list[Done]) -> float:
    """How many uploads were worked on at the same time, on the average; between batches none are, while the lane's poller asks for more."""
    moments = np.arange(min(one.began for one in done), max(one.ended for one in done), 0.005)
    at_work = sum((moments >= one.began) & (moments < one.ended) for one in done)
    return float(np.mean(at_work))


def test_the_simulator_foretells_a_soak(soaked: tuple[float, list[Done]]) -> None:
    began, done = soaked
    assert len(done) == RATE * SECONDS
    shape = Shape(tuple(one.ended - one.began for one in done), maximum_concurrency=1, workers=_at_once(done))
    foretold = simulate(shape, RATE, SECONDS)
    seen = [one for one in done if one.ended <= began + SECONDS]
    finished, latency = len(seen), float(np.median([one.ended - one.put for one in seen]))
    print(
        f"{finished} of {len(done)} in time, foretold {foretold.finished[-1]:.0f}; after {latency:.2f} s, not {foretold.latency['p50']:.2f}"
    )
    assert CLOSE[0] <= finished / foretold.finished[-1] <= CLOSE[1]
    assert CLOSE[0] <= latency / foretold.latency["p50"] <= CLOSE[1]
