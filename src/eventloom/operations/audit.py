"""Compare the uploads bucket, the thumbnails bucket and the catalog; report what differs, and mend it with --repair.

    missing_item           an object without an item             repaired by sending its event again
    stale_version          an item of another content            likewise
    missing_thumbnails     some of an item's are not there       likewise; they are made again
    item_without_object    an item whose object is gone          likewise; it becomes a memory of the deletion
    orphaned_thumbnail     no item names it                      removed

Each finding is checked a second time before it is reported, and what is younger than --grace minutes is left out: it may be under way.
It costs a LIST of both buckets and a Scan of the table. Interrupted, the same command goes on. Exit code 3: drift was found, not repaired.
"""

import argparse
import hashlib
import json
import sqlite3
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from eventloom import errors, terminal
from eventloom.clouds import BUILD, chosen_cloud, client
from eventloom.errors import UserError
from eventloom.operations.drift import Audit, Drift, Places
from eventloom.operations.messages import notification, send_batch
from eventloom.operations.pace import Pace, alone

_EVENTS = {
    "missing_item": "ObjectCreated:Backfill",
    "stale_version": "ObjectCreated:Remake",  # an item may name the version and be wrong about it all the same
    "missing_thumbnails": "ObjectCreated:Remake",
    "item_without_object": "ObjectRemoved:Delete",
}


def repair(drift: Drift, outputs: dict[str, Any]) -> None:
    """Mend one finding. Doing it twice changes nothing more."""
    if drift.kind in _EVENTS:
        body = notification(outputs["uploads_bucket"], drift.key, _EVENTS[drift.kind])
        send_batch(client("sqs"), outputs["uploads_queue_url"], [body])
    else:
        client("s3").delete_object(Bucket=outputs["thumbnails_bucket"], Key=drift.key)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = terminal.parser(__doc__)
    parser.add_argument("--repair", action="store_true", help="mend what is found (without it: a dry run)")
    parser.add_argument("--rate", type=terminal.positive, default=50, help="repairs a second (default %(default)s)")
    parser.add_argument(
        "--grace", type=terminal.number, default=15, help="minutes in which an upload may still be under way (default %(default)s)"
    )
    parser.add_argument("--restart", action="store_true", help="forget how far an interrupted audit got")
    return parser.parse_args()


def file_of(environment: str, places: Places) -> Path:
    """Where an audit of these places is kept: an environment of the same name in another account has others."""
    digest = hashlib.sha256(repr(places).encode()).hexdigest()[:12]
    return BUILD / "operations" / f"audit-{chosen_cloud().key}-{environment}-{digest}.sqlite"


def main() -> int:
    """Audit; 0 if all agree or all was repaired, 3 if drift is left."""
    options = arguments()
    outputs = terminal.environment(options.env)
    places = Places(outputs["uploads_bucket"], outputs["thumbnails_bucket"], outputs["catalog_table"])
    path = file_of(options.env, places)
    with alone(path):
        if options.restart:
            path.unlink(missing_ok=True)
        if path.exists():
            when = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            terminal.stderr.print(f"going on with the listings of the audit interrupted at {when:%F %T} UTC (--restart lists anew): {path}")
        try:
            return compare(path, places, options, outputs)
        except sqlite3.DatabaseError as error:
            raise UserError(f"{path}: {error}; --restart lists anew") from error


def compare(path: Path, places: Places, options: argparse.Namespace, outputs: dict[str, Any]) -> int:
    """The audit itself."""
    audit, counts, pace = Audit(path, client("s3"), client("dynamodb"), places), Counter[str](), Pace(options.rate)
    before = time.time() - options.grace * 60
    with terminal.progress("listing", None, "objects and items") as done:
        audit.collect(done)
    with terminal.progress("comparing", None, "differences") as done:
        for drift in audit.findings(before):
            counts[drift.kind] += 1
            done(counts.total())
            if options.repair:
                pace.wait()
                repair(drift, outputs)
            if options.json:
                print(json.dumps({"drift": drift.kind, "image_id": drift.image_id, "key": drift.key}, ensure_ascii=False))
            else:
                terminal.stdout.print(f"{drift.kind:<20} {terminal.visible(drift.key)}", soft_wrap=True, markup=False)
    compared = audit.counts()
    audit.finish()
    facts = {"compared": compared, "found": dict(counts), "repaired": bool(options.repair)}
    found = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items())) or "no drift"
    how = " (being repaired)" if counts and options.repair else ""
    text = f"{compared['objects']:,} objects, {compared['items']:,} items, {compared['stored']:,} thumbnails: {found}{how}"
    terminal.tell(facts, options.json, text)
    return 3 if counts and not options.repair else 0


if __name__ == "__main__":
    errors.run("audit", main, resumes=True)
