"""Photo after photo in the same memory; a large one leaves none of its own behind."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from clouds import ROOT

# What the third time of the same photo took: pages from the kernel, and the megabytes that stay
THRICE = """
import json, re, resource, sys
from pathlib import Path
from thumbnailer import images
from thumbnailer.limits import Limits

def resident_mb():
    return int(re.search(r"VmRSS:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024

data, idle = Path(sys.argv[1]).read_bytes(), resident_mb()
for _ in range(3):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    images.process(data, Limits(), images.Output())
print(json.dumps([resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before, resident_mb() - idle]))
"""


def thrice(folder: Path, size: tuple[int, int]) -> tuple[int, float]:
    """Page faults and megabytes of a PNG of that size."""
    file = io.BytesIO()
    Image.new("RGB", size, (200, 60, 40)).save(file, "PNG", compress_level=1)
    path = folder / "photo.png"
    path.write_bytes(file.getvalue())
    command = [sys.executable, "-c", THRICE, str(path)]
    done = subprocess.run(command, cwd=ROOT / "functions", check=True, capture_output=True, text=True)
    faults, megabytes = json.loads(done.stdout)
    return faults, megabytes


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's settings")
def test_a_photo_finds_the_memory_of_the_one_before(tmp_path: Path) -> None:
    pixels = 4000 * 3000
    faults, _ = thrice(tmp_path, (4000, 3000))
    assert faults < pixels * 4 / 4096 / 10, "a tenth of the picture's pages"


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's settings")
def test_a_large_photo_leaves_nothing(tmp_path: Path) -> None:
    faults, megabytes = thrice(tmp_path, (8000, 5500))
    assert megabytes < 60, "168 MB are its pixels"
    assert faults > 8000 * 5500 * 4 / 4096 / 2, "they were given back, and came anew"
