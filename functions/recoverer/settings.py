"""The function's environment variables."""

from dataclasses import dataclass

from recoverer.decisions import Limits
from shared.settings import SettingsError


@dataclass(frozen=True)
class Settings:
    """Each field is the environment variable of the same name in upper case."""

    state_table: str
    report_topic_arn: str
    # A JSON object, see rules.py
    rules: str
    # Decide and report, but change nothing
    dry_run: bool = False
    redrive_per_day: int = 3
    relieve_per_day: int = 6
    rollback_per_day: int = 1
    # Between two actions on the same target
    cooldown_s: int = 900
    # How long after its publication a version is a suspect
    deploy_window_s: int = 1800
    # For the relieve rules that name none
    concurrency_ceiling: int = 100
    # An alarm that took longer to get here is history
    max_alarm_age_s: int = 900

    def __post_init__(self) -> None:
        """Refuse limits that are none. Raises SettingsError."""
        # A cool-down of seconds would let an alarm that flaps spend a day's actions in a minute.
        if self.cooldown_s < 60:
            raise SettingsError("COOLDOWN_S must be at least 60")
        if min(self.redrive_per_day, self.relieve_per_day, self.rollback_per_day) < 0:
            raise SettingsError("REDRIVE_PER_DAY, RELIEVE_PER_DAY and ROLLBACK_PER_DAY must not be negative")
        if min(self.deploy_window_s, self.concurrency_ceiling, self.max_alarm_age_s) < 1:
            raise SettingsError("DEPLOY_WINDOW_S, CONCURRENCY_CEILING and MAX_ALARM_AGE_S must be at least 1")

    @property
    def limits(self) -> Limits:
        """What bounds the decisions."""
        per_day = {"redrive": self.redrive_per_day, "relieve": self.relieve_per_day, "rollback": self.rollback_per_day}
        return Limits(per_day, self.cooldown_s, self.deploy_window_s, self.max_alarm_age_s)
