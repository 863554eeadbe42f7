"""The command upgrade-catalog: add the keys of the index by capture time to the items of an older version."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from eventloom import arguments, terminal
from eventloom.operations.target import current_target
from shared.dynamodb import is_conditional_failure, plain
from shared.listing import COMPLETE, attributes

STATUSES = ("READY", "REJECTED")
_AT_ONCE = 16

type Done = Callable[[int], None]


@arguments.command("upgrade-catalog")
@arguments.environment_option
@arguments.dry_run_option
@arguments.json_option
def upgrade_catalog_command(environment: str, dry_run: bool, as_json: bool) -> None:
    """List the photos of an older version by the time of their capture.

    Photos from before version 0.2 lack what this order needs. Until the command has run, the gallery lists an
    environment that has such photos by the time of their upload. Nothing is processed again, and no photo is hidden
    meanwhile. It is safe to repeat the command.

    \b
      ./eventloom upgrade-catalog --dry-run
      ./eventloom upgrade-catalog --env dev
    """
    target = current_target(environment)
    catalog = Catalog(target.client("dynamodb"), target.outputs["catalog_table"], target.outputs["state_table"])
    with terminal.progress("upgrade-catalog", None, "photos") as done:
        count = catalog.count(done) if dry_run else catalog.upgrade(done)
    if dry_run:
        facts: dict[str, Any] = {"environment": environment, "would_change": count, "dry_run": True}
        terminal.report(facts, as_json, f"{count:,} photos would get the keys of the index by date")
    else:
        text = f"{count:,} photos got the keys of the index by date; the gallery lists all photos by their capture"
        terminal.report({"environment": environment, "changed": count}, as_json, text)


@dataclass(frozen=True)
class Catalog:
    """The catalog table and the state table of an environment. `dynamodb` is a boto3 client, which threads share."""

    dynamodb: Any
    table: str
    state: str

    def count(self, done: Done) -> int:
        """Return the number of items without the keys."""
        count = 0
        for page in self._pages():
            count += len(page)
            done(count)
        return count

    def upgrade(self, done: Done) -> int:
        """Add the keys to every item, and then record that the index is complete. Returns the number of changed items.

        An item that is written meanwhile is skipped, because the thumbnailer writes the keys.
        """
        changed, before = 0, -1
        with ThreadPoolExecutor(_AT_ONCE, "upgrade") as pool:
            # Repeat until a pass changes nothing, because invocations of the old version may still write items.
            while changed > before:
                before = changed
                for page in self._pages():
                    changed += sum(pool.map(self._add_keys, page))
                    done(changed)
        self.dynamodb.update_item(
            TableName=self.state,
            Key={"pk": {"S": COMPLETE}},
            UpdateExpression="SET complete = :true",
            ExpressionAttributeValues={":true": {"BOOL": True}},
        )
        return changed

    def _pages(self) -> Iterator[list[dict[str, Any]]]:
        """Yield the items without the keys, one list for each response of Query, newest first."""
        for status in STATUSES:
            pages = self.dynamodb.get_paginator("query").paginate(
                TableName=self.table,
                IndexName="by_status",
                KeyConditionExpression="#status = :status",
                FilterExpression="attribute_not_exists(taken_key)",
                ExpressionAttributeNames={"#status": "status"},
                ExpressionAttributeValues={":status": {"S": status}},
                ScanIndexForward=False,
            )
            yield from (list(map(plain, page["Items"])) for page in pages)

    def _add_keys(self, item: dict[str, Any]) -> bool:
        """Add the keys to an item, unless the item has changed since it was read. Returns whether it was changed."""
        keys = attributes(item)
        values = {f":{name}": {"S": value} for name, value in keys.items()}
        try:
            self.dynamodb.update_item(
                TableName=self.table,
                Key={"image_id": {"S": item["image_id"]}},
                UpdateExpression="SET " + ", ".join(f"{name} = :{name}" for name in keys),
                ConditionExpression="attribute_not_exists(taken_key) AND revision = :revision",
                ExpressionAttributeValues=values | {":revision": {"N": str(item["revision"])}},
            )
        except ClientError as error:
            if is_conditional_failure(error):
                return False
            raise
        return True
