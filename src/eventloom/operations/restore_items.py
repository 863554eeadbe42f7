"""The command restore-items: copy items from a restored DynamoDB table into the table that Terraform manages."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import compress
from typing import Any

import click
from botocore.exceptions import ClientError

from eventloom import arguments, terminal
from eventloom.errors import UserError
from eventloom.operations.pace import Pace
from eventloom.operations.target import current_target
from shared.dynamodb import is_conditional_failure

TABLES = ("catalog", "activity", "state")
_AT_ONCE = 8
_READ_AT_ONCE = 100  # the maximum number of keys in a BatchGetItem request

type Item = dict[str, Any]
type Done = Callable[[int], None]


@arguments.command("restore-items")
@click.argument("source", metavar="RESTORED_TABLE")
@click.option(
    "--into", "name", type=click.Choice(TABLES), required=True, help="the environment's table that gets the items"
)
@click.option("--replace", is_flag=True, help="also replace items that exist and differ")
@click.option("--rate", type=arguments.POSITIVE, default=200, show_default=True, help="items a second")
@arguments.environment_option
@arguments.dry_run_option
@arguments.json_option
def restore_items(source: str, name: str, environment: str, **options: Any) -> None:
    """Copy items of a restored table back into an environment's table.

    DynamoDB restores a backup into a new table. This command copies the items that the environment's table lacks, and
    with --replace also those that differ. No item is deleted. It is safe to repeat the command.

    \b
      ./eventloom restore-items RESTORED_TABLE --into activity --dry-run
      ./eventloom restore-items RESTORED_TABLE --into activity --env prod

    An item that is written meanwhile is not replaced. The stream of the catalog reports each item that is copied, so
    the notifier may announce it again.
    """
    target = current_target(environment)
    copy = Copy(target.client("dynamodb"), source, target.outputs[f"{name}_table"], options["replace"])
    copy.check()
    dry_run = options["dry_run"]
    with terminal.progress("restore-items", None, "items") as done:
        counts = copy.run(Pace(options["rate"]), done, dry_run=dry_run)
    facts = {"environment": environment, "table": copy.table, "dry_run": dry_run} | counts
    verb = "would be copied" if dry_run else "copied"
    text = (
        f"{counts['copied']:,} of {counts['read']:,} items {verb} into {copy.table}; {counts['equal']:,} are there "
        f"already, {counts['different']:,} differ{'' if options['replace'] else ' and stay (--replace copies them)'}"
    )
    terminal.report(facts, options["as_json"], text)


@dataclass(frozen=True)
class Copy:
    """A job that copies items from one table into another one with the same keys. `dynamodb` is a boto3 client."""

    dynamodb: Any
    source: str
    table: str
    replace: bool

    def check(self) -> None:
        """Raise UserError if the source does not exist, is not ACTIVE, has other keys, or is the target itself."""
        if self.source == self.table:
            raise UserError(f"{self.source} is the environment's own table; name the table that you restored")
        try:
            source = self.dynamodb.describe_table(TableName=self.source)["Table"]
        except self.dynamodb.exceptions.ResourceNotFoundException as error:
            raise UserError(
                f"there is no table {self.source}; restore one first: docs/how-to/back-up-and-restore.md"
            ) from error
        if source["TableStatus"] != "ACTIVE":
            raise UserError(f"the table {self.source} is {source['TableStatus']}; wait until it is ACTIVE")
        if source["KeySchema"] != self._key_schema():
            raise UserError(f"the tables {self.source} and {self.table} have different keys; --into names another one")

    def run(self, pace: Pace, done: Done, *, dry_run: bool) -> dict[str, int]:
        """Copy the items, or with `dry_run` only count them. Returns the counts: read, copied, equal and different.

        `different` counts the items that exist with other attributes, even if they are replaced.
        """
        counts = Counter(read=0, copied=0, equal=0, different=0)
        names = [key["AttributeName"] for key in self._key_schema()]
        with ThreadPoolExecutor(_AT_ONCE, "restore") as pool:
            for items in self._batches():
                present = self._present(items, names)
                pairs = [(item, present.get(_key(item, names))) for item in items]
                missing = [(item, existing) for item, existing in pairs if existing is None]
                differing = [(item, existing) for item, existing in pairs if existing not in (None, item)]
                chosen = missing + (differing if self.replace else [])
                if not dry_run:
                    pace.wait(len(chosen))
                    chosen = list(compress(chosen, pool.map(self._put, chosen)))
                equal = len(items) - len(missing) - len(differing)
                counts.update(read=len(items), copied=len(chosen), equal=equal, different=len(differing))
                done(counts["read"])
        return dict(counts)

    def _key_schema(self) -> list[dict[str, str]]:
        schema: list[dict[str, str]] = self.dynamodb.describe_table(TableName=self.table)["Table"]["KeySchema"]
        return schema

    def _batches(self) -> Iterator[list[Item]]:
        """Yield the source's items in lists that are short enough for BatchGetItem."""
        for page in self.dynamodb.get_paginator("scan").paginate(TableName=self.source, ConsistentRead=True):
            for start in range(0, len(page["Items"]), _READ_AT_ONCE):
                yield page["Items"][start : start + _READ_AT_ONCE]

    def _present(self, items: list[Item], names: list[str]) -> dict[tuple[str, ...], Item]:
        """Return the items of the environment's table with the same keys, by key."""
        request = {self.table: {"Keys": [{name: item[name] for name in names} for item in items]}}
        present: dict[tuple[str, ...], Item] = {}
        while request:
            answer = self.dynamodb.batch_get_item(RequestItems=request)
            present |= {_key(item, names): item for item in answer["Responses"].get(self.table, [])}
            request = answer["UnprocessedKeys"]
        return present

    def _put(self, pair: tuple[Item, Item | None]) -> bool:
        """Write an item unless the environment's table changed since it was read. Returns whether it was written."""
        item, existing = pair
        try:
            self.dynamodb.put_item(TableName=self.table, Item=item, **_unchanged(item, existing or {}))
        except ClientError as error:
            if is_conditional_failure(error):
                return False
            raise
        return True


def _unchanged(item: Item, existing: Item) -> dict[str, Any]:
    """Return arguments of PutItem for the condition that `existing` is unchanged. {} stands for no item."""
    names = {f"#a{number}": name for number, name in enumerate(sorted({*existing, *item}))}
    equal = {alias: f":{alias[1:]}" for alias, name in names.items() if name in existing}
    parts = [f"{alias} = {equal[alias]}" if alias in equal else f"attribute_not_exists({alias})" for alias in names]
    arguments: dict[str, Any] = {"ConditionExpression": " AND ".join(parts), "ExpressionAttributeNames": names}
    if equal:
        arguments["ExpressionAttributeValues"] = {value: existing[names[alias]] for alias, value in equal.items()}
    return arguments


def _key(item: Item, names: list[str]) -> tuple[str, ...]:
    """Return an item's key in a hashable form."""
    return tuple(str(sorted(item[name].items())) for name in names)
