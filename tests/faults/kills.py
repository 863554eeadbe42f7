"""Kill the thumbnailer's process again and again while many photos arrive, and measure how late the last one is."""

import json
import random
import signal
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import batched
from pathlib import Path

from embedded_localstack import processes
from tests.faults import checker
from tests.faults.run import drain_dead_letters, notices
from tests.faults.stage import Stage, settled
from tests.faults.workload import Subject, content_of
from tests.integration.support import Deployment, depth, eventually, listening, unique

# `aws s3 sync` sends this many objects at the same time.
AT_ONCE = 10
# The maximum time between a part of the uploads and its kill. The time is random, so that kills hit every phase.
LATEST_KILL_S = 2


# The main thread, the lease's thread and two workers. In a new process, the workers start after the lease.
WORKING_THREADS = 4
# A process that dies before its first request to SQS cannot return its messages. They then wait for the queue's
# visibility timeout, also on AWS. The request takes some milliseconds, and up to this time on a busy machine.
EARLY_MS = 250
BATCH = 10


@dataclass(frozen=True)
class Report:
    """The result of a run.

    Attributes:
        photos: how many were uploaded.
        kills: how many processes were killed.
        again: how many photos needed another delivery of their message.
        late: seconds from the last kill until a photo was READY, the longest time first.
        early_deaths: batches whose process died before it could ask for their lease.
        dead_letters: messages in the dead-letter queue.
        violations: the checker's descriptions of everything that is wrong.
    """

    photos: int
    kills: int
    again: int
    late: list[float]
    early_deaths: int
    dead_letters: int
    violations: list[str]

    def __str__(self) -> str:
        with_lease = self.late[BATCH * self.early_deaths :]
        return (
            f"{self.photos} photos, {self.kills} kills, {self.early_deaths} of them before the lease of a batch: "
            f"{self.again} photos were delivered again; {self.dead_letters} dead letters, "
            f"{len(self.violations)} violations; seconds from the last kill to the last photo: {self.late[0]:.0f}, "
            f"with a lease {with_lease[0]:.0f}"
        )


def run(deployment: Deployment, worker: Stage, photos: int, kills: int, settle_s: float) -> Report:
    """Upload photos in as many parts as there are kills, and kill a working process after each part."""
    prefix = unique("kills")
    subjects = [
        Subject(deployment["uploads_bucket"], f"{prefix}/{number:05d}.jpg", "p", [content_of("photo", number)])
        for number in range(photos)
    ]

    def put(subject: Subject) -> None:
        subject.put(subject.contents[0], deployment.put(subject.key, subject.contents[0].data), "")

    began = time.time()
    with listening(deployment["notices_topic_arn"]) as listener:
        for part in batched(subjects, -(-photos // kills), strict=False):
            with ThreadPoolExecutor(AT_ONCE) as pool:
                list(pool.map(put, part))
            time.sleep(random.SystemRandom().uniform(0, LATEST_KILL_S))
            last_kill = kill(deployment, worker)
        settled(lambda: depth(deployment["uploads_queue_url"]), settle_s)
        letters = drain_dead_letters(deployment)
        problems = checker.violations(deployment, subjects)
        eventually(lambda: not checker.unannounced(subjects, notices(listener)), "a notice about each photo", settle_s)
        problems += checker.announced_twice(subjects, notices(listener))
    return Report(
        photos,
        kills,
        delivered_again(deployment, prefix),
        sorted((moment - last_kill for moment in processed(deployment, subjects)), reverse=True),
        early_deaths(deployment, began),
        len(letters),
        problems,
    )


def kill(deployment: Deployment, worker: Stage) -> float:
    """Kill a process of the function that has a lease, while its queue is not empty. Returns the time."""

    def busy() -> list[int]:
        pids = worker.processes() if depth(deployment["uploads_queue_url"]) else []
        return [pid for pid in pids if thread_count(pid) >= WORKING_THREADS]

    pids = eventually(busy, "a working process of the function", 60, every_s=0.1)
    processes.send([random.SystemRandom().choice(pids)], signal.SIGKILL)
    return time.time()


def thread_count(pid: int) -> int:
    """Return the number of threads of a process, 0 if it has ended."""
    try:
        return len(list(Path(f"/proc/{pid}/task").iterdir()))
    except FileNotFoundError:
        return 0


def processed(deployment: Deployment, subjects: Sequence[Subject]) -> list[float]:
    """Return when each photo became READY, in seconds since the epoch."""
    items = (deployment.item(subject.key) for subject in subjects)
    return [datetime.fromisoformat(item["processed_at"]).timestamp() for item in items if item]


def early_deaths(deployment: Deployment, since: float) -> int:
    """Return how many invocations ended with an error before their messages had a lease, by Lambda's reports."""
    count = 0
    for line in map(json.loads, deployment.log_lines("thumbnailer", "platform.report")):
        record, time_ = line.get("record", {}), datetime.fromisoformat(line["time"]).timestamp()
        is_early = record.get("metrics", {}).get("durationMs", EARLY_MS) < EARLY_MS
        count += time_ >= since and record.get("status") == "error" and is_early
    return count


def delivered_again(deployment: Deployment, prefix: str) -> int:
    """Return the number of photos that, by the log, were done only after another delivery of their message."""
    lines = deployment.log_lines("thumbnailer", prefix)
    return sum('"done"' in line and '"deliveries":1,' not in line.replace(" ", "") for line in lines)
