"""Whether anything was lost, told twice, or mixed up: the promises, checked against what is there."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import unquote_plus

from eventloom import catalog
from eventloom.clouds import client
from tests.faults.workload import Subject
from tests.integration.photos import close, colour_of
from tests.integration.support import Deployment

# One, and the retries of functions/shared/clients.py
SDK_TRIES = 5


def violations(deployment: Deployment, subjects: Iterable[Subject], dead_letters: Iterable[str] = ()) -> list[str]:
    """What is wrong, in words; empty if nothing is.

    Each object that is there has one item of its current version: READY with all its thumbnails and no others, or REJECTED for
    its own reason, unless a message about it is in the dead-letter queue. What was deleted has no thumbnails.
    """
    items, thumbnails = _items(deployment), _thumbnails(deployment)
    waiting = set(named(dead_letters))
    sizes = deployment_sizes(deployment)

    def check(subject: Subject) -> list[str]:
        found_id = catalog.image_id(subject.bucket, subject.key)
        if (subject.bucket, subject.key) in waiting:
            return []
        item, stored = items.get(found_id), thumbnails.get(found_id, set())
        return [f"{subject.key} ({subject.script}): {what}" for what in _wrong(deployment, subject, item, stored, sizes)]

    with ThreadPoolExecutor(8) as pool:
        return [what for found in pool.map(check, subjects) for what in found]


def named(bodies: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Bucket and key of the objects that messages are about."""
    for body in bodies:
        try:
            records = json.loads(body)["Records"]
            yield from ((record["s3"]["bucket"]["name"], unquote_plus(record["s3"]["object"]["key"])) for record in records)
        except (ValueError, KeyError, TypeError):
            continue


def deployment_sizes(deployment: Deployment) -> set[str]:
    """The thumbnails that each photo has to have."""
    name = deployment["functions"]["thumbnailer"]["function_name"]
    variables = client("lambda").get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    return set(variables["THUMBNAIL_SIZES"].split(","))


def _wrong(  # noqa: C901, PLR0912 - a list of promises
    deployment: Deployment, subject: Subject, item: dict[str, Any] | None, stored: set[str], sizes: set[str]
) -> Iterator[str]:
    current = subject.current
    if item is None:
        if current:
            yield "lost: no item, no message"
        if stored:
            yield f"thumbnails without an item: {sorted(stored)}"
        return
    named_keys = {made["key"] for made in item.get("thumbnails", {}).values()}
    if stored != named_keys:
        yield f"thumbnails are {sorted(stored)}, the item names {sorted(named_keys)}"
    if current is None:
        if item["status"] != "DELETED":
            yield f"deleted, but the item says {item['status']}"
        return
    if (item.get("version_id"), item.get("etag")) != (subject.version_id, item.get("etag") if subject.version_id else subject.etag):
        yield f"the item is of another version: {item.get('version_id')} {item.get('etag')}"
    if current.reasons:
        if item["status"] != "REJECTED" or item.get("reason") not in current.reasons or not item.get("reason_text"):
            yield f"{item['status']} {item.get('reason')}, not REJECTED for {sorted(current.reasons)}"
        return
    if item["status"] != "READY":
        yield f"{item['status']} {item.get('reason')}, not READY"
        return
    if set(item["thumbnails"]) != sizes or item["sha256"] != current.sha256:
        yield f"the item has thumbnails {sorted(item['thumbnails'])} and sha256 {item['sha256']}"
    smallest = min(item["thumbnails"].values(), key=lambda made: made["width"])["key"]
    if smallest in stored:
        picture = client("s3").get_object(Bucket=deployment["thumbnails_bucket"], Key=smallest)["Body"].read()
        if not close(colour_of(picture), current.colour, 30):
            yield f"a thumbnail of another version: {colour_of(picture)}, not {current.colour}"


def told_twice(subjects: Iterable[Subject], notices: Iterable[dict[str, Any]]) -> list[str]:
    """Versions, or contents where there are no versions, with more notices than times that they became current."""
    returned = Counter((catalog.image_id(one.bucket, one.key), version) for one in subjects for version in one.returned)
    told: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for notice in notices:
        told[notice["image_id"], _version(notice), notice["status"]].add(notice["notice_id"])
    return [f"announced by {len(ids)} notices: {what}" for what, ids in told.items() if len(ids) > 1 + returned[what[:2]]]


def _version(notice: dict[str, Any]) -> str:
    """What a notice is about: a version's id, or the content's ETag (functions/notifier/notices.py has both in the notice's id)."""
    return str(notice["notice_id"]).split("#")[1]


def repeats(notices: Iterable[dict[str, Any]], faults: Counter[str], claims: str) -> list[str]:
    """A notice that came again with its own notice_id, more often than the faults excuse (functions/shared/claims.py).

    It takes an answer of SNS that was lost with the proxy, a notifier that ended with the emulator, or a note in the table `claims` that
    failed as often as the SDK tries.
    """
    count = sum(times - 1 for times in Counter(notice["notice_id"] for notice in notices).values())
    failed = sum(times for what, times in faults.items() if what.startswith(f"dynamodb {claims} ") and not what.endswith(" latency"))
    excused = faults["proxy gone"] + faults["restart the emulator"] + failed // SDK_TRIES
    return [f"{count} notices came again, more than {excused} faults excuse"] if count > excused else []


def untold(subjects: Iterable[Subject], notices: Iterable[dict[str, Any]]) -> list[str]:
    """Objects of whose current version nobody was told."""
    told = {(notice["image_id"], _version(notice)) for notice in notices}
    wanted = ((catalog.image_id(one.bucket, one.key), one.version_id or one.etag, one.key) for one in subjects if one.current)
    return [key for found_id, version, key in wanted if (found_id, version) not in told]


def _items(deployment: Deployment) -> dict[str, dict[str, Any]]:
    pages = client("dynamodb").get_paginator("scan").paginate(TableName=deployment["catalog_table"], ConsistentRead=True)
    items = (catalog.from_dynamodb(item) for page in pages for item in page["Items"])
    return {item["image_id"]: item for item in items if item}


def _thumbnails(deployment: Deployment) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    pages = client("s3").get_paginator("list_objects_v2").paginate(Bucket=deployment["thumbnails_bucket"])
    for page in pages:
        for thumbnail in page.get("Contents", []):
            found.setdefault(thumbnail["Key"].split("/")[0], set()).add(thumbnail["Key"])
    return found
