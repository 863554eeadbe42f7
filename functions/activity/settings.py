"""The environment variables of the function. `shared.settings.load` parses them in Lambda's INIT phase."""

import re
from dataclasses import dataclass
from datetime import timedelta

from shared.settings import SettingsError


@dataclass(frozen=True)
class Settings:
    """Each field is the environment variable of the same name in upper case."""

    activity_table: str
    # A comma-separated list. Other types are rejected, because each type is an attribute of the counter's item, whose
    # size is limited to 400 KB.
    event_types: tuple[str, ...] = ("view", "download", "share")
    day_retention_days: int = 400
    reject_retention_days: int = 30
    # The setting of the event source mapping. It must be 1: otherwise batches of a shard overlap, and events are lost
    # because there is one checkpoint per shard.
    parallelization_factor: int = 1

    def __post_init__(self) -> None:
        """Raise SettingsError for values that would result in wrong counts."""
        if not self.event_types or not all(re.fullmatch("[a-z][a-z_]{0,31}", name) for name in self.event_types):
            raise SettingsError(
                "EVENT_TYPES must be names of small letters and underscores, for example view,download,share"
            )
        if min(self.day_retention_days, self.reject_retention_days) < 1:
            raise SettingsError("DAY_RETENTION_DAYS and REJECT_RETENTION_DAYS must be at least 1")
        if self.parallelization_factor != 1:
            raise SettingsError(
                "PARALLELIZATION_FACTOR must be 1: events are counted exactly once by one checkpoint a shard"
            )

    @property
    def types(self) -> frozenset[str]:
        """Return the types of events that are counted."""
        return frozenset(self.event_types)

    @property
    def max_age(self) -> timedelta:
        """Return the maximum age of an event that is counted."""
        return timedelta(days=self.day_retention_days)
