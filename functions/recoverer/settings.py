"""The function's environment variables."""

from dataclasses import dataclass

from recoverer.decisions import Limits
from shared.settings import SettingsError


@dataclass(frozen=True)
class Settings:
    """Each field is the environment variable of the same name in upper case."""

    state_table: str
    report_topic_arn: str
    # A JSON object, described in rules.py
    rules: str
    # If true, the function decides and reports, but changes nothing
    dry_run: bool = False
    redrive_per_day: int = 3
    relieve_per_day: int = 6
    rollback_per_day: int = 1
    # The minimum time between two actions on the same target
    cooldown_s: int = 900
    # The time after its publication in which a version may be rolled back
    deploy_window_s: int = 1800
    # The default of relieve rules
    concurrency_ceiling: int = 100
    # Older alarms are ignored
    max_alarm_age_s: int = 900

    def __post_init__(self) -> None:
        """Raise SettingsError for limits that would have no effect."""
        # With a cool-down of a few seconds, a flapping alarm would use all actions of a day in a minute.
        if self.cooldown_s < 60:
            raise SettingsError("COOLDOWN_S must be at least 60")
        if min(self.redrive_per_day, self.relieve_per_day, self.rollback_per_day) < 0:
            raise SettingsError("REDRIVE_PER_DAY, RELIEVE_PER_DAY and ROLLBACK_PER_DAY must not be negative")
        if min(self.deploy_window_s, self.concurrency_ceiling, self.max_alarm_age_s) < 1:
            raise SettingsError("DEPLOY_WINDOW_S, CONCURRENCY_CEILING and MAX_ALARM_AGE_S must be at least 1")

    @property
    def limits(self) -> Limits:
        """Return the limits of all decisions."""
        per_day = {"redrive": self.redrive_per_day, "relieve": self.relieve_per_day, "rollback": self.rollback_per_day}
        return Limits(per_day, self.cooldown_s, self.deploy_window_s, self.max_alarm_age_s)
