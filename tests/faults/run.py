"""Run the fault suite for one seed: upload under faults, wait for calm, then check."""

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

# Much shorter than the deployed value, so that redeliveries take seconds instead of minutes. The lease and all retry
# delays have this length as well, so the proportions stay the same.
VISIBILITY_S = 6
TIMEOUT_S = 20
MOST_WAITING = 120


@dataclass(frozen=True)
class Scale:
    """The size of a run. `pause_s` is the time between two faults."""

    objects: int
    faults: int
    pause_s: float
    settle_s: float


@dataclass(frozen=True)
class Report:
    """The result of a run."""

    seed: int
    objects: int
    faults: Counter[str]
    dead_letters: int
    violations: list[str]
    seconds: float

    def __str__(self) -> str:
        kinds = ", ".join(f"{count} {fault}" for fault, count in self.faults.most_common())
        return (
            f"seed {self.seed}: {self.objects} objects, {self.faults.total()} faults ({kinds}), {self.dead_letters} "
            f"dead letters, "
            f"{len(self.violations)} violations, {self.seconds:.0f} s"
        )


def run(deployment: Deployment, seed: int, scale: Scale) -> Report:
    """Run the suite for one seed and return its report."""
    print(f"faults: seed {seed}; repeat with: make test-faults SEED={seed}", flush=True)
    began = time.monotonic()

    def waiting() -> int:
        return depth(deployment["uploads_queue_url"])

    # The recoverer must not redrive dead letters while they are counted.
    with (
        running(clouds.chosen_cloud()) as proxy,
        staged(deployment, "thumbnailer", "notifier") as (thumbnailer, notifier),
        own_bucket(deployment) as bucket,
        deployment.outage("recoverer", "sqs:StartMessageMoveTask"),
        visibility(deployment, VISIBILITY_S),
        listening(deployment["notices_topic_arn"]) as listener,
    ):
        delays = {"LEASE_S": str(VISIBILITY_S), "RETRY_DELAYS_S": str(VISIBILITY_S)}
        thumbnailer.perform(timeout_s=TIMEOUT_S, AWS_ENDPOINT_URL=proxy.endpoint, **delays)
        notifier.perform(AWS_ENDPOINT_URL=proxy.endpoint)
        print(f"  staged after {time.monotonic() - began:.0f} s", flush=True)
        subjects = plan(seed, scale.objects, [deployment["uploads_bucket"], bucket])
        chaos = Chaos(deployment, seed)
        gremlin = Gremlin(deployment, proxy, thumbnailer, chaos.poison, seed, scale.pause_s)

        def has_room() -> bool:
            gremlin.check()
            return waiting() < MOST_WAITING

        gremlin.start()
        try:
            perform(subjects, bucket, chaos, seed, has_room)
            # Faults continue until there were enough or the queue is empty, so that they hit busy functions.
            eventually(lambda: gremlin.total() >= scale.faults or waiting() == 0, "enough faults", scale.settle_s)
        finally:
            gremlin.stop()
        print(f"  uploaded after {time.monotonic() - began:.0f} s", flush=True)
        faults = gremlin.done + proxy.fired() + Counter(chaos.faults)
        problems, letters = _check(deployment, subjects, chaos, listener, scale.settle_s)
        problems += checker.repeats(notices(listener), faults, deployment["state_table"])
    if faults.total() < scale.faults:
        problems.append(f"only {faults.total()} faults, not {scale.faults}")
    return Report(seed, len(subjects), faults, letters, problems, time.monotonic() - began)


def _check(
    deployment: Deployment,
    subjects: list[Subject],
    chaos: Chaos,
    listener: Listener,
    settle_s: float,
) -> tuple[list[str], int]:
    """Check the deployment after the faults and again after a redrive.

    Return the problems and the dead letters' count.
    """
    url = deployment["uploads_queue_url"]
    settled(lambda: depth(url), settle_s)
    letters = drain_dead_letters(deployment)
    print(f"  calm, {len(letters)} dead letters", flush=True)
    problems = checker.violations(deployment, subjects, letters)
    missing = set(chaos.invalid) - set(letters)
    problems += [f"a message is lost: {body!r}" for body in missing]
    for body in letters:
        if body not in chaos.invalid:
            client("sqs").send_message(QueueUrl=url, MessageBody=body)
    settled(lambda: depth(url), settle_s)
    print("  calm again", flush=True)
    problems += [f"{body[-300:]!r} is a dead letter again" for body in drain_dead_letters(deployment)]
    problems += checker.violations(deployment, subjects)
    deadline = time.monotonic() + settle_s
    while (missing_keys := checker.unannounced(subjects, notices(listener))) and time.monotonic() < deadline:
        time.sleep(1)
    problems += [f"there is no notice about {key}" for key in missing_keys]
    problems += checker.announced_twice(subjects, notices(listener))
    return problems, len(letters)


def notices(listener: Listener) -> list[dict[str, Any]]:
    """Return the received notices about images, without the recoverer's reports, which use the same topic."""
    return [message for message in listener.messages() if "notice_id" in message]


def drain_dead_letters(deployment: Deployment) -> list[str]:
    """Remove all dead letters from their queue, and return their bodies."""
    bodies: list[str] = []
    while messages := deployment.dlq_messages():
        bodies += [message["Body"] for message in messages]
    return bodies


@contextmanager
def own_bucket(deployment: Deployment) -> Iterator[str]:
    """Create a bucket that the thumbnailer may read, without versions and event notifications."""
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
            if keys := [{"Key": entry["Key"]} for entry in page.get("Contents", [])]:
                s3.delete_objects(Bucket=name, Delete={"Objects": keys})
        s3.delete_bucket(Bucket=name)


def _may_read(bucket: str) -> str:
    arn = f"arn:aws:s3:::{bucket}"
    allow = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": [arn, f"{arn}/*"]}
    return json.dumps({"Version": "2012-10-17", "Statement": [allow]})


def random_seed() -> int:
    """Return a random seed."""
    return random.SystemRandom().randrange(10**6)
