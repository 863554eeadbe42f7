"""Measure cold starts: the CPU time of importing a handler in a new process, minus that of an empty process.

All functions import boto3 with its `.pyc` files from build/venv/lambda-runtime, which stands for Lambda's runtime. The
folder of a function is read-only in Lambda, so a module without bytecode in the package is compiled at every start.
"""

import os
import subprocess
from pathlib import Path
from typing import Any

from eventloom.clouds import BUILD
from scripts.bench import report

PYTHON = BUILD / "venv/lambda-runtime/bin/python"
ARN = "arn:aws:sns:us-east-1:000000000000:bench"
# Values for the settings that the functions require; importing a handler calls no service
ENVIRONMENT = {
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_LAMBDA_FUNCTION_NAME": "bench",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
    "POWERTOOLS_SERVICE_NAME": "bench",
    "POWERTOOLS_METRICS_NAMESPACE": "Eventloom",
    "ACTIVITY_TABLE": "bench",
    "ALLOWED_ORIGINS": "https://photos.example.com",
    "ANALYTICS_BUCKET": "bench",
    "CATALOG_TABLE": "bench",
    "REPORT_TOPIC_ARN": ARN,
    "RULES": "{}",
    "STATE_TABLE": "bench",
    "THUMBNAILS_BUCKET": "bench",
    "TOPIC_ARN": ARN,
    "UPLOADS_BUCKET": "bench",
}


def environment(folder: Path, extra: dict[str, str]) -> dict[str, str]:
    """Return the environment variables of a function whose package is unpacked in `folder`."""
    return {"PATH": os.defpath, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(folder)} | ENVIRONMENT | extra


def run(tasks: dict[str, tuple[Path, str, dict[str, str]]], rounds: int) -> dict[str, dict[str, Any]]:
    """Return cpu_ms and ratio_naive by name.

    `tasks` maps each name to a folder, a module and extra variables. One name must be "naive".
    """
    libraries = next((BUILD / "venv/lambda-runtime/lib").glob("python*/site-packages"))
    subprocess.run([PYTHON, "-m", "compileall", "-q", libraries], check=True, env={"PATH": os.defpath})
    best: dict[str, float] = {}
    for _ in range(rounds):
        for name, (folder, module, extra) in {"": (Path("/"), "sys", {}), **tasks}.items():
            used = _cpu_ms(module, environment(folder, extra))
            best[name] = min(best.get(name, used), used)
    empty = best.pop("")
    return {
        name: {"cpu_ms": round(used - empty, 1), "ratio_naive": round((used - empty) / (best["naive"] - empty), 3)}
        for name, used in best.items()
    }


def named(starts: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the starts, with the thumbnailer's also under the name of our engine."""
    return {report.OURS: starts["thumbnailer"]} | starts


def _cpu_ms(module: str, variables: dict[str, str]) -> float:
    # stderr is only shown on failure: at exit, DuckDB prints a list of functions that were not freed.
    process = subprocess.Popen(
        [PYTHON, "-c", f"import {module}"], env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    errors = process.stderr.read() if process.stderr else b""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"importing {module} failed: {errors.decode()}")
    return 1000 * (usage.ru_utime + usage.ru_stime)
