"""HEIF and AVIF are decoded in reused sandboxes, so that a crash of a decoder does not end the function."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from eventloom.clouds import ROOT
from shared.deadline import Deadline
from tests.unit.thumbnailer.pictures import DATA, SAMPLES, encode, photo
from thumbnailer.imaging.decoder import Decoder
from thumbnailer.imaging.images import Output, Photo, render
from thumbnailer.imaging.limits import Limits
from thumbnailer.imaging.rejections import Rejection

OUTPUT = Output((64, 32))
MB = 1024**2
# The place of the decoder in a sandbox: the process ends by SIGSEGV on files that end with "crash".
CRASHING_DECODER = """
import ctypes, importlib, sys
sys.path.remove({folder!r})
del sys.modules["pillow_heif"]
pillow_heif = importlib.import_module("pillow_heif")
decode = pillow_heif.HeifImageFile

def crash_or_decode(file):
    if file.getvalue().endswith(b"crash"):
        ctypes.string_at(0)
    return decode(file)

pillow_heif.HeifImageFile = crash_or_decode
"""
SCRIPT = """
import sys
from pathlib import Path
from shared.deadline import Deadline
from thumbnailer.imaging.decoder import Decoder
from thumbnailer.imaging.images import Output
from thumbnailer.imaging.limits import Limits

class Context:
    get_remaining_time_in_millis = lambda self: 60_000

decoder = Decoder(Limits(), Output(), 1769)
decoder.run(Path(sys.argv[1]).read_bytes(), 1, Deadline(Context()))
"""


class Context:
    """An invocation that has a minute left."""

    aws_request_id = "1"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


@pytest.fixture
def decoder() -> Iterator[Decoder]:
    """Provide the decoder of a function with one virtual CPU."""
    decoder = Decoder(Limits(), OUTPUT, 1769)
    yield decoder
    decoder.close()


@pytest.fixture
def crashing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the HEIF decoder of new sandboxes crash on marked files."""
    (tmp_path / "pillow_heif.py").write_text(CRASHING_DECODER.format(folder=str(tmp_path)))
    monkeypatch.syspath_prepend(tmp_path)


def run(decoder: Decoder, data: bytes, deliveries: int = 1) -> Photo:
    return decoder.run(data, deliveries, Deadline(Context()))


def workers(decoder: Decoder) -> list[int]:
    """Return the ids of the processes that wait."""
    return [sandbox._process.pid for sandbox in decoder._sandboxes if sandbox._process]


@pytest.mark.parametrize("name", ["heic", "avif"])
def test_heif_and_avif_are_decoded_in_one_kept_sandbox_from_the_first_delivery(decoder: Decoder, name: str) -> None:
    assert run(decoder, SAMPLES[name]) == render(SAMPLES[name], Limits(), OUTPUT)
    (worker,) = workers(decoder)
    run(decoder, SAMPLES[name])
    assert workers(decoder) == [worker]


def test_other_formats_need_a_sandbox_only_if_they_come_again(decoder: Decoder) -> None:
    for name in ("jpeg", "png", "gif", "webp", "tiff", "bmp"):
        run(decoder, SAMPLES[name])
    assert workers(decoder) == []
    assert run(decoder, SAMPLES["jpeg"], deliveries=2) == render(SAMPLES["jpeg"], Limits(), OUTPUT)
    assert len(workers(decoder)) == 1


@pytest.mark.usefixtures("crashing")
def test_a_crash_is_the_verdict_on_its_file_at_the_first_delivery(decoder: Decoder) -> None:
    """The next file gets a new process."""
    assert run(decoder, SAMPLES["heic"]).format == "HEIF"
    (worker,) = workers(decoder)
    with pytest.raises(Rejection, match="crashed") as rejection:
        run(decoder, SAMPLES["heic"] + b"crash")
    assert f"signal {signal.SIGSEGV}" in rejection.value.text
    assert run(decoder, SAMPLES["heic"]).format == "HEIF"
    assert workers(decoder) != [worker]


def test_a_file_is_not_blamed_for_a_process_that_died_while_it_waited(decoder: Decoder) -> None:
    """The kernel ends processes if memory is short."""
    run(decoder, SAMPLES["heic"])
    (worker,) = workers(decoder)
    os.kill(worker, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(worker)], timeout=10)
    assert run(decoder, SAMPLES["heic"]).format == "HEIF"
    assert workers(decoder) != [worker]


def test_a_sandbox_survives_that_lambda_freezes_it(decoder: Decoder) -> None:
    run(decoder, SAMPLES["heic"])
    (worker,) = workers(decoder)
    os.kill(worker, signal.SIGSTOP)
    os.kill(worker, signal.SIGCONT)
    assert run(decoder, SAMPLES["avif"]).format == "AVIF"
    assert workers(decoder) == [worker]


def test_a_sandbox_gives_its_memory_back_before_another_photo_is_decoded_here(decoder: Decoder) -> None:
    """Both processes together must fit into the function's memory."""
    large = (DATA / "large-deep-transparent.heic").read_bytes()

    def resident_mb_after(*photos: bytes) -> float:
        for data in (*photos, SAMPLES["heic"]):  # The last one is answered after the memory was returned.
            run(decoder, data)
        (worker,) = workers(decoder)
        return float(psutil.Process(worker).memory_info().rss / MB)

    idle = resident_mb_after()
    assert resident_mb_after(large) > idle + 50
    assert resident_mb_after(large, SAMPLES["jpeg"]) < idle + 20


def test_each_processor_has_a_sandbox_of_its_own() -> None:
    """Two photos are decoded at the same time, each after the other one has begun."""
    decoder = Decoder(Limits(), OUTPUT, 2 * 1769)
    both_began = threading.Barrier(2, timeout=30)

    class Meeting(Deadline):
        calls = 0

        def remaining_s(self) -> float:
            self.calls += 1
            if self.calls == 3:  # when the photo is given to its sandbox
                both_began.wait()
            return super().remaining_s()

    photos: list[Photo] = []

    def decode() -> None:
        photos.append(decoder.run(SAMPLES["heic"], 1, Meeting(Context())))

    threads = [threading.Thread(target=decode) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(photos) == 2
    assert len(set(workers(decoder))) == 2
    decoder.close()


def outcome(tmp_path: Path, data: bytes, after: str) -> str:
    """Return what a process prints that decodes a file and then runs the line `after`."""
    (tmp_path / "photo").write_bytes(data)
    command = [sys.executable, "-W", "error", "-c", SCRIPT + after, str(tmp_path / "photo")]
    process = subprocess.run(command, cwd=ROOT / "functions", check=True, capture_output=True, text=True)
    assert process.stderr == ""
    return process.stdout


@pytest.mark.parametrize("after", ["", "; decoder.close()"])
def test_no_process_is_left_behind(tmp_path: Path, after: str) -> None:
    """The end of the function closes its sandboxes."""
    worker = int(outcome(tmp_path, SAMPLES["heic"], f"print(decoder._sandboxes[0]._process.pid){after}"))
    assert not psutil.pid_exists(worker)


def test_a_jpeg_loads_neither_sandbox_nor_the_decoders_that_need_it(tmp_path: Path) -> None:
    """The sandbox and these decoders would make cold starts longer."""
    jpeg = encode(photo((64, 48)), "JPEG")
    modules = outcome(tmp_path, jpeg, "print(*sys.modules)").split()
    assert "thumbnailer.imaging.images" in modules
    unwanted = ("heif", "sandbox", "Avif", "multiprocessing")
    assert [name for name in modules if any(part in name for part in unwanted)] == []
