"""Ours and a naive function side by side on the embedded LocalStack: the same bucket, queue settings, memory and photos.

Only the two functions are deployed, by the API: what is compared is the code, and the Terraform has its own tests.
"""

import json
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from eventloom.clouds import BUILD, chosen_cloud, client
from scripts.bench import invocations
from scripts.bench.invocations import Job, no_failures

LAUNCHER = [str(BUILD / "venv/localstack/bin/python"), "-m", "embedded_localstack"]
UPLOADS = "bench-uploads"
SOURCES = {"eventloom": "thumbnailer.handler", "naive": "handler"}
# Of an execution environment each
MEMORY_MB, CONCURRENCY, BATCH = 1769, 2, 5
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
ACTIONS = ["s3:*", "sqs:*", "dynamodb:*", "logs:*"]


class Cloud:
    """An embedded LocalStack of its own, with what both functions need."""

    def __enter__(self) -> "Cloud":
        """Start it."""
        self._launch("up")
        client("s3").create_bucket(Bucket=UPLOADS)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self._launch("down", "--forget")

    @staticmethod
    def _launch(command: str, *options: str) -> None:
        port = str(chosen_cloud().port)
        subprocess.run([*LAUNCHER, command, "--port", port, "--home", str(BUILD / f"localstack-{port}"), *options], check=True)

    def variables(self, name: str) -> dict[str, str]:
        """The settings of a function."""
        return {"THUMBNAILS_BUCKET": f"bench-{name}", "CATALOG_TABLE": f"bench-{name}", "LOG_LEVEL": "WARNING"}

    def deploy(self, name: str, package: bytes) -> None:
        """Make a function with its queue, bucket, table and role."""
        client("s3").create_bucket(Bucket=f"bench-{name}")
        key = {"AttributeName": "image_id", "AttributeType": "S"}
        client("dynamodb").create_table(
            TableName=f"bench-{name}",
            AttributeDefinitions=[key],
            KeySchema=[{"AttributeName": "image_id", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        role = client("iam").create_role(RoleName=f"bench-{name}", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
        policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ACTIONS, "Resource": "*"}]}
        client("iam").put_role_policy(RoleName=f"bench-{name}", PolicyName="all", PolicyDocument=json.dumps(policy))
        url = client("sqs").create_queue(QueueName=f"bench-{name}", Attributes={"VisibilityTimeout": "360"})["QueueUrl"]
        arn = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        client("lambda").create_function(
            FunctionName=f"bench-{name}",
            Runtime="python3.13",
            Architectures=[chosen_cloud().architecture],
            Handler=f"{SOURCES[name]}.lambda_handler",
            Role=role,
            Code={"ZipFile": package},
            Timeout=60,
            MemorySize=MEMORY_MB,
            Environment={"Variables": self.variables(name) | {"POWERTOOLS_SERVICE_NAME": name, "POWERTOOLS_METRICS_NAMESPACE": "Bench"}},
        )
        client("lambda").get_waiter("function_active_v2").wait(FunctionName=f"bench-{name}")
        client("lambda").create_event_source_mapping(
            FunctionName=f"bench-{name}",
            EventSourceArn=arn,
            BatchSize=BATCH,
            ScalingConfig={"MaximumConcurrency": CONCURRENCY},
            FunctionResponseTypes=["ReportBatchItemFailures"],
        )

    def images_per_s(self, name: str, files: list[Path], count: int, label: str) -> float:
        """Send `count` photos through a deployed function; how many it does a second, from the first message to the last item."""
        bodies = [json.dumps(self.event(files[number % len(files)], f"{label}-{name}-{number}")) for number in range(count)]
        url = client("sqs").get_queue_url(QueueName=f"bench-{name}")["QueueUrl"]
        before = self._items(name)
        began = time.monotonic()
        for number in range(0, count, 10):
            entries = [{"Id": str(at), "MessageBody": body} for at, body in enumerate(bodies[number : number + 10])]
            client("sqs").send_message_batch(QueueUrl=url, Entries=entries)
        while self._items(name) < before + count:
            if time.monotonic() - began > 180:
                raise RuntimeError(f"{name} did not finish {count} photos in 180 s; see build/localstack*/")
            time.sleep(0.1)
        return round(count / (time.monotonic() - began), 2)

    def job(self, name: str, file: Path) -> Job:
        """One photo an invocation."""
        return Job(
            "makes the thumbnails of a 12 MP photo", lambda number: _batch(number, self.event(file, f"{name}-{number}")), no_failures
        )

    def event(self, file: Path, key: str) -> dict[str, Any]:
        """Put a photo into the bucket; the notification that S3 would send for it."""
        answer = client("s3").put_object(Bucket=UPLOADS, Key=key, Body=file.read_bytes())
        found = {"key": key, "size": file.stat().st_size, "eTag": answer["ETag"].strip('"'), "sequencer": f"{time.time_ns():X}"}
        about = {
            "eventName": "ObjectCreated:Put",
            "eventTime": "2026-01-01T00:00:00.000Z",
            "eventSource": "aws:s3",
            "awsRegion": "us-east-1",
        }
        return {"Records": [about | {"s3": {"bucket": {"name": UPLOADS}, "object": found}}]}

    @staticmethod
    def _items(name: str) -> int:
        with suppress(KeyError):
            return int(client("dynamodb").scan(TableName=f"bench-{name}", Select="COUNT")["Count"])
        return 0


def run(
    packages: dict[str, tuple[Path, bytes]], folders: dict[str, Path], files: list[Path], count: int, repeats: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The pipeline's figures and, by name, those of invoking.

    `packages` gives folder and zip of the two sides of the pipeline, `folders` the unpacked packages of all functions.
    """
    speeds: dict[str, list[float]] = {name: [] for name in packages}
    typical = sorted(files, key=lambda file: file.stat().st_size)[len(files) // 2]
    with Cloud() as cloud:
        for name, (_, package) in packages.items():
            cloud.deploy(name, package)
            cloud.images_per_s(name, files, 2 * BATCH, "warm")
        for repeat in range(repeats):
            for name in packages:
                speeds[name].append(cloud.images_per_s(name, files, count, f"run-{repeat}"))
        found = {
            name: invocations.probe(folder, SOURCES[name], cloud.variables(name), cloud.job(name, typical))
            for name, (folder, _) in packages.items()
        }
        found |= invocations.run(folders, UPLOADS)
    best = {name: max(found) for name, found in speeds.items()}
    about = {"photos": count, "repeats": repeats, "concurrency": CONCURRENCY, "batch": BATCH, "memory_mb": MEMORY_MB}
    return {"images_per_s": best["eventloom"], "naive_images_per_s": best["naive"]} | about, found


def _batch(number: int, notification: dict[str, Any]) -> dict[str, Any]:
    """The event of a queue with one message."""
    message = {"messageId": str(number), "body": json.dumps(notification), "attributes": {}}
    return {"Records": [message | {"eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:bench"}]}
