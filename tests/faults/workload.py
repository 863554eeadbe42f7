"""Plan and perform seeded uploads, overwrites and deletions, and record the expected result of each object.

Half of the objects go to the deployed, versioned bucket, whose events S3 sends. The other half goes to a bucket without
versions, whose events `Chaos` sends: several times, late, in any order, and together with other events or invalid ones.
"""

import hashlib
import io
import json
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import quote_plus

from PIL import Image

from eventloom.clouds import client
from tests.integration.photos import photo
from tests.integration.support import Deployment

FORMATS = ("JPEG", "JPEG", "JPEG", "PNG", "WEBP", "GIF")
# Sequences of operations on one object with their weights: put (p), delete (d), delete the newest version (r)
SCRIPTS = {"p": 60, "pp": 14, "pppp": 6, "pd": 6, "pdp": 6, "ppr": 4, "ppd": 4}
# The kinds of content with their weights, and the reasons for which they may be rejected
CONTENTS: dict[str, tuple[int, set[str]]] = {
    "photo": (90, set()),
    "cut": (4, {"corrupt"}),
    "text": (3, {"unsupported_format"}),
    "empty": (3, {"empty"}),
}
INVALID = ("not { json", "{}", '{"Records": [{"eventName": "ObjectCreated:Put"}]}', '{"Records": 7}')


@dataclass(frozen=True)
class Content:
    """The content of an upload and its expected result: READY with `colour`, or REJECTED for one of `reasons`."""

    data: bytes
    colour: tuple[int, int, int]
    reasons: frozenset[str]

    @property
    def sha256(self) -> str:
        """Return the hash that the catalog must have."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass
class Subject:
    """One object: its key, its planned operations, and its current content, which is None after a deletion."""

    bucket: str
    key: str
    script: str
    contents: list[Content]
    current: Content | None = None
    version_id: str | None = None
    etag: str | None = None
    history: list[tuple[str | None, Content | None]] = field(default_factory=list)
    # Each version that became current again, or its ETag in a bucket without versions; one entry for each time
    returned: list[str | None] = field(default_factory=list)

    def put(self, new: Content, version_id: str | None, etag: str) -> None:
        """Record new content. In a bucket without versions, equal content (like empty files) becomes current again."""
        self.current, self.version_id, self.etag = new, version_id, etag
        if version_id is None and any(older and older.data == new.data for _, older in self.history):
            self.returned.append(etag)
        self.history.append((version_id, new))

    def delete(self) -> None:
        """Record a deletion."""
        self.current = self.version_id = self.etag = None
        self.history.append((None, None))


@cache
def _picture(image_format: str, colour: tuple[int, int, int]) -> bytes:
    if image_format == "GIF":
        out = io.BytesIO()
        Image.open(io.BytesIO(photo(200, 150, colour, "PNG"))).convert("P", palette=Image.Palette.ADAPTIVE).save(
            out, "GIF"
        )
        return out.getvalue()
    return photo(200, 150, colour, image_format)


def content(chance: random.Random, number: int) -> Content:
    """Return random content. Successive numbers have very different colours."""
    kind = chance.choices(list(CONTENTS), [weight for weight, _ in CONTENTS.values()])[0]
    return content_of(kind, number, chance)


def content_of(kind: str, number: int, chance: random.Random | None = None) -> Content:
    """Return unique content of a kind. Only empty files are equal."""
    chance = chance or random.Random(f"{kind}{number}")
    colour = ((40, 210)[number % 2], (40, 125, 210)[number % 3], chance.randrange(40, 220, 20))
    picture = _picture(chance.choice(FORMATS), colour) + chance.randbytes(8)
    data = {
        "photo": picture,
        "cut": picture[: len(picture) // 2],
        "text": b"no picture " + chance.randbytes(8),
        "empty": b"",
    }[kind]
    return Content(data, colour, frozenset(CONTENTS[kind][1]))


def plan(seed: int, objects: int, buckets: list[str]) -> list[Subject]:
    """Return the objects with their operations. The result depends only on the arguments."""
    chance = random.Random(seed)
    subjects = []
    for number in range(objects):
        script = chance.choices(list(SCRIPTS), list(SCRIPTS.values()))[0]
        contents = [content(chance, number + step) for step in range(script.count("p"))]
        subjects.append(
            Subject(buckets[number % len(buckets)], f"faults-{seed}/{number:05d} é+&.jpg", script, contents)
        )
    return subjects


class Chaos:
    """Sends the events of a bucket without notifications: repeated, late, in any order, and together with others."""

    def __init__(self, deployment: Deployment, seed: int) -> None:
        self._deployment = deployment
        self._chance = random.Random(seed)
        self._lock = threading.Lock()
        self._held: list[dict[str, Any]] = []
        self.faults: dict[str, int] = {"duplicated": 0, "delayed": 0, "reordered": 0, "poisoned": 0}
        self.invalid: list[str] = []

    def add(self, event: str, subject: Subject, etag: str | None, size: int | None) -> None:
        """Add an event of an object. It may be sent later."""
        record = self._deployment.record(subject.key, "", f"00{time.time_ns():016X}", event)
        del record["s3"]["object"]["versionId"]
        record["s3"]["bucket"]["name"] = subject.bucket
        record["s3"]["object"] |= {"key": quote_plus(subject.key, safe="/")}
        record["s3"]["object"] |= {"eTag": etag, "size": size} if etag else {}
        with self._lock:
            copies = self._chance.choices((1, 2, 3), (70, 20, 10))[0]
            self.faults["duplicated"] += copies - 1
            self._held += [record] * copies
            if len(self._held) < 12:
                return
            held, self._held = self._held, []
        self._send(held)

    def flush(self) -> None:
        """Send all events that are still held back."""
        with self._lock:
            held, self._held = self._held, []
        self._send(held)

    def poison(self) -> None:
        """Send an invalid message. Each is different."""
        with self._lock:
            body = self._chance.choice(INVALID) + " " * len(self.invalid)
            self.invalid.append(body)
            self.faults["poisoned"] += 1
        client("sqs").send_message(QueueUrl=self._deployment["uploads_queue_url"], MessageBody=body)

    def _send(self, records: list[dict[str, Any]]) -> None:
        with self._lock:
            self._chance.shuffle(records)
            self.faults["reordered"] += len(records) // 2
            together = self._chance.choice((1, 1, 1, 3))
            delays = [self._chance.choice((0, 0, 0, 1, 3)) for _ in range(0, len(records), together)]
            self.faults["delayed"] += sum(delay > 0 for delay in delays)
        for start, delay in zip(range(0, len(records), together), delays, strict=True):
            body = json.dumps({"Records": records[start : start + together]})
            client("sqs").send_message(
                QueueUrl=self._deployment["uploads_queue_url"], MessageBody=body, DelaySeconds=delay
            )


def perform(subjects: list[Subject], own_bucket: str, chaos: Chaos, seed: int, has_room: Callable[[], bool]) -> None:
    """Perform the planned operations on a few objects at a time. Wait while the queue has no room."""

    def perform_one(position: int) -> None:
        chance = random.Random(f"{seed}/{position}")
        while not has_room():
            time.sleep(0.2)
        _perform(subjects[position], subjects[position].bucket == own_bucket, chaos, chance)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(perform_one, range(len(subjects))))
    chaos.flush()


def _perform(subject: Subject, own: bool, chaos: Chaos, chance: random.Random) -> None:
    s3, location = client("s3"), {"Bucket": subject.bucket, "Key": subject.key}
    contents = iter(subject.contents)
    for step in subject.script:
        if step == "p":
            new = next(contents)
            answer = s3.put_object(**location, Body=new.data)
            subject.put(new, answer.get("VersionId"), answer["ETag"].strip('"'))
            if own:
                chaos.add("ObjectCreated:Put", subject, subject.etag, len(new.data))
        elif step == "d" or own:
            s3.delete_object(**location)
            subject.delete()
            if own:
                chaos.add("ObjectRemoved:Delete", subject, None, None)
        else:
            version_id, _ = subject.history.pop()
            s3.delete_object(**location, VersionId=version_id)
            subject.version_id, subject.current = subject.history[-1]
            subject.returned.append(subject.version_id)
        time.sleep(chance.choice((0, 0, 0.05, 0.4, 1.5)))
