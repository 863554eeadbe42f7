"""Runs the engines, interleaved: each has its turn on every photo in every round, so that a busy machine is unfair to none."""

import json
import os
import shutil
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from eventloom.clouds import BUILD, ROOT
from scripts.bench.photos import DEMO, HOME, Photos

PYTHON_ENGINES = ("naive", "pillow-cascade", "pyvips", "pyvips-shrink", "eventloom", "eventloom-pillow")
# sharp optimises the Huffman tables of its files by default: sharp-plain-huffman is what it costs without
SHARP_ENGINES = ("sharp", "sharp-cascade", "sharp-plain-huffman")
# What most targets are about takes four turns in a round.
MAIN_CLASS = "jpeg_12mp"
TURNS = {MAIN_CLASS: 4}
# No thumbnails to compare
SPECIAL = ("half-decode", "facts", "eventloom-webp")
MAIN_CLASS_ALONE = {*SPECIAL, "sharp-plain-huffman"}


def install_sharp() -> str | None:
    """Put sharp into build/bench/node; why not, if it can't be had."""
    home, source = HOME / "node", ROOT / "scripts/bench"
    if not shutil.which("npm") or not shutil.which("node"):
        return "npm and node are not installed"
    home.mkdir(parents=True, exist_ok=True)
    lock = (source / "package-lock.json").read_bytes()
    done = home / ".installed"
    if not done.exists() or done.read_bytes() != lock:
        for name in ("package.json", "package-lock.json"):
            shutil.copyfile(source / name, home / name)
        command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--cache", str(BUILD / "cache/npm")]
        finished = subprocess.run(command, cwd=home, capture_output=True, text=True, check=False)
        if finished.returncode:
            return f"npm ci failed: {finished.stderr.strip().splitlines()[-1] if finished.stderr.strip() else finished.returncode}"
        done.write_bytes(lock)
    # Node resolves packages from the folder of the script.
    shutil.copyfile(source / "sharp_worker.mjs", home / "sharp_worker.mjs")
    return None


class Worker:
    """A process that runs one engine."""

    def __init__(self, engine: str) -> None:
        self._engine = engine
        command = [sys.executable, "-m", "scripts.bench.worker", engine]
        if engine in SHARP_ENGINES:
            command = ["node", str(HOME / "node/sharp_worker.mjs")]
        environment = os.environ | {"VIPS_CONCURRENCY": "1", "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
        process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._process, self._in, self._out = process, cast(IO[str], process.stdin), cast(IO[str], process.stdout)
        if engine not in SHARP_ENGINES:
            self._answer()

    def ask(self, file: Path, picture: Path | None = None) -> dict[str, Any]:
        """Run the engine on a file; what it took, or nothing if a `picture` is wanted."""
        self._in.write(json.dumps({"engine": self._engine, "file": str(file), "picture": picture and str(picture)}) + "\n")
        self._in.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        line = self._out.readline()
        if not line:
            raise RuntimeError(f"the process of engine {self._engine} ended with code {self._process.wait()}")
        found: dict[str, Any] = json.loads(line)
        return found

    def close(self) -> None:
        """End it."""
        self._in.close()
        self._out.close()
        self._process.wait(10)


def run(photos: Photos, engines: list[str], rounds: int) -> dict[str, dict[str, dict[str, Any]]]:
    """Measure; by engine and class: cpu_ms (best of the rounds, mean over the photos), median_ms, peak_mb, bytes, psnr, ssim."""
    found: dict[str, dict[str, dict[str, Any]]] = {engine: {} for engine in engines}
    workers = {engine: Worker(engine) for engine in engines}
    try:
        for worker in workers.values():
            worker.ask(DEMO)
        samples = _samples(photos.classes, workers, rounds)
        for (engine, kind), times in samples.items():
            files = photos.classes[kind]
            found[engine][kind] = _summary(times) | {"peak_mb": max(_peak(engine, file, photos.tiny) for file in files)}
            if engine not in SPECIAL:
                found[engine][kind] |= _quality(engine, workers[engine], files)
    finally:
        for worker in workers.values():
            worker.close()
    _ratios(found)
    return found


def _samples(classes: dict[str, list[Path]], workers: dict[str, Worker], rounds: int) -> dict[tuple[str, str], list[list[dict[str, Any]]]]:
    """By engine and class, for each photo the answers of all rounds. A machine has slow minutes: every round goes through all classes."""
    samples: dict[tuple[str, str], list[list[dict[str, Any]]]] = {}
    for number in range(rounds):
        print(f"  round {number + 1} of {rounds}", flush=True)
        for kind, files in classes.items():
            usable = [engine for engine in workers if engine not in MAIN_CLASS_ALONE or kind == MAIN_CLASS]
            for _ in range(TURNS.get(kind, 1)):
                for position, file in enumerate(files):
                    for engine in usable:
                        answers = samples.setdefault((engine, kind), [[] for _ in files])
                        answers[position].append(workers[engine].ask(file))
    return samples


def _summary(samples: list[list[dict[str, Any]]]) -> dict[str, Any]:
    times = [[answer["cpu_ms"] for answer in answers] for answers in samples]
    return {
        "cpu_ms": round(float(np.mean([min(one) for one in times])), 2),
        "median_ms": round(float(np.mean([np.median(one) for one in times])), 2),
        "bytes": round(float(np.mean([sum(answers[0]["bytes"]) for answers in samples]))),
    }


def _peak(engine: str, file: Path, tiny: Path) -> float:
    """Growth of memory in MB, in a process that is started but has nothing of an earlier photo to use again."""
    worker = Worker(engine)
    try:
        worker.ask(tiny)
        return round(float(worker.ask(file)["peak_mb"]), 1)
    finally:
        worker.close()


def _quality(engine: str, worker: Worker, files: list[Path]) -> dict[str, Any]:
    """The worst PSNR (dB) and SSIM of the photos' 1280 px pictures, before compression, against full decode and Lanczos."""
    results = []
    for file in files:
        target = HOME / f"picture-{engine}.png"
        worker.ask(file, target)
        with Image.open(target) as picture:
            ours = picture.convert("RGB")
        best = _best(file, ours.size)
        target.unlink()
        a, b = np.asarray(best), np.asarray(ours)
        grey = [np.asarray(image.convert("L")) for image in (best, ours)]
        psnr = 99.0 if np.array_equal(a, b) else min(99.0, float(peak_signal_noise_ratio(a, b)))
        results.append((psnr, float(structural_similarity(*grey))))
    return {"psnr": round(min(psnr for psnr, _ in results), 2), "ssim": round(min(ssim for _, ssim in results), 4)}


@lru_cache(maxsize=8)
def _best(file: Path, size: tuple[int, int]) -> Image.Image:
    with Image.open(file) as original:
        return original.convert("RGB").resize(size, Image.Resampling.LANCZOS)


def _ratios(found: dict[str, dict[str, dict[str, Any]]]) -> None:
    for by_class in found.values():
        for kind, figures in by_class.items():
            for peer, name in (("naive", "ratio_naive"), ("sharp", "ratio_sharp")):
                other = found.get(peer, {}).get(kind)
                figures[name] = round(figures["cpu_ms"] / other["cpu_ms"], 3) if other else None
