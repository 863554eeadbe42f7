"""One run of the fault suite: uploads under faults, then calm, then the check."""

import json
import random
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from eventloom import clouds
from eventloom.clouds import client
from tests.faults import checker
from tests.faults.gremlin import Gremlin
from tests.faults.proxy import running
from tests.faults.stage import settled, staged, visibility
from tests.faults.workload import Chaos, Subject, perform, plan
from tests.integration.support import Deployment, Listener, depth, eventually, listening

# Far below the deployed ones, so that what takes minutes there takes seconds here; in the same proportion to each other.
VISIBILITY_S = 6
TIMEOUT_S = 20
MOST_WAITING = 120


@dataclass(frozen=True)
class Scale:
    """How much is done: `pause_s` between two faults."""

    objects: int
    faults: int
    pause_s: float
    settle_s: float


@dataclass(frozen=True)
class Report:
    """How it went."""

    seed: int
    objects: int
    faults: Counter[str]
    dead_letters: int
    violations: list[str]
    seconds: float

    def __str__(self) -> str:
        kinds = ", ".join(f"{count} {what}" for what, count in self.faults.most_common())
        return (
            f"seed {self.seed}: {self.objects} objects, {self.faults.total()} faults ({kinds}), {self.dead_letters} dead letters, "
            f"{len(self.violations)} violations, {self.seconds:.0f} s"
        )


def run(deployment: Deployment, seed: int, scale: Scale) -> Report:
    """Everything of one seed."""
    print(f"faults: seed {seed}; again with: make test-faults SEED={seed}", flush=True)
    began = time.monotonic()

    def waiting() -> int:
        return depth(deployment["uploads_queue_url"])

    # The recoverer would send dead letters again while they are counted.
    with (
        running(clouds.chosen_cloud()) as proxy,
        staged(deployment, "thumbnailer", "notifier") as (worker, teller),
        own_bucket(deployment) as bucket,
        deployment.outage("recoverer", "sqs:StartMessageMoveTask"),
        visibility(deployment, VISIBILITY_S),
        listening(deployment["notices_topic_arn"]) as listener,
    ):
        worker.perform(timeout_s=TIMEOUT_S, AWS_ENDPOINT_URL=proxy.endpoint)
        teller.perform(AWS_ENDPOINT_URL=proxy.endpoint)
        print(f"  staged after {time.monotonic() - began:.0f} s", flush=True)
        subjects = plan(seed, scale.objects, [deployment["uploads_bucket"], bucket])
        chaos = Chaos(deployment, seed)
        gremlin = Gremlin(deployment, proxy, worker, chaos.poison, seed, scale.pause_s)

        def room() -> bool:
            gremlin.check()
            return waiting() < MOST_WAITING

        gremlin.start()
        try:
            perform(subjects, bucket, chaos, seed, room)
            # Faults meet work, not idle functions: they go on until there were enough, or all is done.
            eventually(lambda: gremlin.total() >= scale.faults or waiting() == 0, "enough faults", scale.settle_s)
        finally:
            gremlin.stop()
        print(f"  uploaded after {time.monotonic() - began:.0f} s", flush=True)
        faults = gremlin.done + proxy.fired() + Counter(chaos.faults)
        wrong, letters = _check(deployment, subjects, chaos, listener, scale.settle_s)
        wrong += checker.repeats(_notices(listener), faults, deployment["state_table"])
    if faults.total() < scale.faults:
        wrong.append(f"only {faults.total()} faults, not {scale.faults}")
    return Report(seed, len(subjects), faults, letters, wrong, time.monotonic() - began)


def _check(deployment: Deployment, subjects: list[Subject], chaos: Chaos, listener: Listener, settle_s: float) -> tuple[list[str], int]:
    """Twice: as the faults left it; and after the dead letters were sent again, when all must be well."""
    url = deployment["uploads_queue_url"]
    settled(lambda: depth(url), settle_s)
    letters = drained(deployment)
    print(f"  calm, {len(letters)} dead letters", flush=True)
    wrong = checker.violations(deployment, subjects, letters)
    missing = set(chaos.nonsense) - set(letters)
    wrong += [f"a message is lost: {body!r}" for body in missing]
    for body in letters:
        if body not in chaos.nonsense:
            client("sqs").send_message(QueueUrl=url, MessageBody=body)
    settled(lambda: depth(url), settle_s)
    print("  calm again", flush=True)
    wrong += [f"{body[-300:]!r} is dead again" for body in drained(deployment)]
    wrong += checker.violations(deployment, subjects)
    end = time.monotonic() + settle_s
    while (untold := checker.untold(subjects, _notices(listener))) and time.monotonic() < end:
        time.sleep(1)
    wrong += [f"nobody was told about {key}" for key in untold]
    wrong += checker.told_twice(subjects, _notices(listener))
    return wrong, len(letters)


def _notices(listener: Listener) -> list[dict[str, Any]]:
    """What came about images: the recoverer's reports use the same topic."""
    return [message for message in listener.messages() if "notice_id" in message]


def drained(deployment: Deployment) -> list[str]:
    """The bodies of all dead letters, taken off their queue."""
    bodies: list[str] = []
    while found := deployment.dlq_messages():
        bodies += [message["Body"] for message in found]
    return bodies


@contextmanager
def own_bucket(deployment: Deployment) -> Iterator[str]:
    """A bucket without versions and events that the thumbnailer may read."""
    s3, iam = client("s3"), client("iam")
    name = f"{deployment['prefix']}-faults-{uuid.uuid4().hex[:8]}"
    role = deployment["functions"]["thumbnailer"]["role_name"]
    s3.create_bucket(Bucket=name)
    iam.put_role_policy(RoleName=role, PolicyName="faults", PolicyDocument=_may_read(name))
    try:
        yield name
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="faults")
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=name):
            if found := [{"Key": one["Key"]} for one in page.get("Contents", [])]:
                s3.delete_objects(Bucket=name, Delete={"Objects": found})
        s3.delete_bucket(Bucket=name)


def _may_read(bucket: str) -> str:
    arn = f"arn:aws:s3:::{bucket}"
    allow = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": [arn, f"{arn}/*"]}
    return json.dumps({"Version": "2012-10-17", "Statement": [allow]})


def some_seed() -> int:
    """One that was not there before."""
    return random.SystemRandom().randrange(10**6)
