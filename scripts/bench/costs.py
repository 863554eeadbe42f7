"""What a million photos cost on AWS: measured CPU time, list prices, and a model of how long an invocation takes.

One virtual CPU comes with 1,769 MB, and less memory gets that share of it. Waiting for S3 and DynamoDB is assumed
(ASSUMED); ours overlaps it with decoding, the naive function does not. Items are as large as the demo's; ours are written twice, the
index by status has all of them, and looked up before. Free tiers are left out, and so are starts, logs and storage.
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
    """What a function does for a photo besides reading it, writing three thumbnails and an item."""

    # Photos at the same time
    workers: int
    # Writes of thumbnails that wait for each other
    puts_in_turn: int
    item_reads: int
    # Of the item: in the table, and in its index
    copies: int


_OURS = _Function(WORKERS, puts_in_turn=1, item_reads=1, copies=2)
_NAIVE = _Function(workers=1, puts_in_turn=3, item_reads=0, copies=1)

# Python, boto3, Pillow and the runtime, before any photo
_IDLE_MB = 110


def run(cpu_ms: dict[str, float], naive_ms: float, photo_bytes: float, peak_mb: dict[str, float]) -> dict[str, Any]:
    """By architecture: usd_per_million as configured, the sweep over memory sizes and the cheapest that fits; naive likewise.

    `cpu_ms` is by architecture; `peak_mb` (growth by the largest photo measured) too, and that of "naive"; a photo has `photo_bytes`.
    """
    found: dict[str, Any] = {}
    for arch, cpu in cpu_ms.items():
        sweep = _sweep(arch, cpu, photo_bytes, peak_mb[arch], _OURS)
        naive = _sweep(arch, naive_ms, photo_bytes, peak_mb["naive"], _NAIVE)
        found[arch] = {
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
    return found


def _sweep(arch: str, cpu_ms: float, photo_bytes: float, peak_mb: float, function: _Function) -> list[dict[str, Any]]:
    sweep = []
    for memory in _SWEEP:
        duration = _duration_ms(cpu_ms, memory, photo_bytes, function)
        fits = memory >= _IDLE_MB + function.workers * (peak_mb + photo_bytes / 1e6)
        usd = round(_usd(arch, memory, duration, function), 2)
        sweep.append({"memory_mb": memory, "duration_ms": round(duration, 1), "usd_per_million": usd, "fits": fits})
    return sweep


def _configured(sweep: list[dict[str, Any]]) -> dict[str, Any]:
    return next(one for one in sweep if one["memory_mb"] == _CONFIGURED_MB)


def _cheapest(sweep: list[dict[str, Any]]) -> dict[str, Any]:
    return min((one for one in sweep if one["fits"]), key=lambda one: float(one["usd_per_million"]))


def _duration_ms(cpu_ms: float, memory_mb: int, photo_bytes: float, function: _Function) -> float:
    """Time of an execution environment that a photo takes up: its CPU share, and waiting as far as nothing else runs then."""
    computing = cpu_ms / min(1.0, memory_mb / _MB_PER_CPU)
    waiting = ASSUMED["s3_get_ms"] + photo_bytes / 1e3 / ASSUMED["network_mb_per_s"]
    waiting += function.puts_in_turn * ASSUMED["s3_put_ms"] + (function.item_reads + 1) * ASSUMED["dynamodb_ms"]
    return max(computing, (computing + waiting) / function.workers)


def _compute(arch: str, memory_mb: int, duration_ms: float) -> float:
    return float(1e6 * PRICES["lambda_gb_s"][arch] * memory_mb / 1024 * duration_ms / 1000)


def _usd(arch: str, memory_mb: int, duration_ms: float, function: _Function) -> float:
    writes = function.copies * item_sizes.write_units(item_sizes.BYTES)
    each: float = PRICES["s3_get"] + 3 * PRICES["s3_put"]
    each += writes * PRICES["dynamodb_write"] + function.item_reads * PRICES["dynamodb_read"]
    # S3's message, and a share of receiving and deleting a batch and of invoking for it
    each += PRICES["sqs_request"] * (1 + 2 / ASSUMED["batch_size"]) + PRICES["lambda_request"] / ASSUMED["batch_size"]
    return _compute(arch, memory_mb, duration_ms) + 1e6 * each
