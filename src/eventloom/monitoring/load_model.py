"""The fluid model: uploads flow into the queue, pollers take them, the function works on them, half a second at a time.

Work is a quantity, not single uploads: exact for backlog and throughput, which are what quotas decide, and the same effort for 10 or
10,000 uploads a second. How long an upload waits follows from the curves of what came and what was taken (first in, first out); its own
time is drawn from the measured ones. What fluid leaves out is the wait of random arrivals below full load, a fraction of one service time.
"""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eventloom.monitoring import aws_limits, item_sizes
from eventloom.monitoring.prices import PRICES

STEP_S = 0.5
_SEED = 1

CONCURRENCY, ACCOUNT, POLLERS = "maximum_concurrency", "account_concurrency", "pollers"
INDEX, TABLE, BUCKET = "index_writes", "table_writes", "bucket_puts"

ADVICE = {
    CONCURRENCY: "raise thumbnailer_maximum_concurrency (and thumbnailer_ceiling) in terraform/environments.json",
    ACCOUNT: "ask for more concurrent executions of Lambda in Service Quotas; nothing else of the account runs meanwhile",
    POLLERS: "an event source mapping has 1,250 invocations at most: use provisioned mode, or a second queue",
    INDEX: "a change of code: spread the index by_status over keys READY#0 to READY#9, and have listings merge them",
    TABLE: "pre-warm the catalog table (warm throughput) before the peak, and raise its quota above 40,000 writes/s",
    BUCKET: "ramp up over hours: S3 splits the thumbnails bucket by its hashed prefixes; until then it answers 503 Slow Down",
}


@dataclass(frozen=True)
class Shape:
    """What is deployed. `service_s`: measured seconds of one upload while `workers` of them overlap in one invocation."""

    service_s: tuple[float, ...]
    maximum_concurrency: float = aws_limits.POLLERS_MOST.value
    account_concurrency: float = aws_limits.ACCOUNT_CONCURRENCY.value
    memory_mb: int = 1769
    workers: float = 1
    batch: int = 10
    thumbnails: int = 3
    # Of an item, and as many again of its copy in the index by_status
    write_units: float = item_sizes.write_units(item_sizes.BYTES)
    # Of that index, among which writes are spread: nearly every upload ends as READY
    index_keys: int = 1
    bucket_prefixes: int = 1

    @property
    def mean_s(self) -> float:
        """Seconds of an invocation that one upload takes."""
        return float(np.mean(self.service_s)) / self.workers

    @property
    def units(self) -> float:
        """Write units of one upload."""
        return 2 * self.write_units

    def ceilings(self) -> dict[str, float]:
        """Uploads a second that each limit allows once the pollers have scaled, and before a new table has."""
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
    """Curves by step, and what they say. Times in seconds.

    `first` is the limit that breaks first: the lowest below the rate; above it, the one that throttled while the start's backlog was
    worked off; None if nothing did.
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
        """Busy invocations on the average."""
        return float(self.busy.mean())


def simulate(shape: Shape, rate: float, seconds: float) -> Outcome:
    """`rate` uploads a second for `seconds` seconds, from an idle start."""
    steps = max(1, round(seconds / STEP_S))
    backlog, busy, finished = np.zeros(steps), np.zeros(steps), np.zeros(steps)
    most = min(shape.maximum_concurrency, shape.account_concurrency, aws_limits.POLLERS_MOST.value)
    pollers, waiting, done = min(aws_limits.POLLERS_START.value, most), 0.0, 0.0
    ceilings, throttled = shape.ceilings(), defaultdict[str, float](float)
    for step in range(steps):
        waiting += rate * STEP_S
        wanted = min(waiting, pollers / shape.mean_s * STEP_S)
        takes = {BUCKET: ceilings[BUCKET], INDEX: ceilings[INDEX], TABLE: _table(shape, finished[:step])}
        tightest = min(takes, key=lambda name: takes[name])
        taken = min(wanted, takes[tightest] * STEP_S)
        if wanted > taken:
            throttled[tightest] += wanted - taken
        waiting -= taken
        done += taken
        backlog[step], finished[step] = waiting, done
        busy[step] = taken * shape.mean_s / STEP_S
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
        1e6 * cost(shape),
    )


def _table(shape: Shape, finished: NDArray[np.floating]) -> float:
    """Uploads a second that the table takes by now: a new one's, or twice the most of what is half an hour ago."""
    seasoned = finished[: max(0, len(finished) - round(aws_limits.TABLE_DOUBLES_AFTER.value / STEP_S))]
    peak = float(np.diff(seasoned).max()) / STEP_S * shape.units if len(seasoned) > 1 else 0.0
    return min(aws_limits.TABLE_WRITES_MOST.value, max(aws_limits.TABLE_WRITES_START.value, 2 * peak)) / shape.units


def _latency(shape: Shape, arrived: NDArray[np.floating], finished: NDArray[np.floating]) -> dict[str, float]:
    """Percentiles of the time from upload to item, of the uploads that were finished."""
    numbers = np.linspace(0, finished[-1], 20_001)[1:]
    times = STEP_S * np.arange(1, len(arrived) + 1)
    came = np.interp(numbers, np.r_[0, arrived], np.r_[0, times])
    went = np.interp(numbers, np.r_[0, finished], np.r_[0, times])
    own = np.random.default_rng(_SEED).choice(np.asarray(shape.service_s), len(numbers))
    total = np.maximum(0, went - came) + own
    return {f"p{percent}": float(np.percentile(total, percent)) for percent in (50, 95, 99)}


def cost(shape: Shape) -> float:
    """USD of one upload at full batches: Lambda, queue, buckets, table. Storage and logs are not in it."""
    compute = shape.mean_s * shape.memory_mb / 1024 * PRICES["lambda_gb_s"]["x86_64"]
    requests = (PRICES["lambda_request"] + 2 * PRICES["sqs_request"]) / shape.batch + PRICES["sqs_request"]
    buckets = shape.thumbnails * PRICES["s3_put"] + PRICES["s3_get"]
    table = shape.units * PRICES["dynamodb_write"] + PRICES["dynamodb_read"]
    return float(compute + requests + buckets + table)
