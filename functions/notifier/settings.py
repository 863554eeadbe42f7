"""The function's environment variables."""

from dataclasses import dataclass

from shared.settings import SettingsError


@dataclass(frozen=True)
class Settings:
    """Each field is the environment variable of the same name in upper case."""

    topic_arn: str
    state_table: str
    # An address verified with SES; without one, no mail is sent
    sender: str = ""
    # Comma-separated addresses
    recipients: tuple[str, ...] = ()
    # How long a notice belongs to the invocation that began it: longer than sending takes, shorter than the
    # timeout
    lease_s: int = 30
    # How long the claim of a sent notice is stored; a stream keeps its records for a day
    keep_days: int = 8

    def __post_init__(self) -> None:
        """Raise SettingsError for values with which the first notice would fail or go nowhere."""
        if bool(self.sender) != bool(self.recipients):
            raise SettingsError("SENDER and RECIPIENTS go together: set both, or neither for no mail")
        if min(self.lease_s, self.keep_days) < 1:
            raise SettingsError("LEASE_S and KEEP_DAYS must be at least 1")
