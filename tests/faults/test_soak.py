"""A soak of the deployed pipeline goes as the simulator says, at the scale of one machine.

What the simulator is told is not of the uploads that it foretells: the seconds of an upload, and how busy the places for batches are, are
measured in a flood of a few before, and of those that are left over after. The objects lie there already and only their events come at the
rate, ten in one request: what uploads cost the emulator, which shares the processors with the functions, is not the pipeline's.
"""

import dataclasses
import heapq
import json
import os
import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate, batched

import numpy as np
import pytest

from embedded_localstack.patches.lambda_event_sources import batches_at_once
from eventloom.clouds import client
from eventloom.monitoring import simulate as tool
from eventloom.monitoring.load_model import CONCURRENCY, Shape, simulate
from eventloom.operations.messages import notification
from tests.faults.run import own_bucket
from tests.faults.stage import settled
from tests.integration.photos import photo
from tests.integration.support import ENVIRONMENT, Deployment, depth, unique

SECONDS = 20
# Photos whose times are measured before
FLOOD = 240
# Times what can be done, so that the capacity shows
OVERLOAD = 2
# As many events as one request to the queue can bring
TOLD_AT_ONCE = 10
# A photo's end is logged a little after it, by when the next one may have begun.
CLOCK_S = 0.02
# Of what was foretold
CLOSE = (0.6, 1.6)


@dataclass(frozen=True)
class Done:
    """One upload: when it was put, and when the thumbnailer began and ended, in seconds since the soak began."""

    put: float
    began: float
    ended: float


def soaked(deployment: Deployment, bucket: str, moments: list[float]) -> list[Done]:
    """Tell of photos at the moments, TOLD_AT_ONCE of them when the last one's has come; what became of each."""
    prefix, body, put = unique("soak"), photo(1600, 1200), dict[str, float]()
    keys = [f"{prefix}/{number}.jpg" for number in range(len(moments))]

    def tell(together: tuple[tuple[str, float], ...]) -> None:
        time.sleep(max(0.0, start + together[-1][1] - time.time()))
        put.update(dict.fromkeys((key for key, _ in together), time.time() - start))
        entries = [{"Id": str(number), "MessageBody": notification(bucket, key)} for number, (key, _) in enumerate(together)]
        answer = client("sqs").send_message_batch(QueueUrl=deployment["uploads_queue_url"], Entries=entries)
        assert "Failed" not in answer, answer

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: client("s3").put_object(Bucket=bucket, Key=key, Body=body), keys))
        start = time.time()
        list(pool.map(tell, batched(zip(keys, moments, strict=True), TOLD_AT_ONCE, strict=False)))
    settled(lambda: depth(deployment["uploads_queue_url"]), 240)
    done = {key: Done(put[key], began - start, ended - start) for key, (began, ended) in _worked(deployment, prefix).items()}
    assert set(done) == set(put)
    return list(done.values())


def _worked(deployment: Deployment, prefix: str) -> dict[str, tuple[float, float]]:
    """When the thumbnailer began and ended with each key, by its log: what CloudWatch calls a line's time is that of a whole batch's."""
    found = {}
    for line in map(json.loads, deployment.log_lines("thumbnailer", prefix)):
        if line.get("result") == "READY":
            ended = datetime.fromisoformat(line["timestamp"]).timestamp()
            found[str(line["object_key"])] = (ended - line["duration_ms"] / 1000, ended)
    return found


def ratios(done: list[Done], shape: Shape, rate: float) -> tuple[float, float]:
    """What was finished within SECONDS, and the median latency of it, in parts of what is foretold."""
    foretold = simulate(shape, rate, SECONDS)
    seen = [one for one in done if one.ended <= SECONDS]
    latency = float(np.median([one.ended - one.put for one in seen]))
    print(f"{len(seen)} of {len(done)}, foretold {foretold.finished[-1]:.0f}; after {latency:.2f} s, not {foretold.latency['p50']:.2f}")
    return len(seen) / foretold.finished[-1], latency / foretold.latency["p50"]


def is_close(found: tuple[float, float]) -> bool:
    return all(CLOSE[0] <= ratio <= CLOSE[1] for ratio in found)


def at_once(done: list[Done]) -> tuple[int, float]:
    """How many photos were worked on at the same time: at most, and on the average for as long as there were others to begin with."""
    changes = sorted([(one.began, 1) for one in done] + [(one.ended - CLOCK_S, -1) for one in done])
    most = max(accumulate(change for _, change in changes))
    first, last = min(one.began for one in done), max(one.began for one in done)
    return most, sum(min(one.ended, last) - one.began for one in done) / (last - first)


def evenly(rate: float) -> list[float]:
    return [number / rate for number in range(round(rate * SECONDS))]


def deployed(*measured: list[Done]) -> Shape:
    """The cloud's shape with measured times. A place for batches is never quite full: between two of them it waits for the emulator."""
    shape = tool.shape_of({"seconds": [one.ended - one.began for part in measured for one in part], "item_bytes": [1]}, ENVIRONMENT)
    places = batches_at_once(int(shape.maximum_concurrency), os.cpu_count() or 1)
    most, average = (np.array(one) for one in zip(*map(at_once, measured), strict=True))
    assert most.max() == places * shape.workers, (most, average)
    return dataclasses.replace(shape, maximum_concurrency=places, workers=float(average.mean()) / places)


def test_the_simulator_foretells_a_soak(deployment: Deployment) -> None:
    with own_bucket(deployment) as bucket:
        before = soaked(deployment, bucket, [0.0] * FLOOD)
        rate = OVERLOAD * deployed(before).ceilings()[CONCURRENCY]
        done = soaked(deployment, bucket, evenly(rate))
    after = [one for one in done if one.ended > SECONDS]
    found = ratios(done, deployed(before, after), rate)
    assert is_close(found), found


@pytest.mark.parametrize(
    ("actual", "foretold"),
    [(1.0, True), (1.2, True), (0.8, True), (2.0, False), (3.0, False), (0.5, False), (0.3, False)],
)
@pytest.mark.parametrize(("slots", "workers", "service_s"), [(1, 1, 0.2), (4, 2, 0.4), (10, 4, 1.0)])
def test_a_soak_that_goes_otherwise_is_noticed(actual: float, foretold: bool, slots: int, workers: int, service_s: float) -> None:
    """A queue whose service takes `actual` times as long as was measured."""
    shape = Shape((service_s,), maximum_concurrency=slots, workers=workers)
    rate, chance = OVERLOAD * slots * workers / service_s, random.Random(1)
    free, done = [0.0] * (slots * workers), []
    for put in evenly(rate):
        began = max(put, heapq.heappop(free))
        done.append(Done(put, began, began + actual * service_s * chance.uniform(0.8, 1.2)))
        heapq.heappush(free, done[-1].ended)
    assert is_close(ratios(done, shape, rate)) == foretold
