"""Test that a server writes only to its folder, and that no process is left after `down`, even if it was killed."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded_localstack import processes
from embedded_localstack.state import Home
from support import Cloud, eventually, free_port, launcher

OUTSIDE = [
    "/var/lib/localstack",
    "/usr/lib/localstack",
    "/etc/localstack",
    "/tmp/localstack",
    "/tmp/lambda",
    "/tmp/localstack-s3-storage",
]
# Every process has these open. They are not files that store data.
HARMLESS = ("/dev/", "pipe:", "socket:", "anon_inode:", "/proc/", "/memfd:")


def outside() -> list[str]:
    """Return the files and folders at the places where other servers write."""
    return sorted(
        str(path) for folder in map(Path, OUTSIDE) if folder.exists() for path in (folder, *folder.rglob("*"))
    )


@pytest.fixture(scope="module")
def before() -> list[str]:
    """Return the files and folders that exist there before the test."""
    return outside()


@pytest.fixture(scope="module")
def user(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the home folder of the user who starts the server."""
    return tmp_path_factory.mktemp("user")


@pytest.fixture(scope="module")
def busy(base: Path, user: Path, before: list[str]) -> Iterator[Cloud]:
    """Yield a server with an invoked function, DynamoDB, Kinesis and an object that is too large for memory."""
    home = Home(free_port(), base / "busy")
    assert launcher("up", home, HOME=str(user)).returncode == 0
    cloud = Cloud(home)
    cloud.s3.create_bucket(Bucket="out")
    cloud.s3.put_object(Bucket="out", Key="large", Body=b"x" * 2_000_000)
    cloud.function("f")
    cloud.lambda_.invoke(FunctionName="f")
    cloud.dynamodb.list_tables()
    cloud.kinesis.list_streams()
    yield cloud
    launcher("down", home, "--forget")


def written_files(pid: int) -> set[str]:
    """Return the files that the process has open for writing."""
    targets = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = str(entry.readlink())
            flags = (Path(f"/proc/{pid}/fdinfo") / entry.name).read_text().splitlines()[1]
        except OSError:
            continue
        if int(flags.split()[1], 8) & (os.O_WRONLY | os.O_RDWR) and not target.startswith(HARMLESS):
            targets.add(target.removesuffix(" (deleted)"))
    return targets


def test_the_server_writes_only_to_its_folder(busy: Cloud, user: Path, before: list[str]):
    family = processes.belonging_to(busy.home.path)
    assert len(family) >= 5, "server, two backends, supervisor, function"
    written = set().union(*map(written_files, family))
    assert written, "at least its log"
    assert [path for path in written if not path.startswith(f"{busy.home.path}/")] == []
    assert list(user.iterdir()) == []
    assert outside() == before


def test_the_processes_of_a_killed_server_end(busy: Cloud):
    run = busy.home.load()
    assert run
    family = processes.belonging_to(busy.home.path)
    os.kill(run.pid, signal.SIGKILL)
    assert eventually(lambda: not processes.wait_gone(family, 0), 10)
    assert "was gone" in launcher("down", busy.home).stdout
    assert sorted(path.name for path in busy.home.path.iterdir()) == [
        ".gitignore",
        ".lock",
        "certificates",
        "denials.jsonl",
        "server.log",
    ]
