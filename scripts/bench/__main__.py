"""Measure our engine, its peers, cold starts, the pipeline, the inner loop and the cost.

Usage: python -m scripts.bench [--quick]
Writes build/bench.json, build/bench.html and docs/performance.md. With --quick, it measures one photo in few rounds
without the pipeline, and only writes build/bench-quick.json and build/bench-quick.html.
"""

import argparse
import json
import os
import platform
import re
import sys
import time
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

# A separate port, so that the benchmark's LocalStack does not collide with another one
os.environ.setdefault("EMBEDDED_PORT", "4597")

from eventloom.clouds import BUILD, chosen_cloud
from eventloom.deployment import build
from eventloom.monitoring import item_sizes
from eventloom.monitoring.prices import PRICES
from scripts.bench import coldstart, costs, inner_loop, measure, packages, photos, report, throughput

# The engine that provides the figures of each architecture
_ENGINE_OF = {"x86_64": "eventloom", "arm64": "eventloom-pillow", "naive": "naive"}


def main() -> None:
    """Run all measurements and write the reports. Exit with a message if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    quick_help = "check that the benchmark runs, in too few rounds for a comparison"
    parser.add_argument("--quick", action="store_true", help=quick_help)
    quick = parser.parse_args().quick
    began = time.monotonic()
    print("photos and peers", flush=True)
    collection, missing = photos.collect(quick), {}
    engines = [*measure.PYTHON_ENGINES, *measure.SPECIAL]
    if reason := measure.install_sharp():
        missing["sharp"] = reason
    else:
        engines += measure.SHARP_ENGINES
    print("engines", flush=True)
    rounds = 1 if quick else 5
    measured = measure.run(collection, engines, rounds)
    figures: dict[str, Any] = {
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "rounds": rounds,
        "main_class_turns": measure.TURNS[measure.MAIN_CLASS],
        "machine": {"cpu": _processor(), "cores": os.cpu_count(), "architecture": platform.machine()},
        "versions": _versions(missing),
        "photos": {
            "classes": {kind: [path.name for path in files] for kind, files in collection.classes.items()},
            "origins": collection.origins,
        },
        "missing": missing,
        "engines": {name: by for name, by in measured.items() if name not in {"half-decode", "facts"}},
        "floor": _floor(measured),
        "prices": PRICES,
        "assumed": costs.ASSUMED,
        "item_bytes": item_sizes.BYTES,
    }
    figures |= _functions(collection.classes["jpeg_12mp"], quick, missing)
    figures["inner_loop"] = _inner_loop(quick, missing)
    figures["cost"] = _costs(figures, collection)
    figures["seconds"] = round(time.monotonic() - began)
    name = "bench-quick" if quick else "bench"
    BUILD.joinpath(f"{name}.json").write_text(json.dumps(figures, indent=2) + "\n")
    BUILD.joinpath(f"{name}.html").write_text(report.page(figures))
    if not quick:
        report.write_page(figures)
    for row in report.targets(figures):
        print(f"  {row[0]:<52} {row[1]:>8}  {row[2]:<8} {row[3].strip('*')}")
    for subject, reason in missing.items():
        print(f"SKIPPED: {subject} was not measured: {reason}")
    print(f"build/{name}.html, build/{name}.json{'' if quick else ', docs/performance.md'} ({figures['seconds']} s)")
    if not quick and (failures := report.failures(figures)):
        sys.exit(f"make bench: {'; '.join(failures)}")


def _floor(measured: dict[str, dict[str, dict[str, Any]]]) -> dict[str, float]:
    half, facts, webp, ours = (
        measured[name]["jpeg_12mp"]["cpu_ms"] for name in ("half-decode", "facts", "eventloom-webp", "eventloom")
    )
    return {
        "half_decode_ms": half,
        "job_to_half_decode": round(ours / half, 3),
        "webp_job_to_half_decode": round(webp / half, 3),
        "facts_ms": facts,
        "facts_share": round(facts / (ours - facts), 4),
    }


def _functions(files: list[Path], quick: bool, missing: dict[str, str]) -> dict[str, Any]:
    """Return the figures of cold starts, of the pipeline and of the packages' sizes."""
    print("packages and starts", flush=True)
    names = build.function_names()
    manifest = build.build_all(names, chosen_cloud().architecture, BUILD)
    folders = {name: packages.unpacked(name) for name in names}
    naive = packages.naive()
    tasks: dict[str, tuple[Path, str, dict[str, str]]] = {
        name: (folder, f"{name}.handler", {}) for name, folder in folders.items()
    }
    tasks |= {"naive": (naive, "handler", {}), "naive-compiled": (packages.compiled(naive), "handler", {})}
    starts = coldstart.run(tasks, 2 if quick else 12)
    pipeline: dict[str, Any] = {}
    if not quick:
        print("pipeline", flush=True)
        sides = {
            "eventloom": (folders["thumbnailer"], (BUILD / "thumbnailer.zip").read_bytes()),
            "naive": (naive, packages.zipped(naive)),
        }
        try:
            pipeline, invoked = throughput.run(sides, folders, files, count=30, repeats=2)
            invoked["thumbnailer"] = invoked.pop("eventloom")
            starts = {name: start | invoked.get(name, {}) for name, start in starts.items()}
        except Exception as error:  # the other figures are still useful, and the report lists the missing ones
            missing["pipeline"] = f"{type(error).__name__}: {error}"
    sizes = {name: {"zip_mb": round(manifest[name]["bytes"] / 1e6, 2)} for name in names}
    return {"cold_start": coldstart.named(starts), "pipeline": pipeline, "packages": sizes}


def _inner_loop(quick: bool, missing: dict[str, str]) -> dict[str, Any]:
    """Return the figures of the inner loop, which need a whole deployment."""
    print("inner loop", flush=True)
    try:
        return inner_loop.run(quick)
    except Exception as error:  # the other figures are still useful
        missing["inner loop"] = f"{type(error).__name__}: {error}"
    return {}


def _costs(figures: dict[str, Any], collection: photos.Photos) -> dict[str, Any]:
    """Return the cost by architecture.

    The CPU time is that of a whole warm invocation if the pipeline was measured, or else only that of the engine.
    """
    engines, starts = figures["engines"], figures["cold_start"]
    simd, plain, naive = (engines[name]["jpeg_12mp"]["cpu_ms"] for name in ("eventloom", "eventloom-pillow", "naive"))
    overhead = max(0.0, starts.get("thumbnailer", {}).get("warm_invoke_ms", simd) - simd)
    naive_overhead = max(0.0, starts.get("naive", {}).get("warm_invoke_ms", naive) - naive)
    files = collection.classes["jpeg_12mp"]
    photo_bytes = sum(path.stat().st_size for path in files) / len(files)
    peaks = {side: engines[name]["jpeg_24mp"]["peak_mb"] for side, name in _ENGINE_OF.items()}
    cpu_ms = {"x86_64": simd + overhead, "arm64": plain + overhead}
    return costs.run(cpu_ms, naive + naive_overhead, photo_bytes, peaks)


def _versions(missing: dict[str, str]) -> dict[str, str]:
    versions = {}
    for name in ("pillow", report.SIMD_RESIZER, "pyvips", "pyvips-binary", "boto3"):
        with suppress(PackageNotFoundError):  # the resizer has no wheel for arm64
            versions[name] = version(name)
    if "sharp" not in missing:
        lock = json.loads((Path(__file__).parent / "package-lock.json").read_text())
        versions["sharp"] = lock["packages"]["node_modules/sharp"]["version"]
    return versions | {"python": platform.python_version()}


def _processor() -> str:
    match = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    return match[1] if match else platform.processor() or "unknown"


if __name__ == "__main__":
    main()
