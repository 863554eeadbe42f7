"""Test that a server keeps nothing of what was deleted: no thread, no descriptor, and no client of an ended session."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded_localstack.state import Home
from support import Cloud, eventually, free_port, launcher

# The first rounds make what stays: pools of threads, connections and caches.
FIRST, MORE = 2, 4
# Connections that wait for the next request, and threads that serve them, come and go.
SPARE = 6
# A server that counts its objects when a file asks for it. `gc` shows only those that were made after the start.
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


@pytest.fixture
def counting(base: Path) -> Iterator[Cloud]:
    """Yield a server that counts its objects."""
    home = Home(free_port(), base / "counting")
    command = [sys.executable, "-c", STARTER, "up", "--port", str(home.port), "--home", str(home.path)]
    started = subprocess.run(command, capture_output=True, text=True, check=False)
    assert started.returncode == 0, started.stderr
    yield Cloud(home)
    assert launcher("down", home, "--forget").returncode == 0


def counts(cloud: Cloud) -> dict[str, int]:
    """Return the numbers of objects, threads and descriptors of a server."""
    run, answer = cloud.home.load(), cloud.home.path / "counted"
    assert run
    answer.unlink(missing_ok=True)
    (cloud.home.path / "count").touch()
    assert eventually(answer.exists)
    process = Path(f"/proc/{run.pid}")
    entries = {"threads": process / "task", "descriptors": process / "fd"}
    own = {name: len(list(folder.iterdir())) for name, folder in entries.items()}
    objects: dict[str, int] = json.loads(answer.read_text())
    return objects | own


def stack(cloud: Cloud, name: str) -> None:
    """Make a function with a queue, a table with a stream and a bucket, use them, and delete all."""
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


def test_nothing_is_left_of_deleted_stacks(counting: Cloud):
    counting.s3.create_bucket(Bucket="out")
    for number in range(FIRST):
        stack(counting, f"first-{number}")
    before = counts(counting)
    for number in range(MORE):
        stack(counting, f"more-{number}")

    def grown() -> dict[str, tuple[int, int]]:
        """Return what there is more of than before, beyond what comes and goes."""
        return {
            name: (before[name], count)
            for name, count in counts(counting).items()
            if count > before[name] + (SPARE if name in ("threads", "descriptors") else 0)
        }

    # The last threads and connections end a few seconds after what they were for.
    assert eventually(lambda: not grown()), grown()
