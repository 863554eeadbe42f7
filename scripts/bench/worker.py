"""Serve requests with one engine: `python -m scripts.bench.worker ENGINE`. Reads and writes JSON lines.

A request is {"file": path, "picture": path or null}. Without a picture, the answer is {"cpu_ms", "peak_mb", "bytes":
[...]}. With one, the engine saves the thumbnail there as PNG, and the answer is {}. The CPU time covers all threads.
The peak is the largest growth of the resident set since the start of the request.
"""

import gc
import json
import re
import sys
import time
from pathlib import Path

from scripts.bench.engines import load


def kilobytes(field: str) -> int:
    """Return a field of /proc/self/status, or 0 if the kernel does not report it."""
    match = re.search(rf"{field}:\s+(\d+)", Path("/proc/self/status").read_text())
    return int(match[1]) if match else 0


def main() -> None:
    """Answer requests until the input ends."""
    engine = load(sys.argv[1])
    print("{}", flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        data = Path(request["file"]).read_bytes()
        if request["picture"]:
            engine.picture(data).save(request["picture"], compress_level=1)
            print("{}", flush=True)
            continue
        gc.collect()
        Path("/proc/self/clear_refs").write_text("5")  # resets the high-water mark
        idle, began = kilobytes("VmRSS"), time.process_time()
        thumbnails = engine.thumbnails(data)
        cpu_ms = 1000 * (time.process_time() - began)
        peak_mb = (kilobytes("VmHWM") - idle) / 1024
        answer = {"cpu_ms": cpu_ms, "peak_mb": peak_mb, "bytes": [len(thumbnail) for thumbnail in thumbnails]}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
