"""Photo after photo in the same memory; a large one leaves none of its own behind."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from eventloom.clouds import ROOT

# What the third time of the same photo took: pages from the kernel, and the megabytes that stay
THRICE = """
import json, re, resource, sys
from pathlib import Path
from thumbnailer.imaging import images
from thumbnailer.imaging.limits import Limits

def resident_mb():
    return int(re.search(r"VmRSS:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024

data, idle = Path(sys.argv[1]).read_bytes(), resident_mb()
for _ in range(3):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    images.render(data, Limits(), images.Output())
print(json.dumps([resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before, resident_mb() - idle]))
"""

# Megabytes that stay of a photo, and that are left while another is in the sandbox
BEFORE_THE_SANDBOX = """
import json, re, sys
from pathlib import Path
from thumbnailer.imaging.decoder import Decoder
from thumbnailer.imaging.images import Output
from thumbnailer.imaging.limits import Limits
from thumbnailer.imaging.sandbox import Sandbox

class Deadline:
    remaining_s, allows = (lambda self: 60.0), (lambda self, seconds: True)

def resident_mb():
    return int(re.search(r"VmRSS:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024

def sandboxed(*_):
    found.append(resident_mb() - idle)

data, idle, found = Path(sys.argv[1]).read_bytes(), resident_mb(), []
decoder = Decoder(Limits(), Output(), 1769)
decoder.run(data, 1, Deadline())
found.append(resident_mb() - idle)
Sandbox.render = sandboxed
decoder.run(data, 2, Deadline())
print(json.dumps(found))
"""


def thrice(folder: Path, size: tuple[int, int]) -> tuple[int, float]:
    """Page faults and megabytes of a PNG of that size."""
    faults, megabytes = run(THRICE, folder / "photo.png", Image.new("RGB", size, (200, 60, 40)), compress_level=1)
    return int(faults), megabytes


def run(script: str, path: Path, image: Image.Image, **options: int) -> list[float]:
    """What a script prints about a picture."""
    image.save(path, **options)
    done = subprocess.run([sys.executable, "-c", script, str(path)], cwd=ROOT / "functions", check=True, capture_output=True, text=True)
    found: list[float] = json.loads(done.stdout)
    return found


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


def test_nothing_is_kept_while_a_photo_is_in_the_sandbox(tmp_path: Path) -> None:
    kept, left = run(BEFORE_THE_SANDBOX, tmp_path / "photo.webp", Image.new("RGBA", (4000, 3000), (200, 60, 40, 128)), method=0)
    assert kept > 50
    assert left < 30
