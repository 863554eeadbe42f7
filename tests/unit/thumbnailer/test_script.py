"""The command `thumbnail` as its users run it."""

import hashlib
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.unit.thumbnailer.pictures import DATA, encode, opened, quarters

JPEG = encode(quarters((300, 200)), "JPEG")


def run(*arguments: object, cwd: Path | None = None) -> tuple[int, list[dict[str, Any]], str]:
    """Exit status, parsed lines, and what went to standard error."""
    command = [sys.executable, "-P", "-m", "eventloom.thumbnail", *(os.fsencode(str(argument)) for argument in arguments)]
    done = subprocess.run(command, capture_output=True, timeout=120, cwd=cwd, check=False)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr.decode()


def test_a_photo(tmp_path: Path) -> None:
    """Everything that the catalog would hold, and the thumbnails in files."""
    (tmp_path / "my cat.jpg").write_bytes(JPEG)
    status, (line,), errors = run("my cat.jpg", "--out", "out", cwd=tmp_path)
    assert (status, errors) == (0, "")
    assert line["file"] == "my cat.jpg"
    assert (line["status"], line["format"], line["width"], line["height"], line["bytes"]) == ("READY", "JPEG", 300, 200, len(JPEG))
    assert line["sha256"] == hashlib.sha256(JPEG).hexdigest()
    assert list(line["thumbnails"]) == ["1280", "512", "128"]
    for made in line["thumbnails"].values():
        data = (tmp_path / made["file"]).read_bytes()
        assert opened(data).size == (made["width"], made["height"])
        assert len(data) == made["bytes"]


def test_formats_and_options(tmp_path: Path) -> None:
    """HEIC too; sizes, quality and output format can be chosen."""
    status, lines, _ = run(DATA, "--out", tmp_path, "--sizes", "40,20", "--format", "auto", "--quality", "50")
    assert status == 0
    assert {line["status"] for line in lines} == {"READY"}
    types = {Path(line["file"]).stem: line["thumbnails"]["40"]["content_type"] for line in lines}
    assert types["transparent"] == "image/webp"
    assert types["plain"] == "image/jpeg"
    assert len(list(tmp_path.iterdir())) == 2 * len(lines)


def test_every_file_of_a_hostile_folder_gets_a_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pipes, sockets, loops, sparse files, odd names, files in the way: a line for each, and no other output."""
    zoo, out = tmp_path / "zoo", tmp_path / "zoo" / "out"
    (zoo / "folder.jpg" / "deep").mkdir(parents=True)
    (zoo / "folder.jpg" / "deep" / "photo").write_bytes(JPEG)
    (zoo / "good.jpg").write_bytes(JPEG)
    (zoo / "good.png").write_bytes(encode(quarters(), "PNG"))
    (zoo / "..jpg").write_bytes(JPEG)
    (zoo / "-rf").write_bytes(JPEG)
    (zoo / "line\nbreak.jpg").write_bytes(JPEG)
    (zoo / os.fsdecode(b"latin\xe9.jpg")).write_bytes(JPEG)
    (zoo / ("long" * 60)).write_bytes(JPEG)
    (zoo / "empty").touch()
    (zoo / "cut.jpg").write_bytes(JPEG[:2000])
    (zoo / "text.jpg").write_text("hello")
    with (zoo / "sparse.jpg").open("wb") as sparse:
        sparse.truncate(500 * 2**30)
    os.mkfifo(zoo / "pipe.jpg")
    with socket.socket(socket.AF_UNIX) as server, monkeypatch.context() as patch:
        patch.chdir(zoo)  # a socket's address may have 107 bytes
        server.bind("socket.jpg")
    (zoo / "link.jpg").symlink_to("good.jpg")
    (zoo / "broken link.jpg").symlink_to("nothing")
    (zoo / "loop 1.jpg").symlink_to("loop 2.jpg")
    (zoo / "loop 2.jpg").symlink_to("loop 1.jpg")
    (zoo / "up").symlink_to("..")
    (zoo / "device").symlink_to("/dev/zero")
    secret = zoo / "secret.jpg"
    secret.write_bytes(JPEG)
    secret.chmod(0)
    status, lines, errors = run(zoo, "/dev/zero", "/dev/stdin", tmp_path / "missing.jpg", "--out", out)
    verdicts = {Path(line["file"]).name: line.get("reason", "READY") for line in lines}
    verdicts.pop("secret.jpg")  # root may read it
    assert (status, errors) == (0, "")
    ready = ["good.jpg", "good.png", "..jpg", "-rf", "line\nbreak.jpg", os.fsdecode(b"latin\xe9.jpg"), "long" * 60, "link.jpg", "photo"]
    unreadable = ["pipe.jpg", "socket.jpg", "broken link.jpg", "loop 1.jpg", "loop 2.jpg", "up", "device", "zero", "stdin", "missing.jpg"]
    expected = dict.fromkeys(ready, "READY") | dict.fromkeys(unreadable, "unreadable")
    assert verdicts == expected | {"empty": "empty", "cut.jpg": "corrupt", "text.jpg": "unsupported_format", "sparse.jpg": "too_large"}
    written = {made["file"] for line in lines for made in line["thumbnails"].values()}
    assert written == {str(found) for found in out.iterdir()}
    again = run(zoo, "--out", out)
    assert len(again[1]) == len(lines) - 3


def test_nothing_is_imported_from_a_folder_of_photos(tmp_path: Path) -> None:
    """A file in the current folder that has a module's name is a file like others."""
    for module in ("json", "random", "thumbnailer", "PIL"):
        (tmp_path / f"{module}.py").write_text(f"open('{tmp_path}/imported', 'w')\n")
    (tmp_path / "a.jpg").write_bytes(JPEG)
    status, (line,), errors = run("a.jpg", "--out", "out", cwd=tmp_path)
    assert (status, line["status"], errors) == (0, "READY", "")
    assert not (tmp_path / "imported").exists()


def test_equal_names_do_not_collide_and_nothing_escapes(tmp_path: Path) -> None:
    """The name of an output says which file it is of, not where to write."""
    for folder in ("a", "b", "a/b"):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "cat.jpg").write_bytes(JPEG)
        (tmp_path / folder / "cat.png").write_bytes(JPEG)
    out = tmp_path / "out" / "deep"
    status, lines, _ = run("a", "b", "a/../b/cat.jpg", "--out", out, cwd=tmp_path)
    assert status == 0
    names = {made["file"] for line in lines for made in line["thumbnails"].values()}
    assert len(names) == 3 * 6  # the seventh is one of them by another name
    assert {Path(name).parent for name in names} == {out}


def test_a_folder_that_is_also_the_target(tmp_path: Path) -> None:
    """No thumbnails of thumbnails, however often it runs."""
    (tmp_path / "a.jpg").write_bytes(JPEG)
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "b-128.jpg").write_bytes(JPEG)
    for _ in range(2):
        status, lines, _ = run(".", "--out", tmp_path, "--sizes", "30,20", cwd=tmp_path)
        assert status == 0
        assert [line["file"] for line in lines] == ["./a.jpg", "./deep/b-128.jpg"]
    assert len([found for found in tmp_path.iterdir() if found.is_file()]) == 5


def test_limits_are_options(tmp_path: Path) -> None:
    """Bytes, pixels, time and memory."""
    photo = tmp_path / "a.png"
    photo.write_bytes(encode(Image.new("L", (10_000, 9_900)), "PNG", compress_level=1))
    for option, value, reason in (
        ("--max-bytes", 100, "too_large"),
        ("--max-pixels", 100, "too_many_pixels"),
        ("--memory", 128, "too_many_pixels"),
    ):
        status, (line,), _ = run(photo, "--out", tmp_path, option, value)
        assert (status, line["reason"]) == (0, reason)
    status, (line,), _ = run(photo, "--out", tmp_path, "--timeout", 0.05)
    assert (status, line["reason"]) == (0, "timeout")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "required"),
        (["a.jpg"], "--out"),
        (["a.jpg", "--out", "file"], "--out file"),
        (["a.jpg", "--out", "o", "--sizes", "0"], "--sizes"),
        (["a.jpg", "--out", "o", "--sizes", "big"], "--sizes"),
        (["a.jpg", "--out", "o", "--format", "gif"], "--format"),
        *((["a.jpg", "--out", "o", "--timeout", value], "must be a number from 0.01") for value in ("0", "-1", "inf", "nan", "1e10", "x")),
        *((["a.jpg", "--out", "o", "--memory", value], "must be a number from 128") for value in ("0", "-1", "1.5", "9" * 30)),
        *((["a.jpg", "--out", "o", "--max-bytes", value], "must be a number from 1") for value in ("0", "-1", "9" * 30)),
        *((["a.jpg", "--out", "o", "--max-pixels", value], "must be a number from 1") for value in ("0", "-1", "9" * 30)),
        *((["a.jpg", "--out", "o", "--quality", value], "must be a number from 1 to 95") for value in ("0", "96", "high")),
    ],
)
def test_wrong_arguments(tmp_path: Path, arguments: list[str], words: str) -> None:
    """Status 2 and a message that says what to do."""
    (tmp_path / "file").touch()
    status, lines, errors = run(*arguments, cwd=tmp_path)
    assert (status, lines) == (2, [])
    assert words in errors
    assert "Traceback" not in errors


def test_help() -> None:
    """Tells what it does."""
    done = subprocess.run([sys.executable, "-P", "-m", "eventloom.thumbnail", "--help"], capture_output=True, text=True, check=True)
    assert "thumbnail.py FILE... --out DIR" in done.stdout


def test_unwritable_target(tmp_path: Path) -> None:
    """No verdict on the file, but an error that names the place."""
    (tmp_path / "a.jpg").write_bytes(JPEG)
    status, lines, errors = run("a.jpg", "--out", "/proc/self", cwd=tmp_path)
    assert (status, lines) == (1, [])
    assert "/proc/self" in errors
    assert "Traceback" not in errors


def test_a_reader_that_leaves(tmp_path: Path) -> None:
    """As in `thumbnail.py ... | head -1`."""
    for index in range(30):
        (tmp_path / f"{index}.jpg").write_bytes(JPEG)
    command = [sys.executable, "-P", "-m", "eventloom.thumbnail", str(tmp_path), "--out", str(tmp_path / "out")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.readline()
        running.stdout.close()
        assert running.stderr.read() == b""
        assert running.wait(30) == 0
