"""The command audit: compare the buckets with the catalog, report differences, and repair them with --repair."""

import sqlite3
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from eventloom import arguments, terminal
from eventloom.errors import UserError
from eventloom.operations.drift import Audit, Drift, Kind, Places
from eventloom.operations.messages import notification, send_batch
from eventloom.operations.pace import Pace, locked
from eventloom.operations.target import Target, current_target
from eventloom.operations.thumbnail_settings import deployed_settings

_DRIFT_FOUND = 3
_REPAIR_EVENTS = {
    Kind.MISSING_ITEM: "ObjectCreated:Backfill",
    # The thumbnailer must process the object even if the item already names this version. The item's other attributes
    # may describe another version.
    Kind.STALE_VERSION: "ObjectCreated:Remake",
    Kind.MISSING_THUMBNAILS: "ObjectCreated:Remake",
    Kind.OUTDATED_THUMBNAILS: "ObjectCreated:Remake",
    Kind.ITEM_WITHOUT_OBJECT: "ObjectRemoved:Delete",
}


@dataclass(frozen=True)
class Options:
    """The values of the command's options."""

    repair: bool
    rate: float
    grace: float
    restart: bool
    as_json: bool


@arguments.command("audit")
@arguments.environment_option
@click.option("--repair", is_flag=True, help="repair what is found; without it nothing is changed")
@click.option("--rate", type=arguments.POSITIVE, default=50, show_default=True, help="repairs a second")
@click.option(
    "--grace",
    type=arguments.NOT_NEGATIVE,
    default=15,
    show_default=True,
    metavar="MINUTES",
    help="ignore what is younger",
)
@click.option("--restart", is_flag=True, help="list everything again, not from where an earlier audit stopped")
@arguments.json_option
def audit(environment: str, **options: Any) -> int:
    """Compare the uploads bucket, the thumbnails bucket and the catalog.

    \b
      ./eventloom audit
      ./eventloom audit --repair --rate 20

    \b
    It reports:                                            --repair:
      missing_item         object without an item          sends its event again
      stale_version        item of another content         sends its event again
      missing_thumbnails   some thumbnails do not exist    makes them again
      outdated_thumbnails  sizes or format differ from
                           the function's settings         makes them again
      item_without_object  item whose object is gone       records the deletion
      orphaned_thumbnail   thumbnail that no item names    deletes it

    Each finding is checked a second time before it is reported. Uploads of the last --grace minutes are left out,
    because they may be in progress. The audit lists both buckets and scans the table. If it is interrupted, the same
    command continues where it stopped.

    It also counts the rejected photos that the current settings may accept, by the reason of their rejection.
    './eventloom backfill --rejected --reason REASON' tries them again. They are not drift.

    Exit code 3: drift was found and not repaired.
    """
    return run(current_target(environment), Options(**options))


def run(target: Target, options: Options) -> int:
    """Run an audit, unless another one is running. Returns 3 if it found drift and was not asked to repair, else 0."""
    outputs = target.outputs
    places = Places(outputs["uploads_bucket"], outputs["thumbnails_bucket"], outputs["catalog_table"])
    path = database_file(target, places)
    with locked(path):
        if options.restart:
            path.unlink(missing_ok=True)
        if path.exists():
            stopped_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            about = f"continuing with the listings of the audit that stopped at {stopped_at:%F %T} UTC"
            terminal.note(f"{about} (--restart lists everything again): {path}")
        try:
            return compare(path, places, target, options)
        except sqlite3.DatabaseError as error:
            raise UserError(f"{path}: {error}; --restart lists everything again") from error


def database_file(target: Target, places: Places) -> Path:
    """Return the path of an audit's SQLite file.

    The name includes a digest of `places`, so that an environment of the same name in another account has another file.
    """
    return target.file("audit", ".sqlite", repr(places))


def compare(path: Path, places: Places, target: Target, options: Options) -> int:
    """List and compare everything, report the drift, and repair it on request. Returns the exit code."""
    has_thumbnailer = "thumbnailer" in target.outputs["functions"]
    settings = deployed_settings(target.client("lambda"), target.outputs) if has_thumbnailer else None
    comparison = Audit(path, target.client("s3"), target.client("dynamodb"), places, settings)
    counts, pace = Counter[str](), Pace(options.rate)
    before = target.now() - options.grace * 60
    with terminal.progress("listing", None, "objects and items") as done:
        comparison.collect(done)
    with terminal.progress("comparing", None, "differences") as done:
        for drift in comparison.findings(before):
            counts[drift.kind] += 1
            done(counts.total())
            if options.repair:
                pace.wait()
                repair(drift, target.outputs, target.client)
            finding = {"drift": drift.kind, "image_id": drift.image_id, "key": drift.key}
            terminal.report(finding, options.as_json, f"{drift.kind:<20} {terminal.printable(drift.key)}")
    compared, passing = comparison.counts(), comparison.passing_reasons()
    comparison.finish()
    facts = {"compared": compared, "found": dict(counts), "may_be_accepted": passing, "repaired": options.repair}
    differences = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items())) or "no drift"
    repairing = " (repair is in progress)" if counts and options.repair else ""
    totals = f"{compared['objects']:,} objects, {compared['items']:,} items, {compared['stored']:,} thumbnails"
    terminal.report(facts, options.as_json, f"{totals}: {differences}{repairing}")
    if passing:
        reasons = ", ".join(f"{count} {reason}" for reason, count in passing.items())
        terminal.note(
            f"rejected photos that may be accepted now: {reasons}; ./eventloom backfill --rejected tries them"
        )
    return _DRIFT_FOUND if counts and not options.repair else 0


def repair(drift: Drift, outputs: dict[str, Any], client: Callable[[str], Any]) -> None:
    """Repair one finding. It is safe to repeat a repair."""
    if drift.kind in _REPAIR_EVENTS:
        body = notification(outputs["uploads_bucket"], drift.key, _REPAIR_EVENTS[drift.kind])
        send_batch(client("sqs"), outputs["uploads_queue_url"], [body])
    else:
        client("s3").delete_object(Bucket=outputs["thumbnails_bucket"], Key=drift.key)
