"""Run the engines in turn on every photo in every round, so that a busy machine affects all of them alike."""

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
# sharp optimises Huffman tables by default; sharp-plain-huffman measures it without this.
SHARP_ENGINES = ("sharp", "sharp-cascade", "sharp-plain-huffman")
# Most targets concern this class, so each round measures it four times.
MAIN_CLASS = "jpeg_12mp"
TURNS = {MAIN_CLASS: 4}
# Engines without thumbnails to compare
SPECIAL = ("half-decode", "facts", "eventloom-webp")
MAIN_CLASS_ALONE = {*SPECIAL, "sharp-plain-huffman"}


def install_sharp() -> str | None:
    """Install sharp into build/bench/node. Return the reason if it cannot be installed, or else None."""
    home, source = HOME / "node", ROOT / "scripts/bench"
    if not shutil.which("npm") or not shutil.which("node"):
        return "npm and node are not installed"
    home.mkdir(parents=True, exist_ok=True)
    lock = (source / "package-lock.json").read_bytes()
    stamp = home / ".installed"
    if not stamp.exists() or stamp.read_bytes() != lock:
        for name in ("package.json", "package-lock.json"):
            shutil.copyfile(source / name, home / name)
        command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--cache", str(BUILD / "cache/npm")]
        process = subprocess.run(command, cwd=home, capture_output=True, text=True, check=False)
        if process.returncode:
            messages = process.stderr.strip().splitlines()
            return f"npm ci failed: {messages[-1] if messages else process.returncode}"
        stamp.write_bytes(lock)
    # Node looks for packages next to the script.
    shutil.copyfile(source / "sharp_worker.mjs", home / "sharp_worker.mjs")
    return None


class Worker:
    """A process that runs one engine."""

    def __init__(self, engine: str) -> None:
        self._engine = engine
        command = [sys.executable, "-m", "scripts.bench.worker", engine]
        if engine in SHARP_ENGINES:
            command = ["node", str(HOME / "node/sharp_worker.mjs")]
        environment = os.environ | {
            "VIPS_CONCURRENCY": "1",
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": os.pathsep.join(sys.path),
        }
        process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._process, self._in, self._out = process, cast(IO[str], process.stdin), cast(IO[str], process.stdout)
        if engine not in SHARP_ENGINES:
            self._answer()

    def ask(self, file: Path, picture: Path | None = None) -> dict[str, Any]:
        """Run the engine on a file and return its figures, or save the 1280 px thumbnail as `picture` and return {}."""
        self._in.write(
            json.dumps({"engine": self._engine, "file": str(file), "picture": picture and str(picture)}) + "\n"
        )
        self._in.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        line = self._out.readline()
        if not line:
            raise RuntimeError(f"the process of engine {self._engine} ended with code {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End the process."""
        self._in.close()
        self._out.close()
        self._process.wait(10)


def run(photos: Photos, engines: list[str], rounds: int) -> dict[str, dict[str, dict[str, Any]]]:
    """Return cpu_ms, median_ms, peak_mb, bytes, psnr and ssim by engine and class.

    cpu_ms is the best of the rounds for each photo, averaged over the photos.
    """
    figures: dict[str, dict[str, dict[str, Any]]] = {engine: {} for engine in engines}
    workers = {engine: Worker(engine) for engine in engines}
    try:
        for worker in workers.values():
            worker.ask(DEMO)
        samples = _samples(photos.classes, workers, rounds)
        for (engine, kind), times in samples.items():
            files = photos.classes[kind]
            peak_mb = max(_peak(engine, file, photos.tiny) for file in files)
            figures[engine][kind] = _summary(times) | {"peak_mb": peak_mb}
            if engine not in SPECIAL:
                figures[engine][kind] |= _quality(engine, workers[engine], files)
    finally:
        for worker in workers.values():
            worker.close()
    _add_ratios(figures)
    return figures


def _samples(
    classes: dict[str, list[Path]], workers: dict[str, Worker], rounds: int
) -> dict[tuple[str, str], list[list[dict[str, Any]]]]:
    """Return the answers of all rounds for each photo, by engine and class.

    Every round covers all classes, so that a slow minute of the machine does not affect only one class.
    """
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
        "cpu_ms": round(float(np.mean([min(turns) for turns in times])), 2),
        "median_ms": round(float(np.mean([np.median(turns) for turns in times])), 2),
        "bytes": round(float(np.mean([sum(answers[0]["bytes"]) for answers in samples]))),
    }


def _peak(engine: str, file: Path, tiny: Path) -> float:
    """Return the growth of memory in MB in a new process, which cannot reuse the memory of an earlier photo."""
    worker = Worker(engine)
    try:
        worker.ask(tiny)
        return round(float(worker.ask(file)["peak_mb"]), 1)
    finally:
        worker.close()


def _quality(engine: str, worker: Worker, files: list[Path]) -> dict[str, Any]:
    """Return the worst PSNR (dB) and SSIM of the 1280 px pictures before compression.

    The reference is a full decode resized with Lanczos.
    """
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


def _add_ratios(figures: dict[str, dict[str, dict[str, Any]]]) -> None:
    for by_class in figures.values():
        for kind, result in by_class.items():
            for peer, name in (("naive", "ratio_naive"), ("sharp", "ratio_sharp")):
                other = figures.get(peer, {}).get(kind)
                result[name] = round(result["cpu_ms"] / other["cpu_ms"], 3) if other else None
