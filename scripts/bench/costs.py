"""Estimate the cost of a million photos on AWS from measured CPU time, list prices and a model of an invocation.

1,769 MB of memory comes with one virtual CPU, and less memory with a proportional share. The waiting times for S3 and
DynamoDB are assumptions (ASSUMED). Our function overlaps them with decoding; the naive function does not. Items have
the size of those in the demo. Our function reads an item before it writes it, and each write also goes to the index by
status. The estimate leaves out free tiers, cold starts, logs and storage.
"""

from typing import Any, NamedTuple

from eventloom.monitoring import item_sizes
from eventloom.monitoring.prices import PRICES
from thumbnailer.settings import Settings

ASSUMED = {"s3_get_ms": 30, "s3_put_ms": 35, "dynamodb_ms": 6, "network_mb_per_s": 70, "batch_size": 10}
_MB_PER_CPU = 1769
_SWEEP = (512, 768, 1024, 1280, 1536, 1769, 2048, 3008)
_CONFIGURED_MB = 1769
WORKERS = Settings.workers


class _Function(NamedTuple):
    """How a function handles a photo, besides reading it and writing three thumbnails and an item."""

    # The number of photos that it handles at the same time
    workers: int
    # The number of thumbnails that it writes one after the other
    puts_in_turn: int
    item_reads: int
    # The number of copies of each item, in the table and in its indexes with all attributes
    copies: int
    # The number of its indexes that hold only keys; each write costs one write unit per index
    key_indexes: int = 0


_OURS = _Function(WORKERS, puts_in_turn=1, item_reads=1, copies=3, key_indexes=1)
_NAIVE = _Function(workers=1, puts_in_turn=3, item_reads=0, copies=1)

# The memory of the runtime, Python, boto3 and Pillow before the first photo
_IDLE_MB = 110


def run(cpu_ms: dict[str, float], naive_ms: float, photo_bytes: float, peak_mb: dict[str, float]) -> dict[str, Any]:
    """Return the cost by architecture: as configured, for every memory size, and with the cheapest memory that fits.

    The result includes the cost of the naive function.

    Args:
        cpu_ms: the CPU time of a photo, by architecture.
        naive_ms: the CPU time of a photo in the naive function.
        photo_bytes: the size of a photo.
        peak_mb: the growth of memory with the largest photo, by architecture, and for "naive".
    """
    result: dict[str, Any] = {}
    for arch, cpu in cpu_ms.items():
        sweep = _sweep(arch, cpu, photo_bytes, peak_mb[arch], _OURS)
        naive = _sweep(arch, naive_ms, photo_bytes, peak_mb["naive"], _NAIVE)
        result[arch] = {
            "usd_per_million": _configured(sweep)["usd_per_million"],
            "naive_usd_per_million": _configured(naive)["usd_per_million"],
            "compute_usd_per_million": round(_compute(arch, _CONFIGURED_MB, _configured(sweep)["duration_ms"]), 2),
            "cheapest_memory_mb": _cheapest(sweep)["memory_mb"],
            "sweep": sweep,
            "naive": {
                f"naive at {_CONFIGURED_MB}": _configured(naive),
                f"naive at {_cheapest(naive)['memory_mb']}, its cheapest": _cheapest(naive),
            },
        }
    return result


def _sweep(arch: str, cpu_ms: float, photo_bytes: float, peak_mb: float, function: _Function) -> list[dict[str, Any]]:
    sweep = []
    for memory in _SWEEP:
        duration = _duration_ms(cpu_ms, memory, photo_bytes, function)
        fits = memory >= _IDLE_MB + function.workers * (peak_mb + photo_bytes / 1e6)
        usd = round(_usd(arch, memory, duration, function), 2)
        sweep.append({"memory_mb": memory, "duration_ms": round(duration, 1), "usd_per_million": usd, "fits": fits})
    return sweep


def _configured(sweep: list[dict[str, Any]]) -> dict[str, Any]:
    return next(row for row in sweep if row["memory_mb"] == _CONFIGURED_MB)


def _cheapest(sweep: list[dict[str, Any]]) -> dict[str, Any]:
    return min((row for row in sweep if row["fits"]), key=lambda row: float(row["usd_per_million"]))


def _duration_ms(cpu_ms: float, memory_mb: int, photo_bytes: float, function: _Function) -> float:
    """Return how long a photo occupies an execution environment. Waiting that overlaps other work does not count."""
    computing = cpu_ms / min(1.0, memory_mb / _MB_PER_CPU)
    waiting = ASSUMED["s3_get_ms"] + photo_bytes / 1e3 / ASSUMED["network_mb_per_s"]
    waiting += function.puts_in_turn * ASSUMED["s3_put_ms"] + (function.item_reads + 1) * ASSUMED["dynamodb_ms"]
    return max(computing, (computing + waiting) / function.workers)


def _compute(arch: str, memory_mb: int, duration_ms: float) -> float:
    return float(1e6 * PRICES["lambda_gb_s"][arch] * memory_mb / 1024 * duration_ms / 1000)


def _usd(arch: str, memory_mb: int, duration_ms: float, function: _Function) -> float:
    writes = function.copies * item_sizes.write_units(item_sizes.BYTES) + function.key_indexes
    each: float = PRICES["s3_get"] + 3 * PRICES["s3_put"]
    each += writes * PRICES["dynamodb_write"] + function.item_reads * PRICES["dynamodb_read"]
    # One message from S3, and a share of receiving a batch, hiding and deleting it, and invoking the function for it
    each += PRICES["sqs_request"] * (1 + 3 / ASSUMED["batch_size"]) + PRICES["lambda_request"] / ASSUMED["batch_size"]
    return _compute(arch, memory_mb, duration_ms) + 1e6 * each
