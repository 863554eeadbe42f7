"""Format Lambda's START, END and REPORT lines, as text or as JSON, depending on the function's log format."""

import json
import math
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True)
class Report:
    """Lambda's report of one invocation. `status` is success, error (with `error_type`), failure or timeout."""

    request_id: str
    version: str
    duration_ms: float
    memory_mb: int
    used_mb: int
    init_ms: float | None = None
    status: str = "success"
    error_type: str | None = None


def init_start(runtime: str, *, as_json: bool) -> str:
    """Return the line that precedes the output of a cold start."""
    if as_json:
        return _record(
            "platform.initStart", {"initializationType": "on-demand", "phase": "init", "runtimeVersion": runtime}
        )
    return f"INIT_START Runtime Version: {runtime}\n"


def start(request_id: str, version: str, *, as_json: bool) -> str:
    """Return the line that precedes the function's own lines."""
    if as_json:
        return _record("platform.start", {"requestId": request_id, "version": version})
    return f"START RequestId: {request_id} Version: {version}\n"


def end(report: Report, *, as_json: bool) -> list[str]:
    """Return the lines that follow the function's own lines."""
    billed = math.ceil(report.duration_ms)
    if as_json:
        metrics: dict[str, Any] = {
            "durationMs": round(report.duration_ms, 3),
            "billedDurationMs": billed,
            "memorySizeMB": report.memory_mb,
            "maxMemoryUsedMB": report.used_mb,
        }
        if report.init_ms is not None:
            metrics["initDurationMs"] = round(report.init_ms, 3)
        record = {"requestId": report.request_id, "metrics": metrics, "status": report.status}
        if report.error_type:
            record["errorType"] = report.error_type
        return [_record("platform.report", record)]
    fields = [
        f"REPORT RequestId: {report.request_id}",
        f"Duration: {report.duration_ms:.2f} ms",
        f"Billed Duration: {billed} ms",
        f"Memory Size: {report.memory_mb} MB",
        f"Max Memory Used: {report.used_mb} MB",
    ]
    if report.init_ms is not None:
        fields.append(f"Init Duration: {report.init_ms:.2f} ms")
    # The text format has no status for an error that the function raised itself.
    if report.status == "timeout" or report.error_type:
        fields.append(f"Status: {report.status}")
    if report.error_type:
        fields.append(f"Error Type: {report.error_type}")
    return [f"END RequestId: {report.request_id}\n", "\t".join(fields) + "\n"]


def timed_out(request_id: str, seconds: float) -> str:
    """Return the line that Lambda logs when a function times out."""
    return f"{_now()} {request_id} Task timed out after {seconds:.2f} seconds\n"


def _record(kind: str, record: dict[str, Any]) -> str:
    return json.dumps({"time": _now(), "type": kind, "record": record}) + "\n"


def now_us() -> int:
    """Return the time in microseconds since 1970."""
    return time.time_ns() // 1000


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
