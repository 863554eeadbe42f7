"""Build the timeline of an event from data of logs, buckets and tables. This module makes no requests."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from eventloom.monitoring.log_records import Record

# Messages that a function logs when an attempt failed and will be repeated
HANDED_BACK = "handed back unstarted, too little time is left"
RETRIED = {"will be retried", "unexpected error, will be retried", "to be retried", "not counted", HANDED_BACK}
# Types of Lambda's platform lines: https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html
START, REPORT = "platform.start", "platform.report"
# The maximum factor of random delays, which keep messages from returning together: thumbnailer/visibility.py
JITTER = 1.5
# Shorter waits are normal and are not reported.
NOTABLE = timedelta(milliseconds=100)


@dataclass(frozen=True)
class Step:
    """One step of a path.

    Attributes:
        at: the start. until: the end, or None if the step has no duration.
        kind: put, event, wait, attempt, call, thumbnails, item or notice.
        text: a description. function: the function whose log has the step, or "".
        outcome: "ok", "failed", or "" if there is none. facts: more fields for JSON.
    """

    at: datetime
    kind: str
    text: str
    until: datetime | None = None
    function: str = ""
    outcome: str = ""
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def duration_ms(self) -> int | None:
        """Return the duration in ms, or None if the step has none."""
        return None if self.until is None else round((self.until - self.at) / timedelta(milliseconds=1))

    def as_dict(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        facts: dict[str, Any] = {"at": time_text(self.at), "kind": self.kind, "text": self.text}
        facts |= {"function": self.function, "until": self.until and time_text(self.until), "outcome": self.outcome}
        return {name: value for name, value in facts.items() if value} | {"duration_ms": self.duration_ms} | self.facts


@dataclass(frozen=True)
class Invocation:
    """An invocation whose log has lines about the subject.

    `report` is Lambda's report at the end. It is None while the invocation runs, and until the report is in the log.
    """

    function: str
    request_id: str
    began: datetime
    lines: tuple[Record, ...]
    ended: datetime | None = None
    report: dict[str, Any] | None = None

    @property
    def failure(self) -> str:
        """Return how the whole invocation failed, or "" if it succeeded."""
        status = str((self.report or {}).get("status", "success"))
        if status == "success":
            return ""
        if status == "timeout":
            return "the invocation timed out"
        error = str((self.report or {}).get("errorType") or status)
        # Lambda's error types: https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html
        is_exception = not error.startswith(("Runtime.", "Sandbox.", "Extension.", "Function.", "error", "failure"))
        return f"the function raised {error}" if is_exception else f"the process ended ({error})"


@dataclass(frozen=True)
class Delays:
    """The seconds that a message is hidden: `lease_s` after its process ended, else `retry_s` by number of receives."""

    lease_s: int = 15
    retry_s: tuple[int, ...] = (5, 15, 60, 900)

    def after(self, attempt: Step) -> tuple[int, str]:
        """Return the maximum seconds that a message stays hidden after a failed attempt, and the reason."""
        if attempt.facts.get("died"):
            return self.lease_s, f"its lease of {self.lease_s} s had to end"
        delay_s = self.retry_s[min(int(attempt.facts.get("deliveries") or 1), len(self.retry_s)) - 1]
        return round(delay_s * JITTER), f"the delay is {delay_s} to {delay_s * JITTER:g} s"


def time_text(moment: datetime) -> str:
    """Return a time in ISO 8601 in UTC, with milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def clock(moment: datetime) -> str:
    """Return the time of day in UTC, in whole seconds."""
    return f"{moment.astimezone(UTC):%H:%M:%S}"


def invocations(records: Iterable[Record], is_about: set[int]) -> Iterator[Invocation]:
    """Yield the invocations of one log stream that have lines about the subject.

    Args:
        records: all lines of the stream, oldest first. The invocations in a stream do not overlap.
        is_about: the positions of the lines about the subject. If Lambda's start line is among them, the result
            includes all lines of that invocation.
    """
    began: datetime | None = None
    request_id, lines, is_whole = "", list[Record](), False
    for position, record in enumerate(records):
        kind, facts = record.fields.get("type"), record.fields.get("record")
        facts = facts if isinstance(facts, dict) else {}
        if kind == REPORT:
            if lines or is_whole:
                yield Invocation(record.function, request_id, began or record.time, tuple(lines), record.time, facts)
            began, lines, is_whole = None, [], False
        elif kind == START:
            if began and (lines or is_whole):  # There is no report, because the environment ended.
                yield Invocation(record.function, request_id, began, tuple(lines))
            began, request_id, lines, is_whole = record.time, str(facts.get("requestId", "")), [], position in is_about
        elif position in is_about or (is_whole and not record.is_detail):
            began = began or record.time
            lines.append(record)
    if began and lines:
        yield Invocation(lines[0].function, request_id, began, tuple(lines))


def attempts(invocation: Invocation) -> Iterator[Step]:
    """Yield the attempts of an invocation to process the subject, one for each correlation id in its lines."""
    groups: dict[str, list[Record]] = {}
    for record in invocation.lines:
        groups.setdefault(str(record.fields.get("correlation_id", "")), []).append(record)
    for lines in groups.values() or [[]]:
        yield _attempt(invocation, lines)


def _attempt(invocation: Invocation, lines: list[Record]) -> Step:
    began = next((line.time for line in lines if line.message == "begun"), invocation.began)
    last = next((line for line in reversed(lines) if line.message and line.message != "begun"), None)
    fields: dict[str, Any] = {}
    for line in lines:
        fields |= line.fields
    names = (
        "correlation_id",
        "message_id",
        "deliveries",
        "event_time",
        "sent_at",
        "result",
        "reason",
        "status",
        "path",
    )
    facts = {name: fields[name] for name in names if fields.get(name) is not None}
    facts |= {"request_id": invocation.request_id}
    if cold_ms := ((invocation.report or {}).get("metrics") or {}).get("initDurationMs"):
        facts["init_ms"] = round(cold_ms)
    until = last.time if last else invocation.ended
    is_finished = last is not None and last.message not in RETRIED and last.level != "ERROR"
    if is_finished and last:
        status = last.fields.get("status")
        text, outcome = _finished(last), "failed" if isinstance(status, int) and status >= 500 else "ok"
    elif last:
        reason = last.fields.get("error") or last.fields.get("problem") or last.fields.get("exception_name")
        text, outcome = f"{last.message}{f': {reason}' if reason else ''}", "failed"
    elif invocation.failure:
        text, outcome = invocation.failure, "failed"
        facts["died"] = True
    else:
        text, outcome = ("no line says how it ended", "") if invocation.ended else ("still running, or not logged", "")
    return Step(began, "attempt", text, until, invocation.function, outcome, facts)


def _finished(line: Record) -> str:
    """Return the text of a line in which a function reports its result."""
    fields = line.fields
    result = fields.get("result") or fields.get("status")
    parts = [str(fields.get("method", "")), str(fields.get("path", "")) if "method" in fields else ""]
    text = " ".join(filter(None, [*parts, str(result) if result else line.message]))
    reason = fields.get("reason") or fields.get("reason_text")
    text = f"{line.message} {text}".strip() if result else text
    return f"{text} ({reason})" if reason else text


def _series(step: Step) -> tuple[str, str]:
    """Return the function and an id that are the same for all attempts to process one message, event or call."""
    names = ("message_id", "correlation_id", "request_id")
    return step.function, next((str(step.facts[name]) for name in names if step.facts.get(name)), "")


def number_attempts(steps: Sequence[Step]) -> list[Step]:
    """Return the steps, oldest first. The text of each attempt gets its number."""
    counts: dict[tuple[str, str], int] = {}
    numbered = []
    for step in sorted(steps, key=lambda step: step.at):
        key = _series(step)
        if step.kind == "attempt":
            counts[key] = counts.get(key, 0) + 1
            step_number = step.facts.get("deliveries") or counts[key]
            numbered.append(replace(step, text=f"attempt {step_number}: {step.text}"))
        else:
            numbered.append(step)
    return numbered


def waits(steps: Sequence[Step], delays: Delays, now: datetime) -> Iterator[Step]:
    """Yield the waits, with their reasons: in the queue before the first attempt, and after each failed attempt."""
    series: dict[tuple[str, str], list[Step]] = {}
    for step in steps:
        if step.kind == "attempt":
            series.setdefault(_series(step), []).append(step)
    for tries in series.values():
        if tries[0].facts.get("message_id"):
            yield from _waits_of_message(tries, delays, now)
        else:
            for before, after in pairwise(tries):
                if before.outcome == "failed":
                    text = f"repeated at {clock(after.at)} after a failed attempt"
                    yield Step(before.until or before.at, "wait", text, after.at)


def _waits_of_message(tries: Sequence[Step], delays: Delays, now: datetime) -> Iterator[Step]:
    first, last = tries[0], tries[-1]
    if first.facts.get("sent_at") and int(first.facts.get("deliveries") or 1) == 1:
        sent = datetime.fromisoformat(str(first.facts["sent_at"]))
        if first.at - sent >= NOTABLE:
            yield Step(sent, "wait", "waited in the queue", first.at)
    for before, after in pairwise(tries):
        _, reason = delays.after(before)
        text = f"hidden until {clock(after.at)} after a failed attempt: {reason}"
        if before.outcome != "failed":
            text = f"delivered again at {clock(after.at)}: the invocation did not acknowledge the message"
        yield Step(before.until or before.at, "wait", text, after.at)
    if last.outcome == "failed":
        longest_s, reason = delays.after(last)
        back = (last.until or last.at) + timedelta(seconds=longest_s)
        text = f"hidden until {clock(back)} at the latest after a failed attempt: {reason}"
        if back < now:
            text = "in the queue for another attempt, or given up: ./eventloom dlq shows what failed for good"
        yield Step(last.until or last.at, "wait", text)


def stream_waits(steps: Sequence[Step]) -> Iterator[Step]:
    """Yield the waits in the table's stream, between the change of an item and the notifier's attempt."""
    ready = {
        str(step.facts.get("correlation_id")): step
        for step in steps
        if step.kind == "attempt" and step.facts.get("result")
    }
    for step in steps:
        before = ready.get(str(step.facts.get("correlation_id")))
        if step.function == "notifier" and before and before.until and step.at - before.until >= NOTABLE:
            yield Step(before.until, "wait", "the change waited in the table's stream", step.at)


def timeline(
    logged_invocations: Iterable[Invocation], others: Iterable[Step], delays: Delays, now: datetime
) -> list[Step]:
    """Return the complete path, oldest step first: attempts, waits, and the steps in `others`."""
    tries = number_attempts([step for invocation in logged_invocations for step in attempts(invocation)])
    events = {
        str(step.facts["event_time"]): Step(
            datetime.fromisoformat(str(step.facts["event_time"])),
            "event",
            "S3 sent the event",
            facts={"correlation_id": step.facts.get("correlation_id")},
        )
        for step in tries
        if step.facts.get("event_time")
    }
    steps = [*_in_order(others), *events.values(), *tries, *waits(tries, delays, now), *stream_waits(tries)]
    order = {"put": 0, "event": 1, "wait": 2}
    return sorted(steps, key=lambda step: (step.at, order.get(step.kind, 3)))


def _in_order(steps: Iterable[Step]) -> Iterator[Step]:
    """Yield the steps. S3 truncates times to seconds, so thumbnails get a later time, but at most their item's."""
    ordered = list(steps)
    items = [step.at for step in ordered if step.kind == "item"]
    for step in ordered:
        is_coarse = step.kind == "thumbnails" and not step.at.microsecond
        latest = min([step.at + timedelta(milliseconds=999), *items]) if is_coarse else step.at
        yield replace(step, at=max(step.at, latest))


def is_complete(steps: Sequence[Step]) -> bool:
    """Return whether each function's last attempt succeeded. A processed photo must also have reached the notifier."""
    last = {step.function: step for step in steps if step.kind == "attempt"}
    if not last or any(step.outcome != "ok" for step in last.values()):
        return False
    return (
        "thumbnailer" not in last
        or "notifier" in last
        or last["thumbnailer"].facts.get("result") not in {"READY", "REJECTED"}
    )
