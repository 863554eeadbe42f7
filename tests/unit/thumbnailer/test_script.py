"""The command `thumbnail` works as a user runs it."""

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.unit.thumbnailer.pictures import DATA, encode, opened, quarters

JPEG = encode(quarters((300, 200)), "JPEG")
COMMAND = (sys.executable, "-P", "-m", "eventloom", "thumbnail")


def run(*arguments: object, cwd: Path | None = None) -> tuple[int, list[dict[str, Any]], str]:
    """Return the exit code, the parsed lines of stdout, and stderr."""
    command = [*COMMAND, *(os.fsencode(str(argument)) for argument in arguments)]
    process = subprocess.run(command, capture_output=True, timeout=120, cwd=cwd, check=False)
    return process.returncode, [json.loads(line) for line in process.stdout.splitlines()], process.stderr.decode()


def test_a_photo_becomes_thumbnails_and_a_line_of_facts(tmp_path: Path) -> None:
    """The line has the facts that the catalog holds, and the thumbnails are files."""
    (tmp_path / "my cat.jpg").write_bytes(JPEG)
    status, (line,), errors = run("my cat.jpg", "--out", "out", cwd=tmp_path)
    assert (status, errors) == (0, "")
    assert line["file"] == "my cat.jpg"
    assert (line["status"], line["format"], line["width"], line["height"], line["bytes"]) == (
        "READY",
        "JPEG",
        300,
        200,
        len(JPEG),
    )
    assert line["sha256"] == hashlib.sha256(JPEG).hexdigest()
    assert list(line["thumbnails"]) == ["1280", "512", "128"]
    for thumbnail in line["thumbnails"].values():
        data = (tmp_path / thumbnail["file"]).read_bytes()
        assert opened(data).size == (thumbnail["width"], thumbnail["height"])
        assert len(data) == thumbnail["bytes"]


def test_thumbnails_go_into_the_folder_thumbnails_by_default(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(JPEG)
    for _ in range(2):
        status, (line,), _ = run(".", cwd=tmp_path)
        assert (status, line["file"]) == (0, "./a.jpg")
    assert {Path(thumbnail["file"]).parent for thumbnail in line["thumbnails"].values()} == {Path("thumbnails")}
    assert len(list((tmp_path / "thumbnails").iterdir())) == 3


@pytest.mark.parametrize(
    ("names", "status"), [(["good.jpg"], 0), (["bad.jpg"], 3), (["good.jpg", "bad.jpg", "missing.jpg"], 3)]
)
def test_strict_exits_with_3_if_a_file_is_rejected(names: list[str], status: int, tmp_path: Path) -> None:
    (tmp_path / "good.jpg").write_bytes(JPEG)
    (tmp_path / "bad.jpg").write_bytes(JPEG[:2000])
    strict, lines, errors = run(*names, "--strict", cwd=tmp_path)
    assert (strict, len(lines), errors) == (status, len(names), "")
    assert run(*names, cwd=tmp_path)[0] == 0


@pytest.mark.parametrize(
    "name",
    [
        "my cat.jpg",
        'it\'s "$HOME".jpg',
        "$(id).jpg",
        "a;b&c.jpg",
        "*.jpg",
        "[bold]x[bold].jpg",
        "line\nbreak.jpg",
        "\x1b[2J.jpg",
        "사진.jpg",
    ],
)
def test_names_with_special_characters_are_files(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(JPEG)
    status, (line,), errors = run(name, cwd=tmp_path)
    assert (status, line["file"], line["status"], errors) == (0, name, "READY", "")


def test_names_may_be_invalid_utf_8_or_look_like_an_option(tmp_path: Path) -> None:
    names = [os.fsdecode(b"latin\xe9.jpg"), "--out"]
    for name in names:
        (tmp_path / name).write_bytes(JPEG)
    process = subprocess.run(
        [*COMMAND, b"--", *map(os.fsencode, names)], capture_output=True, cwd=tmp_path, check=False
    )
    assert (process.returncode, process.stderr) == (0, b"")
    assert [json.loads(line)["file"] for line in process.stdout.splitlines()] == names
    assert process.stdout.isascii(), "a terminal gets only bytes that it can show"


def test_an_empty_name_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(JPEG)
    status, (line,), _ = run("", cwd=tmp_path)
    assert (status, line["file"], line["reason"]) == (0, "", "unreadable")


def test_the_command_runs_without_boto3() -> None:
    code = "import sys, eventloom.thumbnail; print({'boto3', 'botocore'} & set(sys.modules))"
    process = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert process.stdout.strip() == "set()"


def test_sizes_quality_and_format_are_options(tmp_path: Path) -> None:
    """Sizes, quality and output format are options, and HEIC is read, too."""
    status, lines, _ = run(DATA, "--out", tmp_path, "--sizes", "40,20", "--format", "auto", "--quality", "50")
    assert status == 0
    assert {line["status"] for line in lines} == {"READY"}
    types = {Path(line["file"]).stem: line["thumbnails"]["40"]["content_type"] for line in lines}
    assert types["transparent"] == "image/webp"
    assert types["plain"] == "image/jpeg"
    assert len(list(tmp_path.iterdir())) == 2 * len(lines)


def test_every_file_of_a_hostile_folder_gets_a_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pipes, sockets, loops, sparse files and odd names have a line each, and nothing else is printed."""
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
        patch.chdir(zoo)  # the path of a socket can have 107 bytes
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
    verdicts.pop("secret.jpg")  # only root can read it
    assert (status, errors) == (0, "")
    ready = [
        "good.jpg",
        "good.png",
        "..jpg",
        "-rf",
        "line\nbreak.jpg",
        os.fsdecode(b"latin\xe9.jpg"),
        "long" * 60,
        "link.jpg",
        "photo",
    ]
    unreadable = [
        "pipe.jpg",
        "socket.jpg",
        "broken link.jpg",
        "loop 1.jpg",
        "loop 2.jpg",
        "up",
        "device",
        "zero",
        "stdin",
        "missing.jpg",
    ]
    expected = dict.fromkeys(ready, "READY") | dict.fromkeys(unreadable, "unreadable")
    assert verdicts == expected | {
        "empty": "empty",
        "cut.jpg": "corrupt",
        "text.jpg": "unsupported_format",
        "sparse.jpg": "too_large",
    }
    files = {thumbnail["file"] for line in lines for thumbnail in line["thumbnails"].values()}
    assert files == {str(path) for path in out.iterdir()}
    again = run(zoo, "--out", out)
    assert len(again[1]) == len(lines) - 3


def test_nothing_is_imported_from_a_folder_of_photos(tmp_path: Path) -> None:
    """Python files in the current folder do not replace modules of the same name."""
    for module in ("json", "random", "thumbnailer", "PIL"):
        (tmp_path / f"{module}.py").write_text(f"open('{tmp_path}/imported', 'w')\n")
    (tmp_path / "a.jpg").write_bytes(JPEG)
    status, (line,), errors = run("a.jpg", "--out", "out", cwd=tmp_path)
    assert (status, line["status"], errors) == (0, "READY", "")
    assert not (tmp_path / "imported").exists()


def test_equal_names_do_not_collide_and_nothing_escapes(tmp_path: Path) -> None:
    """The name of a thumbnail shows its file, and never leads out of the folder."""
    for folder in ("a", "b", "a/b"):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "cat.jpg").write_bytes(JPEG)
        (tmp_path / folder / "cat.png").write_bytes(JPEG)
    out = tmp_path / "out" / "deep"
    status, lines, _ = run("a", "b", "a/../b/cat.jpg", "--out", out, cwd=tmp_path)
    assert status == 0
    names = {thumbnail["file"] for line in lines for thumbnail in line["thumbnails"].values()}
    assert len(names) == 3 * 6  # the seventh name is another path of one of the six files
    assert {Path(name).parent for name in names} == {out}


def test_no_thumbnails_of_thumbnails_are_made(tmp_path: Path) -> None:
    """There are no thumbnails of thumbnails, however often it runs."""
    (tmp_path / "a.jpg").write_bytes(JPEG)
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "b-128.jpg").write_bytes(JPEG)
    for _ in range(2):
        status, lines, _ = run(".", "--out", tmp_path, "--sizes", "30,20", cwd=tmp_path)
        assert status == 0
        assert [line["file"] for line in lines] == ["./a.jpg", "./deep/b-128.jpg"]
    assert len([path for path in tmp_path.iterdir() if path.is_file()]) == 5


def test_limits_are_options(tmp_path: Path) -> None:
    """Bytes, pixels, time and memory are limited."""
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
        ([], "Missing argument 'FILE...'"),
        (["--out", "file"], "Directory 'file' is a file"),
        (["--sizes", "0"], "1 to 8192"),
        (["--sizes", "9000"], "1 to 8192"),
        (["--sizes", "big"], "1280,512,128"),
        (["--format", "gif"], "'gif' is not one of"),
        *((["--timeout", value], "must be at least 0.01") for value in ("0", "-1", "inf", "nan")),
        (["--timeout", "1e10"], "must be at most 86400"),
        (["--timeout", "x"], "is not a number"),
        *((["--memory", value], "--memory") for value in ("0", "-1", "1.5", "9" * 30)),
        *(([option, value], option) for option in ("--max-bytes", "--max-pixels") for value in ("0", "-1", "9" * 30)),
        *((["--quality", value], "--quality") for value in ("0", "96", "high")),
    ],
)
def test_wrong_arguments_are_refused(tmp_path: Path, arguments: list[str], words: str) -> None:
    """The exit code is 2, and the message names the option."""
    (tmp_path / "file").touch()
    status, lines, errors = run(*(["a.jpg", *arguments] if arguments else []), cwd=tmp_path)
    assert (status, lines) == (2, [])
    assert words in errors
    assert "Traceback" not in errors


def test_the_help_shows_an_example_of_a_line() -> None:
    process = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True, check=True)
    assert '"status": "REJECTED"' in process.stdout
    assert "--strict" in process.stdout


@pytest.mark.parametrize("out", ["/proc/self", "/proc/self/new"])
def test_a_folder_that_cannot_be_written_is_an_error(out: str, tmp_path: Path) -> None:
    """There is no verdict on the file, but an error that names the folder."""
    (tmp_path / "a.jpg").write_bytes(JPEG)
    status, lines, errors = run("a.jpg", "--out", out, cwd=tmp_path)
    assert (status, lines) == (1, [])
    assert f"no thumbnails can be written to {out} " in errors
    assert "choose another folder with --out" in errors
    assert "Traceback" not in errors


def many_photos(folder: Path) -> list[str]:
    """Write 30 photos, and return the command that makes thumbnails of them."""
    for index in range(30):
        (folder / f"{index}.jpg").write_bytes(JPEG)
    return [*COMMAND, str(folder), "--out", str(folder / "out")]


def test_the_command_ends_quietly_if_its_reader_leaves(tmp_path: Path) -> None:
    """An example is `./eventloom thumbnail ... | head -1`."""
    with subprocess.Popen(many_photos(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.readline()
        running.stdout.close()
        assert running.stderr.read() == b""
        running.wait(30)
    assert len(list((tmp_path / "out").iterdir())) < 30 * 3


def test_ctrl_c_exits_with_130(tmp_path: Path) -> None:
    with subprocess.Popen(many_photos(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.readline()
        running.send_signal(signal.SIGINT)
        assert running.wait(30) == 130
        assert b"Traceback" not in running.stderr.read()
    assert not list((tmp_path / "out").glob(".thumbnail-*"))
