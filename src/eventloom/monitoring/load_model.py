"""Simulate the pipeline under load with a fluid model: uploads are a continuous quantity, not single events.

Uploads enter the queue, pollers take them, and the function processes them. A step of the model is half a second. The
model is exact for backlog and throughput, which quotas limit. Its run time does not depend on the upload rate.
The waiting time of an upload is the distance between the curves of arrivals and departures (first in, first out). Its
processing time is drawn at random from measured times. The model leaves out the waiting that random arrivals cause
below full load. That waiting is a fraction of one processing time.
"""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eventloom.monitoring import aws_limits, item_sizes
from eventloom.monitoring.prices import photo_usd

STEP_S = 0.5
_SEED = 1

CONCURRENCY, ACCOUNT, POLLERS = "maximum_concurrency", "account_concurrency", "pollers"
INDEX, TABLE, BUCKET = "index_writes", "table_writes", "bucket_puts"

ADVICE = {
    CONCURRENCY: "raise thumbnailer_maximum_concurrency (and thumbnailer_ceiling) in terraform/environments.json",
    ACCOUNT: "raise Lambda's concurrent executions in Service Quotas; until then the account's other functions wait",
    POLLERS: "use the event source mapping's provisioned mode, or a second queue: a mapping has 1,250 invocations",
    INDEX: "change the code: let digest and reports read the index by_taken, and remove by_status, whose key is READY",
    TABLE: "pre-warm the catalog table (warm throughput) before the peak, and raise its quota above 40,000 writes/s",
    BUCKET: "raise the load over hours: S3 splits the thumbnails bucket by prefix, and answers 503 until then",
}


@dataclass(frozen=True)
class Shape:
    """A deployment to simulate.

    `service_s` are measured processing times of uploads in seconds, while an invocation processes `workers` uploads at
    the same time.
    """

    service_s: tuple[float, ...]
    maximum_concurrency: float = aws_limits.POLLERS_MOST.value
    account_concurrency: float = aws_limits.ACCOUNT_CONCURRENCY.value
    memory_mb: int = 1769
    workers: float = 1
    batch: int = 10
    thumbnails: int = 3
    # The write units of an item in the table. Its copy in the index by_status needs the same number.
    write_units: float = item_sizes.write_units(item_sizes.BYTES)
    # The number of that index's partition keys that receive writes: 1, because nearly every upload becomes READY.
    index_keys: int = 1
    bucket_prefixes: int = 1

    @property
    def mean_s(self) -> float:
        """Return the average seconds of invocation time for one upload."""
        return float(np.mean(self.service_s)) / self.workers

    @property
    def units(self) -> float:
        """Return the write units of one upload in the table and in the index by_status."""
        return 2 * self.write_units

    @property
    def billed_units(self) -> float:
        """Return the billed write units of one upload.

        They are for the table, two indexes with all attributes, and one index with only the keys.
        """
        return 3 * self.write_units + 1

    def ceilings(self) -> dict[str, float]:
        """Return the uploads a second that each limit allows, with fully scaled pollers and a new table."""
        return {
            CONCURRENCY: self.maximum_concurrency / self.mean_s,
            ACCOUNT: self.account_concurrency / self.mean_s,
            POLLERS: aws_limits.POLLERS_MOST.value / self.mean_s,
            INDEX: aws_limits.INDEX_PARTITION_WRITES.value * self.index_keys / self.write_units,
            TABLE: aws_limits.TABLE_WRITES_START.value / self.units,
            BUCKET: aws_limits.BUCKET_PUTS.value * self.bucket_prefixes / self.thumbnails,
        }


@dataclass(frozen=True)
class Outcome:
    """The result of a simulation at one rate: curves with a value for each step, and figures. Times are in seconds.

    `first` is the lowest limit if it is below the rate. Otherwise it is the limit that throttled most while the initial
    backlog was processed, or None if no limit was reached.
    """

    rate: float
    backlog: NDArray[np.floating]
    busy: NDArray[np.floating]
    arrived: NDArray[np.floating]
    finished: NDArray[np.floating]
    throttled: float
    latency: dict[str, float]
    first: str | None
    cost_per_million: float

    @property
    def utilisation(self) -> float:
        """Return the average number of busy invocations."""
        return float(self.busy.mean())


def simulate(shape: Shape, rate: float, seconds: float) -> Outcome:
    """Simulate `rate` uploads a second for `seconds` seconds, starting idle, and return the outcome."""
    steps = max(1, round(seconds / STEP_S))
    backlog, busy, finished = np.zeros(steps), np.zeros(steps), np.zeros(steps)
    most = min(shape.maximum_concurrency, shape.account_concurrency, aws_limits.POLLERS_MOST.value)
    pollers, waiting, done = min(aws_limits.POLLERS_START.value, most), 0.0, 0.0
    ceilings, throttled = shape.ceilings(), defaultdict[str, float](float)
    for step in range(steps):
        waiting += rate * STEP_S
        demand = min(waiting, pollers / shape.mean_s * STEP_S)
        takes = {BUCKET: ceilings[BUCKET], INDEX: ceilings[INDEX], TABLE: _table(shape, finished[:step])}
        tightest = min(takes, key=lambda name: takes[name])
        processed = min(demand, takes[tightest] * STEP_S)
        if demand > processed:
            throttled[tightest] += demand - processed
        waiting -= processed
        done += processed
        backlog[step], finished[step] = waiting, done
        busy[step] = processed * shape.mean_s / STEP_S
        if waiting > 0:
            pollers = min(most, pollers + aws_limits.POLLERS_PER_MINUTE.value / 60 * STEP_S)
    arrived = rate * STEP_S * np.arange(1, steps + 1)
    lowest = min(ceilings, key=lambda name: ceilings[name])
    throttling = max(throttled, key=lambda name: throttled[name], default=None)
    return Outcome(
        rate,
        backlog,
        busy,
        arrived,
        finished,
        sum(throttled.values()),
        _latency(shape, arrived, finished),
        lowest if ceilings[lowest] < rate else throttling,
        1e6 * usd_per_photo(shape),
    )


def _table(shape: Shape, finished: NDArray[np.floating]) -> float:
    """Return the uploads a second that the table accepts.

    The capacity is twice the peak until half an hour ago, but at least that of a new table.
    """
    seasoned = finished[: max(0, len(finished) - round(aws_limits.TABLE_DOUBLES_AFTER.value / STEP_S))]
    peak = float(np.diff(seasoned).max()) / STEP_S * shape.units if len(seasoned) > 1 else 0.0
    return min(aws_limits.TABLE_WRITES_MOST.value, max(aws_limits.TABLE_WRITES_START.value, 2 * peak)) / shape.units


def _latency(shape: Shape, arrived: NDArray[np.floating], finished: NDArray[np.floating]) -> dict[str, float]:
    """Return percentiles of the time from the upload to the catalog item, for all finished uploads."""
    numbers = np.linspace(0, finished[-1], 20_001)[1:]
    times = STEP_S * np.arange(1, len(arrived) + 1)
    arrival = np.interp(numbers, np.r_[0, arrived], np.r_[0, times])
    departure = np.interp(numbers, np.r_[0, finished], np.r_[0, times])
    own = np.random.default_rng(_SEED).choice(np.asarray(shape.service_s), len(numbers))
    total = np.maximum(0, departure - arrival) + own
    return {f"p{percent}": float(np.percentile(total, percent)) for percent in (50, 95, 99)}


def usd_per_photo(shape: Shape) -> float:
    """Return the cost of one upload in USD, with full batches, and without storage and logs."""
    return photo_usd(
        shape.mean_s, shape.memory_mb, thumbnails=shape.thumbnails, write_units=shape.billed_units, batch=shape.batch
    )
