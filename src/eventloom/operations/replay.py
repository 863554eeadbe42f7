"""Send events again: from a file of JSON lines, or from an EventBridge archive.

    replay.py --file events.jsonl                       each line to where such an event goes
    replay.py --file events.jsonl --function converter  all of them to one function
    replay.py --archive NAME --start 2026-11-20T00:00Z --end 2026-11-21T00:00Z [--rule NAME...]

A line is an event as a function or queue gets it, or a line that `dlq discard` kept. Without --function: S3 notifications of the uploads
bucket go to the uploads queue, those of the raw bucket to the converter, discarded messages to where they came from. A message about a
stream's batch only names its records, which are sent as long as the stream has them. Discarded messages that can't be sent are left in a
file of their own, with exit code 1. An interrupted replay of a file goes on where it was; lines may be added to the file meanwhile.
EventBridge replays an archive onto its own bus, at its own pace, to the rules named or all; the same command follows a replay that runs.
"""

import argparse
import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from eventloom import errors, terminal
from eventloom.clouds import BUILD, chosen_cloud
from eventloom.errors import UserError
from eventloom.operations import replay_archives
from eventloom.operations.pace import Checkpoint, Pace, alone
from eventloom.operations.replay_routes import deliver, route
from eventloom.operations.stream_batches import NotRedriven


def lines(path: Path, reached: dict[str, Any]) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """The lines of a file after the place `reached`, each with its number and the place after it. Empty ones are passed over.

    Raises UserError if what was before that place is another now: its lines would be taken for sent.
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
                yield number, raw.decode(errors="replace").strip(), {"offset": file.tell(), "digest": digest.hexdigest()}
            raw = file.readline()


class Leftovers:
    """Discarded messages that can't be sent: each is reported, and its line kept in a file that can be replayed by itself."""

    def __init__(self, path: Path | None, count: int) -> None:
        """`count` are in the file already; without a path they are only reported."""
        self.path = path
        self.count = count
        if path and not count:
            path.unlink(missing_ok=True)

    def add(self, line: str, problem: NotRedriven) -> None:
        """On disk when this returns."""
        self.count += 1
        about = f"discarded message {json.loads(line)['message_id']}: {problem}"
        terminal.stderr.print(terminal.visible(about), markup=False, soft_wrap=True)
        if self.path:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a") as file:
                file.write(line + "\n")
                file.flush()
                os.fsync(file.fileno())

    def facts(self) -> dict[str, Any]:
        """For programs."""
        return {"left": self.count} | ({"left_in": str(self.path)} if self.count and self.path else {})


def replay_file(options: argparse.Namespace, outputs: dict[str, Any]) -> dict[str, Any]:
    """Send the lines of a file, from the checkpoint on; how many went where, and which were left. Raises UserError."""
    path = Path(options.file)
    if not path.is_file():
        raise UserError(f"{path} is no file")
    if options.function and options.function not in outputs["functions"]:
        raise UserError(f"no function '{options.function}' is deployed; there are: {', '.join(sorted(outputs['functions']))}")
    digest = hashlib.sha256(f"{path.resolve()}|{options.function}".encode()).hexdigest()[:12]
    checkpoint = Checkpoint(BUILD / "operations" / f"replay-{chosen_cloud().key}-{options.env}-{digest}.json")
    if options.dry_run:
        return send_lines(path, None, options, outputs)
    with alone(checkpoint.path):
        if options.restart:
            checkpoint.clear()
        return send_lines(path, checkpoint, options, outputs)


def send_lines(path: Path, checkpoint: Checkpoint | None, options: argparse.Namespace, outputs: dict[str, Any]) -> dict[str, Any]:
    """As `replay_file`; without a checkpoint it is a dry run."""
    start = checkpoint.load() if checkpoint else {}
    left = Leftovers(checkpoint.path.with_suffix(".left.jsonl") if checkpoint else None, start.get("left", 0))
    pace, counts = Pace(options.rate), Counter[str]()
    with terminal.progress("replay", None, "events") as done:
        for number, line, place in lines(path, start):
            try:
                delivery = route(line, outputs, options.function)
                if checkpoint:
                    pace.wait()
                    deliver(delivery, outputs)
                counts[delivery.target] += 1
            except NotRedriven as problem:
                left.add(line, problem)
            except UserError as problem:
                raise UserError(f"{path}, line {number}: {problem}") from problem
            if checkpoint:
                checkpoint.save(place | {"left": left.count})
            done(counts.total() + left.count)
    if checkpoint:
        checkpoint.clear()
    return {"events": counts.total(), "targets": dict(counts), **left.facts(), "dry_run": not checkpoint}


def moment(text: str) -> datetime:
    """The type of a time on the command line: ISO 8601, UTC unless it says otherwise, in whole seconds as EventBridge takes it."""
    found = datetime.fromisoformat(text).replace(microsecond=0)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = terminal.parser(__doc__)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--file", help="JSON lines")
    source.add_argument("--archive", help="name of an EventBridge archive")
    parser.add_argument("--function", help="the function to call, by its folder's name")
    parser.add_argument("--rate", type=terminal.positive, help="events a second, of a file (default 20)")
    parser.add_argument("--start", type=moment, help="of an archive: events from this time on")
    parser.add_argument("--end", type=moment, help="of an archive: events before this time")
    parser.add_argument("--rule", action="append", default=[], help="of an archive: only to this rule of its bus; may be repeated")
    parser.add_argument("--restart", action="store_true", help="forget how far an earlier replay of the file got")
    parser.add_argument("--dry-run", action="store_true", help="say what would be sent where")
    options = parser.parse_args()
    if options.archive and not (options.start and options.end):
        parser.error("an archive is replayed from --start to --end")
    if options.archive and (options.rate or options.function):
        parser.error("EventBridge replays an archive at its own pace to its own rules: --rate and --function are for files")
    options.rate = options.rate or 20
    return options


def main() -> int:
    """Replay; 1 if something was left, 0 when all was sent."""
    options = arguments()
    outputs = terminal.environment(options.env)
    if options.archive:
        facts = replay_archives.replay(
            replay_archives.Part(options.archive, options.start, options.end, tuple(options.rule)), options.dry_run
        )
    else:
        facts = replay_file(options, outputs)
    terminal.tell(facts, options.json, "  ".join(f"{name}: {value}" for name, value in facts.items()))
    return 1 if facts.get("left") else 0


if __name__ == "__main__":
    errors.run("replay", main, resumes=True)
