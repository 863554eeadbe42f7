"""Read the path of an event from CloudWatch Logs, S3, DynamoDB and Lambda's configuration. Changes nothing."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from eventloom import catalog
from eventloom.monitoring import trace_streams
from eventloom.monitoring.log_records import Record, records
from eventloom.monitoring.trace_path import Delays, Invocation, Step, invocations, timeline
from shared.identity import image_id

IMAGE_ID = re.compile(r"[0-9a-f]{32}")
CORRELATION_ID = re.compile(r"([0-9a-f]{32})-([0-9A-Fa-f]{1,32}|none)")
# An invocation takes at most 15 minutes.
LONGEST = timedelta(minutes=16)
_THREADS = 4

type Connect = Callable[[str], Any]


@dataclass(frozen=True)
class Subject:
    """The object, image or record whose path is traced.

    Attributes:
        text: the text that the user typed. words: each log line about the subject contains at least one of them.
        key: the object's key, or "" if unknown. bucket: the object's bucket. image_id: the id in the catalog, or "".
    """

    text: str
    words: tuple[str, ...]
    key: str = ""
    bucket: str = ""
    image_id: str = ""

    @property
    def is_event(self) -> bool:
        """Return whether the subject is a single event of the object instead of all events."""
        return bool(CORRELATION_ID.fullmatch(self.text))

    def is_about(self, record: Record) -> bool:
        """Return whether a log line is about the subject."""
        fields = record.fields
        facts = fields.get("record")
        values = [str(value) for value in fields.values() if isinstance(value, str | int)]
        values += [str(facts.get("requestId"))] if isinstance(facts, dict) else []
        if any(word in values for word in self.words):
            return True
        return fields.get("key") == self.key and fields.get("bucket") == self.bucket if self.key else False


def subject_of(text: str, outputs: dict[str, Any], connect: Connect) -> Subject:
    """Return the subject for a key, an image id, a correlation id or another id."""
    if trace_streams.SEQUENCE_NUMBER.fullmatch(text):
        return Subject(text, (text,))
    if match := CORRELATION_ID.fullmatch(text):
        key, bucket = _named(match[1], outputs, connect)
        return Subject(text, (text,), key, bucket, match[1])
    if IMAGE_ID.fullmatch(text):
        key, bucket = _named(text, outputs, connect)
        return Subject(text, (text,), key, bucket, text)
    for bucket in (outputs["uploads_bucket"], outputs["raw_bucket"]):
        if _versions(connect("s3"), bucket, text):
            identity = image_id(bucket, text) if bucket == outputs["uploads_bucket"] else ""
            return Subject(text, (identity,) if identity else (), text, bucket, identity)
    identity = image_id(outputs["uploads_bucket"], text)
    if _item(outputs, identity, connect):  # The object was deleted, but the catalog has its item.
        return Subject(text, (identity,), text, outputs["uploads_bucket"], identity)
    return Subject(text, (text,))


def _named(identity: str, outputs: dict[str, Any], connect: Connect) -> tuple[str, str]:
    """Return the key and bucket of an image, or two empty strings if the catalog does not have it."""
    item = _item(outputs, identity, connect) or {}
    return str(item.get("key", "")), str(item.get("bucket", ""))


def _item(outputs: dict[str, Any], identity: str, connect: Connect) -> dict[str, Any] | None:
    key = {"image_id": {"S": identity}}
    answer = connect("dynamodb").get_item(TableName=outputs["catalog_table"], Key=key, ConsistentRead=True)
    return catalog.from_dynamodb(answer.get("Item"))


def _versions(s3: Any, bucket: str, key: str) -> list[dict[str, Any]]:
    """Return the versions and delete markers of exactly this key."""
    versions = []
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=key):
        entries = [
            *page.get("Versions", []),
            *({**marker, "deleted": True} for marker in page.get("DeleteMarkers", [])),
        ]
        same = [entry for entry in entries if entry["Key"] == key]
        versions += same
        # S3 sorts keys, so longer keys with this prefix follow.
        if len(same) < len(entries):
            break
    return versions


@dataclass(frozen=True)
class Tracer:
    """Reads the current path of a subject. `minutes` limits how far back the logs are searched."""

    outputs: dict[str, Any]
    connect: Connect
    minutes: int

    def path(self, subject: Subject, now: datetime) -> list[Step]:
        """Return the timeline of the subject up to now."""
        since = now - timedelta(minutes=self.minutes)
        if trace_streams.SEQUENCE_NUMBER.fullmatch(subject.text):
            return self._record(subject.text)
        logged_invocations = self._invocations(subject, since)
        ids = {str(line.fields.get("version_id")) for invocation in logged_invocations for line in invocation.lines}
        steps = [*self._puts(subject, ids), *self._results(subject)]
        steps = [step for step in steps if step.at >= since - LONGEST]
        return timeline(logged_invocations, steps, self._delays(), now)

    def _record(self, number: str) -> list[Step]:
        """Return the path of a record of the activity stream, or [] if the stream no longer has the record."""
        stream, name = self.outputs["activity_stream"], trace_streams.FUNCTION
        arrived = trace_streams.arrival(self.connect("kinesis"), stream, number)
        if not arrived:
            return []
        events = self._events(self.outputs["functions"][name]["log_group"], arrived[1], filterPattern='"counted"')
        return list(trace_streams.steps(number, stream, arrived, records(name, events)))

    def _invocations(self, subject: Subject, since: datetime) -> list[Invocation]:
        groups = {name: facts["log_group"] for name, facts in self.outputs["functions"].items()}
        with ThreadPoolExecutor(_THREADS) as pool:
            batches = list(pool.map(lambda name: self._of_function(name, groups[name], subject, since), groups))
            logged_invocations = [invocation for batch in batches for invocation in batch]
            # Lambda retries an asynchronous call with the same request id. A failed attempt may not log the object.
            calls = {(entry.function, entry.request_id) for entry in logged_invocations if not _has_message(entry)}
            again = pool.map(
                lambda call: self._of_function(call[0], groups[call[0]], Subject("", (call[1],)), since), calls
            )
            repeated = [invocation for batch in again for invocation in batch]
        known = {(entry.function, entry.request_id, entry.began) for entry in logged_invocations}
        return logged_invocations + [
            entry for entry in repeated if (entry.function, entry.request_id, entry.began) not in known
        ]

    def _of_function(self, name: str, group: str, subject: Subject, since: datetime) -> list[Invocation]:
        """Return the invocations of a function that logged a line about the subject."""
        matches: dict[str, list[datetime]] = {}
        for event in self._events(group, since, filterPattern=_pattern(subject)):
            (record,) = records(name, [event])
            if subject.is_about(record):
                matches.setdefault(event["logStreamName"], []).append(record.time)
        attempts: list[Invocation] = []
        for stream, moments in matches.items():
            until = {"endTime": _ms(max(moments) + LONGEST)}
            events = list(self._events(group, min(moments) - LONGEST, logStreamNames=[stream], **until))
            lines = list(records(name, events))
            attempts += invocations(lines, {number for number, line in enumerate(lines) if subject.is_about(line)})
        return attempts

    def _events(self, group: str, since: datetime, **options: Any) -> Iterator[dict[str, Any]]:
        pages = self.connect("logs").get_paginator("filter_log_events")
        for page in pages.paginate(logGroupName=group, startTime=_ms(since), **options):
            yield from page["events"]

    def _puts(self, subject: Subject, version_ids: set[str]) -> Iterator[Step]:
        """Yield a step for each version of the object, or only for the version of the event if the subject is one."""
        if not subject.key:
            return
        for version in _versions(self.connect("s3"), subject.bucket, subject.key):
            if subject.is_event and version["VersionId"] not in version_ids:
                continue
            text = (
                "S3 hid the object behind a delete marker"
                if version.get("deleted")
                else (f"S3 stored {version['Size']:,} bytes")
            )
            yield Step(version["LastModified"], "put", text, facts={"version_id": version["VersionId"]})

    def _results(self, subject: Subject) -> Iterator[Step]:
        """Yield the steps for the thumbnails and the item of an image."""
        if not subject.image_id:
            return
        prefix = {"Bucket": self.outputs["thumbnails_bucket"], "Prefix": f"{subject.image_id}/"}
        item = _item(self.outputs, subject.image_id, self.connect)
        is_other = subject.is_event and item and item.get("sequencer", "none") != subject.text.partition("-")[2]
        if not item or is_other:
            return
        thumbnails = self.connect("s3").list_objects_v2(**prefix).get("Contents", [])
        if thumbnails:
            size, last = sum(entry["Size"] for entry in thumbnails), max(entry["LastModified"] for entry in thumbnails)
            keys = [entry["Key"] for entry in thumbnails]
            yield Step(last, "thumbnails", f"{len(keys)} thumbnails, {size:,} bytes", facts={"keys": keys})
        if moment := item.get("processed_at") or item.get("deleted_at"):
            text = f"the catalog has {item['status']}, revision {item.get('revision', 1)}"
            text += f": {item['reason_text']}" if item.get("reason_text") else ""
            facts: dict[str, Any] = {name: item[name] for name in ("status", "revision", "reason") if name in item}
            yield Step(datetime.fromisoformat(str(moment)), "item", text, facts=facts)

    def _delays(self) -> Delays:
        facts = self.outputs["functions"].get("thumbnailer")
        if not facts:
            return Delays()
        answer = self.connect("lambda").get_function_configuration(FunctionName=facts["function_name"])
        variables = answer.get("Environment", {}).get("Variables", {})
        retry = tuple(int(part) for part in variables.get("RETRY_DELAYS_S", "").split(",") if part.strip())
        return Delays(int(variables.get("LEASE_S") or Delays.lease_s), retry or Delays.retry_s)


def _has_message(invocation: Invocation) -> bool:
    return any("message_id" in line.fields or "correlation_id" in line.fields for line in invocation.lines)


def _pattern(subject: Subject) -> str:
    """Return a CloudWatch Logs filter pattern for a subject. It matches more lines than `is_about`."""
    words = subject.words or ((subject.key,) if subject.key.isascii() and subject.key.isprintable() else ())
    safe = [word for word in words if '"' not in word and "\\" not in word]
    return " ".join(f'"{word}"' for word in safe[:1])


def _ms(moment: datetime) -> int:
    return max(0, int(moment.timestamp() * 1000))
