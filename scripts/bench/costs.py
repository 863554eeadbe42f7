"""What a million photos cost on AWS: measured CPU time, list prices, and a model of how long an invocation takes.

One virtual CPU comes with 1,769 MB, and less memory gets that share of it. Waiting for S3 and DynamoDB is assumed
(ASSUMED); ours overlaps it with decoding, the naive function does not. Items are as large as the demo's, and written twice: the index by
status has all of them. Free tiers are left out.
"""

from typing import Any

import catalog_items
from prices import PRICES
from thumbnailer.settings import Settings

ASSUMED = {"s3_get_ms": 30, "s3_put_ms": 35, "dynamodb_ms": 6, "network_mb_per_s": 70, "batch_size": 10}
_MB_PER_CPU = 1769
_SWEEP = (512, 768, 1024, 1280, 1536, 1769, 2048, 3008)
_CONFIGURED_MB = 1769
WORKERS = Settings.workers
# Python, boto3, Pillow and the runtime, before any photo
_IDLE_MB = 110


def run(cpu_ms: dict[str, float], naive_ms: float, photo_bytes: float, peak_mb: dict[str, float]) -> dict[str, Any]:
    """By architecture: usd_per_million as configured, naive_usd_per_million, the sweep over memory sizes and the cheapest that fits.

    `cpu_ms` and `peak_mb` (growth by the largest photo measured) are by architecture; a photo has `photo_bytes`.
    """
    found: dict[str, Any] = {}
    for arch, cpu in cpu_ms.items():
        sweep = [
            {
                "memory_mb": memory,
                "duration_ms": round(_duration_ms(cpu, memory, photo_bytes, WORKERS), 1),
                "usd_per_million": round(_usd(arch, memory, _duration_ms(cpu, memory, photo_bytes, WORKERS)), 2),
                "fits": memory >= _IDLE_MB + WORKERS * (peak_mb[arch] + photo_bytes / 1e6),
            }
            for memory in _SWEEP
        ]
        configured = next(one for one in sweep if one["memory_mb"] == _CONFIGURED_MB)
        cheapest = min((one for one in sweep if one["fits"]), key=lambda one: one["usd_per_million"])
        found[arch] = {
            "usd_per_million": configured["usd_per_million"],
            "naive_usd_per_million": round(_usd(arch, _CONFIGURED_MB, _duration_ms(naive_ms, _CONFIGURED_MB, photo_bytes, 1)), 2),
            "compute_usd_per_million": round(_compute(arch, _CONFIGURED_MB, configured["duration_ms"]), 2),
            "cheapest_memory_mb": cheapest["memory_mb"],
            "sweep": sweep,
        }
    return found


def _duration_ms(cpu_ms: float, memory_mb: int, photo_bytes: float, workers: int) -> float:
    """Time of an execution environment that a photo takes up: its CPU share, and waiting as far as nothing else runs then."""
    computing = cpu_ms / min(1.0, memory_mb / _MB_PER_CPU)
    writes = 1 if workers > 1 else 3  # thumbnails, at the same time or one after the other
    waiting = (
        ASSUMED["s3_get_ms"] + photo_bytes / 1e3 / ASSUMED["network_mb_per_s"] + writes * ASSUMED["s3_put_ms"] + 2 * ASSUMED["dynamodb_ms"]
    )
    return max(computing, (computing + waiting) / workers)


def _compute(arch: str, memory_mb: int, duration_ms: float) -> float:
    return float(1e6 * PRICES["lambda_gb_s"][arch] * memory_mb / 1024 * duration_ms / 1000)


def _usd(arch: str, memory_mb: int, duration_ms: float) -> float:
    writes = 2 * catalog_items.write_units(catalog_items.BYTES)
    each = PRICES["s3_get"] + 3 * PRICES["s3_put"] + writes * PRICES["dynamodb_write"] + PRICES["dynamodb_read"]
    # S3's message, and a share of receiving and deleting a batch and of invoking for it
    each += PRICES["sqs_request"] * (1 + 2 / ASSUMED["batch_size"]) + PRICES["lambda_request"] / ASSUMED["batch_size"]
    return _compute(arch, memory_mb, duration_ms) + 1e6 * each
