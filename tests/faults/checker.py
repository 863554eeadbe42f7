"""Check that nothing was lost, announced twice or mixed up."""

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

# The number of attempts that functions/shared/clients.py configures: the first one and the retries
SDK_TRIES = 5


def violations(deployment: Deployment, subjects: Iterable[Subject], dead_letters: Iterable[str] = ()) -> list[str]:
    """Return a description of everything that is wrong.

    Each existing object must have one item for its current version: READY with exactly its thumbnails, or REJECTED for
    the right reason. Deleted objects must have no thumbnails. Objects with a message in the dead-letter queue are
    exempt.
    """
    items, thumbnails = _items(deployment), _thumbnails(deployment)
    exempt = set(objects_in(dead_letters))
    sizes = deployment_sizes(deployment)

    def check(subject: Subject) -> list[str]:
        image_id = catalog.image_id(subject.bucket, subject.key)
        if (subject.bucket, subject.key) in exempt:
            return []
        item, stored = items.get(image_id), thumbnails.get(image_id, set())
        problems = _problems(deployment, subject, item, stored, sizes)
        return [f"{subject.key} ({subject.script}): {problem}" for problem in problems]

    with ThreadPoolExecutor(8) as pool:
        return [problem for problems in pool.map(check, subjects) for problem in problems]


def objects_in(bodies: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the bucket and key of every object that the messages are about."""
    for body in bodies:
        try:
            records = json.loads(body)["Records"]
            locations = [(record["s3"]["bucket"]["name"], record["s3"]["object"]["key"]) for record in records]
            yield from ((bucket, unquote_plus(key)) for bucket, key in locations)
        except (ValueError, KeyError, TypeError):
            continue


def deployment_sizes(deployment: Deployment) -> set[str]:
    """Return the thumbnail sizes that each photo must have."""
    name = deployment["functions"]["thumbnailer"]["function_name"]
    variables = client("lambda").get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    return set(variables["THUMBNAIL_SIZES"].split(","))


def _problems(  # noqa: C901, PLR0912 - one branch for each promise
    deployment: Deployment, subject: Subject, item: dict[str, Any] | None, stored: set[str], sizes: set[str]
) -> Iterator[str]:
    current = subject.current
    if item is None:
        if current:
            yield "lost: no item, no message"
        if stored:
            yield f"thumbnails without an item: {sorted(stored)}"
        return
    recorded = {thumbnail["key"] for thumbnail in item.get("thumbnails", {}).values()}
    if stored != recorded:
        yield f"thumbnails are {sorted(stored)}, the item names {sorted(recorded)}"
    if current is None:
        if item["status"] != "DELETED":
            yield f"deleted, but the item says {item['status']}"
        return
    etag = item.get("etag") if subject.version_id else subject.etag
    if (item.get("version_id"), item.get("etag")) != (subject.version_id, etag):
        yield f"the item is about another version: {item.get('version_id')} {item.get('etag')}"
    if current.reasons:
        if item["status"] != "REJECTED" or item.get("reason") not in current.reasons or not item.get("reason_text"):
            yield f"{item['status']} {item.get('reason')}, not REJECTED for {sorted(current.reasons)}"
        return
    if item["status"] != "READY":
        yield f"{item['status']} {item.get('reason')}, not READY"
        return
    if set(item["thumbnails"]) != sizes or item["sha256"] != current.sha256:
        yield f"the item has thumbnails {sorted(item['thumbnails'])} and sha256 {item['sha256']}"
    smallest = min(item["thumbnails"].values(), key=lambda thumbnail: thumbnail["width"])["key"]
    if smallest in stored:
        picture = client("s3").get_object(Bucket=deployment["thumbnails_bucket"], Key=smallest)["Body"].read()
        if not close(colour_of(picture), current.colour, 30):
            yield f"a thumbnail of another version: {colour_of(picture)}, not {current.colour}"


def announced_twice(subjects: Iterable[Subject], notices: Iterable[dict[str, Any]]) -> list[str]:
    """Return the versions that were announced more often than they became current.

    In a bucket without versions, the content counts instead of the version.
    """
    returned: Counter[tuple[str, str | None]] = Counter()
    for subject in subjects:
        image_id = catalog.image_id(subject.bucket, subject.key)
        returned.update((image_id, version) for version in subject.returned)
    announced: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for notice in notices:
        announced[notice["image_id"], _version(notice), notice["status"]].add(notice["notice_id"])
    repeated = {key: ids for key, ids in announced.items() if len(ids) > 1 + returned[key[:2]]}
    return [f"announced by {len(ids)} notices: {key}" for key, ids in repeated.items()]


def _version(notice: dict[str, Any]) -> str:
    """Return a notice's version id, or the content's ETag, from its notice_id (see functions/notifier/notices.py)."""
    return str(notice["notice_id"]).split("#")[1]


def repeats(notices: Iterable[dict[str, Any]], faults: Counter[str], claims: str) -> list[str]:
    """Return a problem if more notices were repeated with the same notice_id than the faults explain.

    Three faults explain a repeated notice (see functions/shared/claims.py): the proxy stopped before it forwarded SNS's
    answer, the emulator stopped the notifier, or all attempts of the SDK to write to the table `claims` failed.
    """
    count = sum(times - 1 for times in Counter(notice["notice_id"] for notice in notices).values())
    prefix = f"dynamodb {claims} "
    writes = {fault: times for fault, times in faults.items() if fault.startswith(prefix)}
    failed = sum(times for fault, times in writes.items() if not fault.endswith(" latency"))
    explained = faults["proxy gone"] + faults["restart the emulator"] + failed // SDK_TRIES
    return [f"{count} notices came again, but the faults explain only {explained}"] if count > explained else []


def unannounced(subjects: Iterable[Subject], notices: Iterable[dict[str, Any]]) -> list[str]:
    """Return the keys of objects whose current version has no notice."""
    announced = {(notice["image_id"], _version(notice)) for notice in notices}
    current = [subject for subject in subjects if subject.current]
    return [
        subject.key
        for subject in current
        if (catalog.image_id(subject.bucket, subject.key), subject.version_id or subject.etag) not in announced
    ]


def _items(deployment: Deployment) -> dict[str, dict[str, Any]]:
    pages = (
        client("dynamodb").get_paginator("scan").paginate(TableName=deployment["catalog_table"], ConsistentRead=True)
    )
    items = (catalog.from_dynamodb(item) for page in pages for item in page["Items"])
    return {item["image_id"]: item for item in items if item}


def _thumbnails(deployment: Deployment) -> dict[str, set[str]]:
    keys: dict[str, set[str]] = {}
    pages = client("s3").get_paginator("list_objects_v2").paginate(Bucket=deployment["thumbnails_bucket"])
    for page in pages:
        for thumbnail in page.get("Contents", []):
            keys.setdefault(thumbnail["Key"].split("/")[0], set()).add(thumbnail["Key"])
    return keys
