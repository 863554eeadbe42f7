"""CPU time of the first invocation and of a warm one of every function, with the settings that Terraform gives it.

The whole of `terraform/` is deployed to the benchmark's own LocalStack. The handlers run in processes of this machine, one
a function, and work on what is deployed: their CPU time is theirs alone, without the emulator's.
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
    """What one invocation of a function does here."""

    about: str
    # Makes the event of the given number: each is new to the function
    event: Callable[[int], Event]
    # Whether the answer says that the job was done
    is_done: Callable[[Event], bool]


def probe(folder: Path, module: str, variables: dict[str, str], job: Job) -> dict[str, Any]:
    """CPU milliseconds of the first invocation and of the best of the warm ones. Raises RuntimeError if a job is not done."""
    HOME.mkdir(parents=True, exist_ok=True)
    paths = [HOME / f"event-{number}.json" for number in range(INVOCATIONS)]
    for number, path in enumerate(paths):
        path.write_text(json.dumps(job.event(number)))
    command = [str(coldstart.PYTHON), str(ROOT / "scripts/bench/probe.py"), module, *map(str, paths)]
    environment = coldstart.environment(folder, variables) | {"AWS_ENDPOINT_URL": str(chosen_cloud().endpoint)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{module}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    found = json.loads(done.stdout.splitlines()[-1])
    for answer in found["answers"]:
        if not job.is_done(answer):
            raise RuntimeError(f"{module} did not do its job: {json.dumps(answer)[:1000]}")
    _, first, *warm = found["cpu_ms"]
    return {"first_invoke_ms": first, "warm_invoke_ms": min(warm), "invocation": job.about}


def run(folders: dict[str, Path], bucket: str) -> dict[str, dict[str, Any]]:
    """By function of `jobs`. `folders` has their unpacked packages; objects are put into `bucket`, which tells no one of them."""
    deploy = [str(BUILD / "venv/dev/bin/python"), "-P", "-m", "eventloom", "deploy"]
    done = subprocess.run(deploy, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"terraform apply failed: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    outputs = json.loads((BUILD / f"outputs.{chosen_cloud().key}.local.json").read_text())["outputs"]
    result = {}
    for name, job in jobs(bucket).items():
        function = client("lambda").get_function_configuration(FunctionName=outputs["functions"][name]["function_name"])
        result[name] = probe(folders[name], f"{name}.handler", function["Environment"]["Variables"], job)
    return result


def jobs(bucket: str) -> dict[str, Job]:
    """The job of each function, but for the thumbnailer, which is measured beside the naive one."""
    return {
        "activity": Job("counts three events of Kinesis", _views, no_failures),
        "catalog_api": Job(
            "lists the ready images of an empty catalog",
            lambda _: sample("catalog_api", "rest_list_images"),
            lambda it: it["statusCode"] == 200,
        ),
        "converter": Job(
            f"makes Parquet of {_CSV_ROWS} rows of CSV",
            lambda number: _csv(bucket, number),
            lambda it: it["results"][0]["status"] == "CONVERTED",
        ),
        "digest": Job("sends the digest of a day", lambda number: {"day": f"2026-01-{number + 1:02}"}, lambda it: it["status"] == "SENT"),
        "notifier": Job("announces one image", _change, no_failures),
        "recoverer": Job(
            "looks at every alarm that has a rule",
            lambda _: sample("recoverer", "schedule"),
            lambda it: bool(it) and "failed" not in it.values(),
        ),
    }


def no_failures(answer: Event) -> bool:
    """Whether a batch was done as a whole."""
    return not answer["batchItemFailures"]


def sample(function: str, name: str) -> Event:
    """An event of the function's own folder."""
    found: Event = json.loads((FUNCTIONS / function / "events" / f"{name}.json").read_text())
    return found


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
