"""Test that a server writes only to its folder, frees the memory of deleted resources, and leaves no process behind."""

import json
import os
import signal
import subprocess
import sys
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
# Every process has these open. They store no data.
HARMLESS = ("/dev/", "pipe:", "socket:", "anon_inode:", "/proc/", "/memfd:")
# The first rounds create objects that stay: pools of threads, connections and caches.
FIRST, MORE = 2, 4
# The allowed growth, because the number of idle connections and of their threads varies.
SPARE = 6
# A server that counts its objects when the file `count` exists. `gc` lists only objects created after the start.
COUNTING = """
import gc, json, threading, time
from pathlib import Path
from embedded_localstack.server import main

def count():
    from botocore.client import BaseClient
    from localstack.services.lambda_.event_source_mapping.esm_worker import EsmWorker
    from localstack.utils.threads import FuncThread
    counted = {"clients": BaseClient, "mappings": EsmWorker, "threads of LocalStack": FuncThread}
    gc.collect()
    objects = gc.get_objects()
    return {name: sum(isinstance(item, kind) for item in objects) for name, kind in counted.items()}

def answer():
    while True:
        time.sleep(0.1)
        if Path("count").exists():
            Path("part").write_text(json.dumps(count()))
            Path("count").unlink()
            Path("part").replace("counted")

threading.Thread(target=answer, daemon=True).start()
main()
"""
STARTER = f"""
import sys
from embedded_localstack import cli, launch
launch.SERVER = [sys.executable, "-c", {COUNTING!r}]
sys.exit(cli.main(sys.argv[1:]))
"""


def outside() -> list[str]:
    """Return the files and folders in the places where other servers write."""
    return sorted(
        str(path) for folder in map(Path, OUTSIDE) if folder.exists() for path in (folder, *folder.rglob("*"))
    )


@pytest.fixture(scope="module")
def before() -> list[str]:
    """Return the files and folders that exist in these places before the test."""
    return outside()


@pytest.fixture(scope="module")
def user(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the home folder of the user who starts the server."""
    return tmp_path_factory.mktemp("user")


@pytest.fixture(scope="module")
def folder(base: Path) -> Iterator[Home]:
    """Yield the folder of a server that only the tests of this module use."""
    home = Home(free_port(), base / "busy")
    yield home
    assert launcher("down", home, "--forget").returncode == 0


@pytest.fixture
def busy(folder: Home, user: Path, before: list[str]) -> Cloud:
    """Return a server with an invoked function, DynamoDB, Kinesis and an object that is too large for memory.

    The server counts its objects. If a test ends the server, the next test starts it again.
    """
    cloud, run = Cloud(folder), folder.load()
    if run and run.running():
        return cloud
    command = [sys.executable, "-c", STARTER, "up", "--port", str(folder.port), "--home", str(folder.path)]
    environment = {**os.environ, "HOME": str(user)}
    started = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert started.returncode == 0, started.stderr
    cloud.s3.create_bucket(Bucket="out")
    cloud.s3.put_object(Bucket="out", Key="large", Body=b"x" * 2_000_000)
    cloud.function("f")
    cloud.lambda_.invoke(FunctionName="f")
    cloud.dynamodb.list_tables()
    cloud.kinesis.list_streams()
    return cloud


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


def counts(cloud: Cloud) -> dict[str, int]:
    """Return the numbers of objects, threads and descriptors of a server."""
    run, answer = cloud.home.load(), cloud.home.path / "counted"
    assert run
    (cloud.home.path / "count").touch()
    assert eventually(answer.exists)
    process = Path(f"/proc/{run.pid}")
    entries = {"threads": process / "task", "descriptors": process / "fd"}
    own = {name: len(list(folder.iterdir())) for name, folder in entries.items()}
    objects: dict[str, int] = json.loads(answer.read_text())
    answer.unlink()
    return objects | own


def stack(cloud: Cloud, name: str) -> None:
    """Create a function with a queue, a table with a stream and a bucket, use them, and delete all of them."""
    cloud.s3.create_bucket(Bucket=name)
    url, queue = cloud.queue(name)
    cloud.dynamodb.create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )
    stream = cloud.dynamodb.describe_table(TableName=name)["Table"]["LatestStreamArn"]
    cloud.function(name, "sqs:*", "dynamodb:*")
    sources: dict[str, dict[str, str]] = {queue: {}, stream: {"StartingPosition": "TRIM_HORIZON"}}
    mappings = [
        cloud.lambda_.create_event_source_mapping(FunctionName=name, EventSourceArn=arn, **settings)["UUID"]
        for arn, settings in sources.items()
    ]
    cloud.sqs.send_message(QueueUrl=url, MessageBody="{}")
    cloud.dynamodb.put_item(TableName=name, Item={"id": {"S": "1"}})
    handled = eventually(lambda: len(cloud.s3.list_objects_v2(Bucket="out", Prefix=name).get("Contents", [])) == 2)
    assert handled
    for mapping in mappings:
        cloud.lambda_.delete_event_source_mapping(UUID=mapping)
    cloud.lambda_.delete_function(FunctionName=name)
    assert eventually(lambda: not cloud.lambda_.list_event_source_mappings()["EventSourceMappings"])
    cloud.dynamodb.delete_table(TableName=name)
    cloud.sqs.delete_queue(QueueUrl=url)
    cloud.s3.delete_bucket(Bucket=name)
    cloud.iam.delete_role_policy(RoleName=f"role-{name}", PolicyName="p")
    cloud.iam.delete_role(RoleName=f"role-{name}")


def test_nothing_is_left_of_deleted_stacks(busy: Cloud):
    for number in range(FIRST):
        stack(busy, f"first-{number}")
    before = counts(busy)
    for number in range(MORE):
        stack(busy, f"more-{number}")

    def grown() -> dict[str, tuple[int, int]]:
        """Return the counts that have grown, with their earlier and present values. SPARE is the allowed growth."""
        return {
            name: (before[name], count)
            for name, count in counts(busy).items()
            if count > before[name] + (SPARE if name in ("threads", "descriptors") else 0)
        }

    # The last threads and connections end a few seconds after their work.
    assert eventually(lambda: not grown()), grown()


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
