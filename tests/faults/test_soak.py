"""The simulator predicts a soak of the deployed pipeline on one machine.

The simulator's input is not measured on the uploads that it predicts. The time per photo and the concurrency come from
a flood of photos before the soak, and from the backlog after it. The objects exist before the soak, and only their
events arrive at the given rate, ten in a request. Otherwise the uploads would load the emulator, which shares its
processors with the functions.
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
# The number of photos in the flood before the soak
FLOOD = 240
# The load as a multiple of the capacity, so that the capacity limits the result
OVERLOAD = 2
# The maximum number of messages in a request to the queue
BATCH = 10
# A photo's end is logged up to this many seconds late, when the next photo may have begun already.
CLOCK_S = 0.02
# The accepted range of a measured value divided by the predicted one
CLOSE = (0.6, 1.6)


@dataclass(frozen=True)
class Done:
    """The times of one photo in seconds since the start of the soak: its event, and the thumbnailer's begin and end."""

    sent: float
    began: float
    ended: float


def soak(deployment: Deployment, bucket: str, moments: list[float]) -> list[Done]:
    """Send an event of a photo for each moment and return the times of all photos.

    BATCH events are sent together, at the moment of the last one.
    """
    prefix, body, sent = unique("soak"), photo(1600, 1200), dict[str, float]()
    keys = [f"{prefix}/{number}.jpg" for number in range(len(moments))]

    def send(batch: tuple[tuple[str, float], ...]) -> None:
        time.sleep(max(0.0, start + batch[-1][1] - time.time()))
        sent.update(dict.fromkeys((key for key, _ in batch), time.time() - start))
        bodies = [notification(bucket, key) for key, _ in batch]
        entries = [{"Id": str(number), "MessageBody": message} for number, message in enumerate(bodies)]
        answer = client("sqs").send_message_batch(QueueUrl=deployment["uploads_queue_url"], Entries=entries)
        assert "Failed" not in answer, answer

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: client("s3").put_object(Bucket=bucket, Key=key, Body=body), keys))
        start = time.time()
        list(pool.map(send, batched(zip(keys, moments, strict=True), BATCH, strict=False)))
    settled(lambda: depth(deployment["uploads_queue_url"]), 240)
    times = _logged_times(deployment, prefix)
    done = {key: Done(sent[key], began - start, ended - start) for key, (began, ended) in times.items()}
    assert set(done) == set(sent)
    return list(done.values())


def _logged_times(deployment: Deployment, prefix: str) -> dict[str, tuple[float, float]]:
    """Return when the thumbnailer began and ended each key.

    The times come from the text of the log lines, because CloudWatch's timestamps are equal for all lines of a batch.
    """
    times = {}
    for line in map(json.loads, deployment.log_lines("thumbnailer", prefix)):
        if line.get("result") == "READY":
            ended = datetime.fromisoformat(line["timestamp"]).timestamp()
            times[str(line["object_key"])] = (ended - line["duration_ms"] / 1000, ended)
    return times


def ratios(done: list[Done], shape: Shape, rate: float) -> tuple[float, float]:
    """Return the photos finished within SECONDS and their median latency, both relative to the prediction."""
    prediction = simulate(shape, rate, SECONDS)
    finished = [photo for photo in done if photo.ended <= SECONDS]
    latency = float(np.median([photo.ended - photo.sent for photo in finished]))
    print(
        f"{len(finished)} of {len(done)} finished, predicted {prediction.finished[-1]:.0f}; "
        f"median latency {latency:.2f} s, predicted {prediction.latency['p50']:.2f} s"
    )
    return len(finished) / prediction.finished[-1], latency / prediction.latency["p50"]


def is_close(values: tuple[float, float]) -> bool:
    return all(CLOSE[0] <= value <= CLOSE[1] for value in values)


def concurrency(done: list[Done]) -> tuple[int, float]:
    """Return the maximum and the average number of photos in progress, until the last photo began."""
    changes = sorted([(photo.began, 1) for photo in done] + [(photo.ended - CLOCK_S, -1) for photo in done])
    most = max(accumulate(change for _, change in changes))
    first, last = min(photo.began for photo in done), max(photo.began for photo in done)
    return most, sum(min(photo.ended, last) - photo.began for photo in done) / (last - first)


def spread_evenly(rate: float) -> list[float]:
    return [number / rate for number in range(round(rate * SECONDS))]


def deployed_shape(*measured: list[Done]) -> Shape:
    """Return the shape of the deployment with measured times and concurrency.

    The average concurrency is lower than the maximum, because the emulator takes time between two batches.
    """
    seconds = [photo.ended - photo.began for part in measured for photo in part]
    shape = tool.shape_of({"seconds": seconds, "item_bytes": [1]}, ENVIRONMENT)
    batches = batches_at_once(int(shape.maximum_concurrency), os.cpu_count() or 1)
    most, average = (np.array(values) for values in zip(*map(concurrency, measured), strict=True))
    assert most.max() == batches * shape.workers, (most, average)
    return dataclasses.replace(shape, maximum_concurrency=batches, workers=float(average.mean()) / batches)


def test_the_simulator_predicts_a_soak(deployment: Deployment) -> None:
    with own_bucket(deployment) as bucket:
        before = soak(deployment, bucket, [0.0] * FLOOD)
        rate = OVERLOAD * deployed_shape(before).ceilings()[CONCURRENCY]
        done = soak(deployment, bucket, spread_evenly(rate))
    after = [photo for photo in done if photo.ended > SECONDS]
    values = ratios(done, deployed_shape(before, after), rate)
    assert is_close(values), values


@pytest.mark.parametrize(
    ("actual", "predicted"),
    [(1.0, True), (1.2, True), (0.8, True), (2.0, False), (3.0, False), (0.5, False), (0.3, False)],
)
@pytest.mark.parametrize(("slots", "workers", "service_s"), [(1, 1, 0.2), (4, 2, 0.4), (10, 4, 1.0)])
def test_a_soak_that_differs_from_the_prediction_is_noticed(
    actual: float,
    predicted: bool,
    slots: int,
    workers: int,
    service_s: float,
) -> None:
    """Each photo takes `actual` times as long as the measurement says."""
    shape = Shape((service_s,), maximum_concurrency=slots, workers=workers)
    rate, chance = OVERLOAD * slots * workers / service_s, random.Random(1)
    free, done = [0.0] * (slots * workers), []
    for sent in spread_evenly(rate):
        began = max(sent, heapq.heappop(free))
        done.append(Done(sent, began, began + actual * service_s * chance.uniform(0.8, 1.2)))
        heapq.heappush(free, done[-1].ended)
    assert is_close(ratios(done, shape, rate)) == predicted
