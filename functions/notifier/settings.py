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
    # Comma-separated
    recipients: str = ""
    # How long a notice that was begun is left to whoever began it; longer than sending takes, shorter than the function's timeout
    lease_s: int = 30
    # How long it is remembered that a notice was given; a stream's records live for a day
    keep_days: int = 8

    def __post_init__(self) -> None:
        """Refuse what would fail, or do nothing, with the first notice. Raises SettingsError."""
        if bool(self.sender) != bool(self.mail_recipients):
            raise SettingsError("SENDER and RECIPIENTS go together: set both, or neither for no mail")
        if min(self.lease_s, self.keep_days) < 1:
            raise SettingsError("LEASE_S and KEEP_DAYS must be at least 1")

    @property
    def mail_recipients(self) -> list[str]:
        """The recipients one by one."""
        return [address.strip() for address in self.recipients.split(",") if address.strip()]
