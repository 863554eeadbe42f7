"""Measure the CPU time of the first and of a warm invocation of every function, with its settings from Terraform.

`terraform/` is deployed to the benchmark's own LocalStack. Each handler runs in its own process on this machine
and uses the deployed resources, so its CPU time excludes the emulator's.
"""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from eventloom.clouds import BUILD, ROOT, chosen_cloud, client
from eventloom.deployment.build import FUNCTIONS
from scripts.bench import coldstart
from scripts.bench.photos import HOME

INVOCATIONS = 5
_CSV_ROWS = 1000

Event = dict[str, Any]


class Job(NamedTuple):
    """The work of one measured invocation."""

    about: str
    # Returns the event with this number. The function has seen no event before.
    event: Callable[[int], Event]
    # Returns whether the function's response reports success.
    is_done: Callable[[Event], bool]


def probe(folder: Path, module: str, variables: dict[str, str], job: Job) -> dict[str, Any]:
    """Return the CPU milliseconds of the first and the fastest warm invocation. Raises RuntimeError if a job fails."""
    HOME.mkdir(parents=True, exist_ok=True)
    paths = [HOME / f"event-{number}.json" for number in range(INVOCATIONS)]
    for number, path in enumerate(paths):
        path.write_text(json.dumps(job.event(number)))
    command = [str(coldstart.PYTHON), str(ROOT / "scripts/bench/probe.py"), module, *map(str, paths)]
    environment = coldstart.environment(folder, variables) | {"AWS_ENDPOINT_URL": str(chosen_cloud().endpoint)}
    process = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if process.returncode:
        raise RuntimeError(f"{module} failed: {process.stdout[-2000:]}{process.stderr[-2000:]}")
    report = json.loads(process.stdout.splitlines()[-1])
    for answer in report["answers"]:
        if not job.is_done(answer):
            raise RuntimeError(f"{module} did not finish its job: {json.dumps(answer)[:1000]}")
    _, first, *warm = report["cpu_ms"]
    return {"first_invoke_ms": first, "warm_invoke_ms": min(warm), "invocation": job.about}


def run(folders: dict[str, Path], bucket: str) -> dict[str, dict[str, Any]]:
    """Return the figures of each function in `jobs`.

    `folders` are the functions' unpacked packages. Objects are put into `bucket`, which sends no events.
    """
    deploy = [str(BUILD / "venv/dev/bin/python"), "-P", "-m", "eventloom", "deploy"]
    process = subprocess.run(deploy, capture_output=True, text=True, check=False)
    if process.returncode:
        raise RuntimeError(f"terraform apply failed: {process.stdout[-2000:]}{process.stderr[-2000:]}")
    outputs = json.loads((BUILD / f"outputs.{chosen_cloud().key}.local.json").read_text())["outputs"]
    result = {}
    for name, job in jobs(bucket).items():
        function = client("lambda").get_function_configuration(FunctionName=outputs["functions"][name]["function_name"])
        result[name] = probe(folders[name], f"{name}.handler", function["Environment"]["Variables"], job)
    return result


def jobs(bucket: str) -> dict[str, Job]:
    """Return the job of each function except the thumbnailer, which is measured with the naive function."""
    return {
        "activity": Job("counts three events of Kinesis", _views, no_failures),
        "catalog_api": Job(
            "lists the ready images of an empty catalog",
            lambda _: sample("catalog_api", "rest_list_images"),
            lambda answer: answer["statusCode"] == 200,
        ),
        "converter": Job(
            f"converts {_CSV_ROWS} rows of CSV to Parquet",
            lambda number: _csv(bucket, number),
            lambda answer: answer["results"][0]["status"] == "CONVERTED",
        ),
        "digest": Job(
            "sends the digest of a day",
            lambda number: {"day": f"2026-01-{number + 1:02}"},
            lambda answer: answer["status"] == "SENT",
        ),
        "notifier": Job("announces one image", _change, no_failures),
        "recoverer": Job(
            "checks every alarm that has a rule",
            lambda _: sample("recoverer", "schedule"),
            lambda answer: bool(answer) and "failed" not in answer.values(),
        ),
    }


def no_failures(answer: Event) -> bool:
    """Return whether every message of the batch succeeded."""
    return not answer["batchItemFailures"]


def sample(function: str, name: str) -> Event:
    """Return a sample event from the function's folder."""
    event: Event = json.loads((FUNCTIONS / function / "events" / f"{name}.json").read_text())
    return event


def _views(number: int) -> Event:
    event = sample("activity", "kinesis_views")
    for record in event["Records"]:
        sequence = str(int(record["kinesis"]["sequenceNumber"]) + 1000 * number)
        record["kinesis"]["sequenceNumber"] = sequence
        record["eventID"] = f"{record['eventID'].split(':')[0]}:{sequence}"
    return event


def _change(number: int) -> Event:
    event = sample("notifier", "stream_insert_ready")
    image = f"{number:032x}"
    changed = event["Records"][0]["dynamodb"]
    changed["Keys"]["image_id"]["S"] = changed["NewImage"]["image_id"]["S"] = image
    return event


def _csv(bucket: str, number: int) -> Event:
    rows = (f"{row},customer-{row % 97},2026-11-{row % 28 + 1:02},{row * 7 % 1000 / 10}" for row in range(_CSV_ROWS))
    body = "\n".join(["id,customer,day,amount", *rows]).encode()
    key = f"raw/orders/{number}.csv"
    answer = client("s3").put_object(Bucket=bucket, Key=key, Body=body)
    event = sample("converter", "s3_put")
    event["Records"][0]["s3"]["bucket"]["name"] = bucket
    event["Records"][0]["s3"]["object"] |= {"key": key, "size": len(body), "eTag": answer["ETag"].strip('"')}
    return event
