"""Rendering many photos reuses the same memory, and the memory of a large photo is released."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from eventloom.clouds import ROOT

# Prints what the third rendering of the same photo costs: page faults, and megabytes that stay.
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

# Prints the megabytes that a photo leaves in memory, and what is left while another photo is in the sandbox.
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
    megabytes.append(resident_mb() - idle)

data, idle, megabytes = Path(sys.argv[1]).read_bytes(), resident_mb(), []
decoder = Decoder(Limits(), Output(), 1769)
decoder.run(data, 1, Deadline())
megabytes.append(resident_mb() - idle)
Sandbox.render = sandboxed
decoder.run(data, 2, Deadline())
print(json.dumps(megabytes))
"""


def render_three_times(folder: Path, size: tuple[int, int]) -> tuple[int, float]:
    """Render a PNG of a size three times. Returns the page faults of the last time and the megabytes that stay."""
    faults, megabytes = run(THRICE, folder / "photo.png", Image.new("RGB", size, (200, 60, 40)), compress_level=1)
    return int(faults), megabytes


def run(script: str, path: Path, image: Image.Image, **options: int) -> list[float]:
    """Return what a script prints about a picture."""
    image.save(path, **options)
    process = subprocess.run(
        [sys.executable, "-c", script, str(path)], cwd=ROOT / "functions", check=True, capture_output=True, text=True
    )
    figures: list[float] = json.loads(process.stdout)
    return figures


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's settings")
def test_a_photo_reuses_the_memory_of_the_photo_before(tmp_path: Path) -> None:
    pixels = 4000 * 3000
    faults, _ = render_three_times(tmp_path, (4000, 3000))
    assert faults < pixels * 4 / 4096 / 10, "less than a tenth of the picture's pages"


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's settings")
def test_a_large_photo_leaves_no_memory_in_use(tmp_path: Path) -> None:
    faults, megabytes = render_three_times(tmp_path, (8000, 5500))
    assert megabytes < 60, "the pixels alone take 168 MB"
    assert faults > 8000 * 5500 * 4 / 4096 / 2, "the pages were returned to the kernel and requested again"


def test_memory_is_freed_before_the_sandbox_is_used(tmp_path: Path) -> None:
    after_photo, in_sandbox = run(
        BEFORE_THE_SANDBOX, tmp_path / "photo.webp", Image.new("RGBA", (4000, 3000), (200, 60, 40, 128)), method=0
    )
    assert after_photo > 50
    assert in_sandbox < 30
