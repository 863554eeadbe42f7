"""The command replay: send events again, from a file of JSON lines or from an EventBridge archive."""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from eventloom import arguments, terminal
from eventloom.errors import UserError
from eventloom.operations import effects, replay_archives
from eventloom.operations.messages import BATCH
from eventloom.operations.pace import Checkpoint, Pace, locked
from eventloom.operations.replay_routes import Delivery, Router, deliver
from eventloom.operations.stream_batches import NotRedriven
from eventloom.operations.target import Target, current_target

_DEFAULT_RATE = 20


@dataclass(frozen=True)
class FileOptions:
    """The options for the replay of a file."""

    path: Path
    function: str | None
    rate: float
    restart: bool
    dry_run: bool


@dataclass(frozen=True)
class Options:
    """The values of the command's options."""

    file: Path | None
    archive: str | None
    function: str | None
    rate: float | None
    start: datetime | None
    end: datetime | None
    rules: tuple[str, ...]
    restart: bool
    dry_run: bool
    as_json: bool

    def source(self) -> FileOptions | replay_archives.Part:
        """Return the source of the events. Raises click.UsageError for options that cannot be combined."""
        context = click.get_current_context()
        if (self.file is None) == (self.archive is None):
            raise click.UsageError("name what to replay: either --file or --archive", context)
        if self.file:
            if self.start or self.end or self.rules:
                raise click.UsageError("--start, --end and --rule are for an --archive", context)
            return FileOptions(self.file, self.function, self.rate or _DEFAULT_RATE, self.restart, self.dry_run)
        if not self.archive or not self.start or not self.end:
            raise click.UsageError("an archive is replayed from --start to --end; name both", context)
        if self.rate or self.function or self.restart:
            about = "EventBridge replays an archive at its own pace to its own rules"
            raise click.UsageError(f"{about}; --rate, --function and --restart are for a --file", context)
        return replay_archives.Part(self.archive, self.start, self.end, self.rules)


@arguments.command("replay")
@arguments.environment_option
@click.option("--file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="a file of JSON lines")
@click.option("--archive", metavar="NAME", help="an EventBridge archive")
@click.option("--function", metavar="NAME", help="call this function, named by its folder, with each line of the file")
@click.option("--rate", type=arguments.POSITIVE, help=f"events of the file a second  [default: {_DEFAULT_RATE}]")
@click.option("--start", type=arguments.MOMENT, help="events of the archive from this time on")
@click.option("--end", type=arguments.MOMENT, help="events of the archive before this time")
@click.option(
    "--rule", "rules", multiple=True, metavar="NAME", help="only to this rule of the archive's bus; may be repeated"
)
@click.option("--restart", is_flag=True, help="send all of the file, not only what an earlier replay did not send")
@arguments.dry_run_option
@arguments.json_option
def replay(environment: str, **options: Any) -> int:
    """Send events again.

    \b
      ./eventloom replay --file events.jsonl --dry-run
      ./eventloom replay --file events.jsonl --function converter
      ./eventloom replay --archive orders --start 2026-11-20T00:00Z --end 2026-11-21T00:00Z

    A line of a file is an event as a function or queue gets it, or a line that 'dlq discard' wrote. Without --function,
    S3 notifications of the uploads bucket go to the uploads queue, those of the raw bucket to the converter, and
    discarded messages, with their attributes, to where they came from. A message about a stream's batch only names its
    records: they are sent as long as the stream has them.

    If a replay of a file is interrupted, the same command continues where it stopped, and may repeat up to ten events.
    Lines may be appended to the file meanwhile. At the end it waits up to half a minute and reports what became of the
    events, as far as the catalog, the manifests and the queues show it.

    EventBridge replays an archive onto the archive's bus. The same command follows a replay that is running.

    Exit code 1: some discarded messages could not be sent. Their lines are in a file that can be replayed.
    """
    settings = Options(**options)
    source = settings.source()
    target = current_target(environment)
    if isinstance(source, replay_archives.Part):
        facts = replay_archives.replay(target.client("events"), source, settings.dry_run, target.poll_s)
    else:
        facts = replay_file(source, target)
    text = "  ".join(f"{name}: {value}" for name, value in facts.items() if name != "effect")
    terminal.report(facts, settings.as_json, text + effects.text(facts.get("effect", {})))
    return 1 if facts.get("left") else 0


def replay_file(options: FileOptions, target: Target) -> dict[str, Any]:
    """Send the lines of a file from the checkpoint on.

    Returns the number of sent events by target, and the number of lines that could not be sent. Raises UserError for
    a line that is not valid or that SQS or Lambda refuses.
    """
    functions = target.outputs["functions"]
    if options.function and options.function not in functions:
        raise UserError(f"no function '{options.function}' is deployed; there are: {', '.join(sorted(functions))}")
    if options.dry_run:
        return send_lines(options, target, None)
    checkpoint = Checkpoint(target.file("replay", ".json", str(options.path.resolve()), str(options.function)))
    with locked(checkpoint.path):
        if options.restart:
            checkpoint.clear()
        return send_lines(options, target, checkpoint)


def send_lines(options: FileOptions, target: Target, checkpoint: Checkpoint | None) -> dict[str, Any]:
    """Send the lines as `replay_file` describes. Without a checkpoint this is a dry run."""
    start = checkpoint.load() if checkpoint else {}
    leftovers = Leftovers(checkpoint.path.with_suffix(".left.jsonl") if checkpoint else None, start.get("left", 0))
    sent = effects.Effects(target)
    batch = Batch(target, Pace(options.rate), checkpoint, leftovers, sent)
    router = Router(target.outputs, options.function, target.client)
    with terminal.progress("replay", None, "events") as done:
        for number, line, place in lines(options.path, start):
            try:
                batch.add(Line(number, line, place, router.route(line)))
            except NotRedriven as reason:
                batch.leave(line, place, reason)
            except UserError as error:
                batch.send()
                raise UserError(f"{options.path}, line {number}: {error}") from error
            done(batch.counts.total() + leftovers.count)
        batch.send()
    if checkpoint:
        checkpoint.clear()
    facts = {"events": batch.counts.total(), "targets": dict(batch.counts), **leftovers.facts()}
    return facts | {"dry_run": not checkpoint} | ({"effect": sent.wait()} if checkpoint else {})


@dataclass(frozen=True)
class Line:
    """A line of the file: its number, its text, the place after it, and its delivery."""

    number: int
    text: str
    place: dict[str, Any]
    delivery: Delivery


class Batch:
    """Sends events in the order of the file. Up to 10 consecutive events for the same queue form a batch.

    A batch has at most as many events as may be sent in a second. The checkpoint is saved after each batch, so an
    interruption repeats at most one batch.
    """

    def __init__(
        self, target: Target, pace: Pace, checkpoint: Checkpoint | None, leftovers: "Leftovers", sent: effects.Effects
    ) -> None:
        """Take the target and the objects that limit, save and record the replay. No checkpoint means a dry run."""
        self._target = target
        self._pace = pace
        self._checkpoint = checkpoint
        self._leftovers = leftovers
        self._sent = sent
        self._most = max(1, min(BATCH, int(pace.per_second)))
        self._lines: list[Line] = []
        self.counts = Counter[str]()

    def add(self, line: Line) -> None:
        """Add a line. It is sent now or together with later lines."""
        if self._lines and self._lines[0].delivery.queue_url != line.delivery.queue_url:
            self.send()
        self._lines.append(line)
        if len(self._lines) == self._most or not line.delivery.queue_url:
            self.send()

    def leave(self, text: str, place: dict[str, Any], reason: NotRedriven) -> None:
        """Send the waiting lines, and then add this line to the leftovers because it cannot be sent."""
        self.send()
        self._leftovers.add(text, reason)
        self._save(place)

    def send(self) -> None:
        """Send the waiting lines. Raises UserError if SQS or Lambda refuses them."""
        if not self._lines:
            return
        waiting, self._lines = self._lines, []
        deliveries = [line.delivery for line in waiting]
        try:
            if self._checkpoint:
                self._pace.wait(len(deliveries))
                deliver(deliveries, self._target.outputs, self._target.client, self._sent)
            self.counts.update(delivery.target for delivery in deliveries)
        except NotRedriven as reason:  # Only stream batches raise this, and each is sent separately.
            self._leftovers.add(waiting[0].text, reason)
        self._save(waiting[-1].place)

    def _save(self, place: dict[str, Any]) -> None:
        if self._checkpoint:
            self._checkpoint.save(place | {"left": self._leftovers.count})


def lines(path: Path, reached: dict[str, Any]) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Yield the lines after the place `reached`, each as its number, its text, and the place after it.

    Empty lines are skipped.

    Raises:
        UserError: the lines before `reached` were changed, so it is unknown which lines were sent.
    """
    digest, number = hashlib.sha256(), 0
    with path.open("rb") as file:
        while (raw := file.readline()) and file.tell() <= reached.get("offset", 0):
            digest.update(raw)
            number += 1
        if reached and digest.hexdigest() != reached.get("digest"):
            raise UserError(f"{path} was changed since its replay was interrupted; --restart replays all of it")
        while raw:
            digest.update(raw)
            number += 1
            if raw.strip():
                yield (
                    number,
                    raw.decode(errors="replace").strip(),
                    {"offset": file.tell(), "digest": digest.hexdigest()},
                )
            raw = file.readline()


class Leftovers:
    """Collects discarded messages that cannot be sent.

    Each one is reported, and its line is written to a file that can be replayed.
    """

    def __init__(self, path: Path | None, count: int) -> None:
        """Take the file, which already has `count` lines. Without a file, messages are only reported."""
        self._path = path
        self.count = count
        if path and not count:
            path.unlink(missing_ok=True)

    def add(self, line: str, reason: NotRedriven) -> None:
        """Report a line and write it to the file. It is on disk when this returns."""
        self.count += 1
        terminal.note(terminal.printable(f"discarded message {json.loads(line)['message_id']}: {reason}"))
        if self._path:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a") as file:
                file.write(line + "\n")
                file.flush()
                os.fsync(file.fileno())

    def facts(self) -> dict[str, Any]:
        """Return the number of lines and the file for the command's result."""
        return {"left": self.count} | ({"left_in": str(self._path)} if self.count and self._path else {})
