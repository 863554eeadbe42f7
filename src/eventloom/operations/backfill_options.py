"""The options of the command backfill."""

from dataclasses import dataclass
from datetime import datetime

import click


@dataclass(frozen=True)
class Options:
    """The values of the command's options."""

    bucket: str | None
    prefix: str
    inventory: str | None
    rejected: bool
    reasons: tuple[str, ...]
    remake: bool
    everything: bool
    since: datetime | None
    until: datetime | None
    distributed: bool
    rate: float
    limit: int | None
    restart: bool
    yes: bool
    dry_run: bool
    as_json: bool

    @property
    def event(self) -> str:
        """Return the event name to put into the notifications."""
        return f"ObjectCreated:{'Retry' if self.rejected else 'Remake' if self.remake else 'Backfill'}"

    def check(self) -> None:
        """Raise click.UsageError for options that cannot be combined."""
        from_catalog = self.rejected or self.remake
        wrong = {
            "--distributed is for the uploads bucket; leave out --bucket, --inventory, --limit and --restart": (
                self.distributed and (self.bucket or self.inventory or self.limit or self.restart)
            ),
            "--rejected and --remake are two commands; run one after the other": self.rejected and self.remake,
            "--rejected and --remake read the catalog; leave out --inventory and --distributed": (
                from_catalog and (self.inventory or self.distributed)
            ),
            "--reason is for --rejected": self.reasons and not self.rejected,
            "--all is for --remake": self.everything and not self.remake,
            "--since and --until are for --rejected and --remake": (self.since or self.until) and not from_catalog,
        }
        for problem, is_so in wrong.items():
            if is_so:
                raise click.UsageError(problem, click.get_current_context())
