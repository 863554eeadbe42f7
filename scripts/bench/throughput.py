"""Compare our function with a naive one on the embedded LocalStack, with equal queue settings, memory and photos.

The two functions are deployed through the API, without Terraform, because the comparison is about their code.
"""

import json
import os
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from eventloom.clouds import BUILD, chosen_cloud, client
from eventloom.emulator import RUNTIME
from scripts.bench import emulator, invocations
from scripts.bench.invocations import Job, no_failures

LAUNCHER = [str(BUILD / "venv/localstack/bin/python"), "-m", "embedded_localstack"]
UPLOADS = "bench-uploads"
SOURCES = {"eventloom": "thumbnailer.handler", "naive": "handler"}
# The memory of an execution environment, the number of environments, and the messages in a batch
MEMORY_MB, CONCURRENCY, BATCH = 1769, 2, 5
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
ACTIONS = ["s3:*", "sqs:*", "dynamodb:*", "logs:*"]


class Cloud:
    """A separate embedded LocalStack with the resources that both functions need."""

    def __enter__(self) -> "Cloud":
        """Start LocalStack and create the bucket for uploads."""
        self._launch("up")
        client("s3").create_bucket(Bucket=UPLOADS)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop LocalStack."""
        self._launch("down", "--forget")

    @staticmethod
    def _launch(command: str, *options: str) -> None:
        arguments = [*LAUNCHER, command, "--port", str(chosen_cloud().port), "--home", str(_home()), *options]
        subprocess.run(arguments, check=True, env=RUNTIME | os.environ)

    def variables(self, name: str) -> dict[str, str]:
        """Return the environment variables of a function."""
        return {"THUMBNAILS_BUCKET": f"bench-{name}", "CATALOG_TABLE": f"bench-{name}", "LOG_LEVEL": "WARNING"}

    def deploy(self, name: str, package: bytes) -> None:
        """Create a function with its queue, bucket, table and role."""
        client("s3").create_bucket(Bucket=f"bench-{name}")
        key = {"AttributeName": "image_id", "AttributeType": "S"}
        client("dynamodb").create_table(
            TableName=f"bench-{name}",
            AttributeDefinitions=[key],
            KeySchema=[{"AttributeName": "image_id", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        role = client("iam").create_role(RoleName=f"bench-{name}", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"][
            "Arn"
        ]
        policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ACTIONS, "Resource": "*"}]}
        client("iam").put_role_policy(RoleName=f"bench-{name}", PolicyName="all", PolicyDocument=json.dumps(policy))
        url = client("sqs").create_queue(QueueName=f"bench-{name}", Attributes={"VisibilityTimeout": "360"})["QueueUrl"]
        arn = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        powertools = {"POWERTOOLS_SERVICE_NAME": name, "POWERTOOLS_METRICS_NAMESPACE": "Bench"}
        client("lambda").create_function(
            FunctionName=f"bench-{name}",
            Runtime="python3.13",
            Architectures=[chosen_cloud().architecture],
            Handler=f"{SOURCES[name]}.lambda_handler",
            Role=role,
            Code={"ZipFile": package},
            Timeout=60,
            MemorySize=MEMORY_MB,
            Environment={"Variables": self.variables(name) | powertools},
        )
        client("lambda").get_waiter("function_active_v2").wait(FunctionName=f"bench-{name}")
        client("lambda").create_event_source_mapping(
            FunctionName=f"bench-{name}",
            EventSourceArn=arn,
            BatchSize=BATCH,
            ScalingConfig={"MaximumConcurrency": CONCURRENCY},
            FunctionResponseTypes=["ReportBatchItemFailures"],
        )

    def images_per_s(self, name: str, files: list[Path], count: int, label: str) -> tuple[float, float]:
        """Send `count` photos to a deployed function, and wait until all of their items exist.

        Return the photos per second, and the CPU milliseconds of the emulator for each photo.
        """
        events = (self.event(files[number % len(files)], f"{label}-{name}-{number}") for number in range(count))
        bodies = [json.dumps(event) for event in events]
        url = client("sqs").get_queue_url(QueueName=f"bench-{name}")["QueueUrl"]
        before = self._items(name)
        server = emulator.Server(_home())
        began, cpu_s = time.monotonic(), server.cpu_s()
        for number in range(0, count, 10):
            batch = bodies[number : number + 10]
            entries = [{"Id": str(position), "MessageBody": body} for position, body in enumerate(batch)]
            client("sqs").send_message_batch(QueueUrl=url, Entries=entries)
        while self._items(name) < before + count:
            if time.monotonic() - began > 180:
                raise RuntimeError(f"{name} did not finish {count} photos in 180 s; see build/localstack*/")
            time.sleep(0.1)
        speed = round(count / (time.monotonic() - began), 2)
        return speed, round((server.cpu_s() - cpu_s) / count * 1000, 1)

    def job(self, name: str, file: Path) -> Job:
        """Return a job that handles one photo in each invocation."""
        return Job(
            "makes the thumbnails of a 12 MP photo",
            lambda number: _batch(number, self.event(file, f"{name}-{number}")),
            no_failures,
        )

    def event(self, file: Path, key: str) -> dict[str, Any]:
        """Put a photo into the bucket, and return the notification that S3 would send for it."""
        answer = client("s3").put_object(Bucket=UPLOADS, Key=key, Body=file.read_bytes())
        s3_object = {
            "key": key,
            "size": file.stat().st_size,
            "eTag": answer["ETag"].strip('"'),
            "sequencer": f"{time.time_ns():X}",
        }
        record = {
            "eventName": "ObjectCreated:Put",
            "eventTime": "2026-01-01T00:00:00.000Z",
            "eventSource": "aws:s3",
            "awsRegion": "us-east-1",
        }
        return {"Records": [record | {"s3": {"bucket": {"name": UPLOADS}, "object": s3_object}}]}

    @staticmethod
    def _items(name: str) -> int:
        with suppress(KeyError):
            return int(client("dynamodb").scan(TableName=f"bench-{name}", Select="COUNT")["Count"])
        return 0


def run(
    packages: dict[str, tuple[Path, bytes]], folders: dict[str, Path], files: list[Path], count: int, repeats: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the figures of the pipeline, and those of invocations by function.

    `packages` has the folder and the zip file of each function of the pipeline, `folders` the unpacked packages of all
    functions.
    """
    speeds: dict[str, list[tuple[float, float]]] = {name: [] for name in packages}
    typical = sorted(files, key=lambda file: file.stat().st_size)[len(files) // 2]
    with Cloud() as cloud:
        for name, (_, package) in packages.items():
            cloud.deploy(name, package)
            cloud.images_per_s(name, files, 2 * BATCH, "warm")
        for repeat in range(repeats):
            for name in packages:
                speeds[name].append(cloud.images_per_s(name, files, count, f"run-{repeat}"))
        invoked = {
            name: invocations.probe(folder, SOURCES[name], cloud.variables(name), cloud.job(name, typical))
            for name, (folder, _) in packages.items()
        }
        invoked |= invocations.run(folders, UPLOADS)
    best = {name: max(speed for speed, _ in results) for name, results in speeds.items()}
    cpu_ms = min(cost for _, cost in speeds["eventloom"])
    settings = {"photos": count, "repeats": repeats, "concurrency": CONCURRENCY, "batch": BATCH, "memory_mb": MEMORY_MB}
    measured = {"images_per_s": best["eventloom"], "naive_images_per_s": best["naive"], "emulator_cpu_ms": cpu_ms}
    return measured | settings, invoked


def _home() -> Path:
    return BUILD / f"localstack-{chosen_cloud().port}"


def _batch(number: int, notification: dict[str, Any]) -> dict[str, Any]:
    """Return an SQS event with one message."""
    message = {"messageId": str(number), "body": json.dumps(notification), "attributes": {}}
    return {
        "Records": [message | {"eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:bench"}]
    }
