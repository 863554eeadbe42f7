"""A process that runs one engine, request by request: `python -m scripts.bench.worker ENGINE`. JSON lines in and out.

In: {"file": path, "picture": path or null}. Out: {"cpu_ms", "peak_mb", "bytes": [...]}, or {} for a picture, which is saved as PNG.
CPU time is that of all threads; peak memory is what the resident set grew by, at most, above what it was when the job began.
"""

import gc
import json
import re
import sys
import time
from pathlib import Path

from scripts.bench.engines import load


def kilobytes(field: str) -> int:
    """A figure of this process from the kernel."""
    found = re.search(rf"{field}:\s+(\d+)", Path("/proc/self/status").read_text())
    return int(found[1]) if found else 0


def main() -> None:
    """Serve until the input ends."""
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
        made = engine.thumbnails(data)
        used = time.process_time() - began
        answer = {"cpu_ms": 1000 * used, "peak_mb": (kilobytes("VmHWM") - idle) / 1024, "bytes": [len(one) for one in made]}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
