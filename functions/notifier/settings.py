"""The function's environment variables."""

from dataclasses import dataclass

from shared.settings import SettingsError


@dataclass(frozen=True)
class Settings:
    """Each field is the environment variable of the same name in upper case."""

    topic_arn: str
    state_table: str
    # An address that is verified with SES. If it is empty, no mail is sent.
    sender: str = ""
    # Comma-separated addresses
    recipients: tuple[str, ...] = ()
    # The lease of a notice's claim. It must be longer than sending takes, and shorter than the function's timeout.
    lease_s: int = 30
    # The days for which the claim of a sent notice is stored. A stream keeps its records for one day.
    keep_days: int = 8

    def __post_init__(self) -> None:
        """Raise SettingsError for values that would make a notice fail or leave it without recipients."""
        if bool(self.sender) != bool(self.recipients):
            raise SettingsError("SENDER and RECIPIENTS go together: set both, or neither for no mail")
        if min(self.lease_s, self.keep_days) < 1:
            raise SettingsError("LEASE_S and KEEP_DAYS must be at least 1")
