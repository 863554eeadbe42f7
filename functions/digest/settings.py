"""The environment variables of the function, as a typed object (parsed by `shared.settings.load` at INIT)."""

from dataclasses import dataclass

from shared.settings import SettingsError


@dataclass(frozen=True)
class Settings:
    """Each field is the environment variable of the same name in upper case."""

    catalog_table: str
    state_table: str
    # The workspace; it is named in subjects
    environment: str = ""
    # An address verified with SES; without one, no mail is sent
    sender: str = ""
    # Comma-separated
    recipients: str = ""
    # An SNS topic; without one, no notice is given
    topic_arn: str = ""
    # Dead-letter queues whose depth is told, comma-separated
    dlq_urls: str = ""
    # How many of the newest images are listed
    newest: int = 5
    # A day with more is told as "at least"
    max_images: int = 200_000
    keep_days: int = 400

    def __post_init__(self) -> None:
        """Refuse what would fail, or do nothing, with the first digest. Raises SettingsError."""
        if bool(self.sender) != bool(self.mail_recipients):
            raise SettingsError("SENDER and RECIPIENTS go together: set both, or neither for no mail")
        if min(self.newest, self.max_images, self.keep_days) < 1:
            raise SettingsError("NEWEST, MAX_IMAGES and KEEP_DAYS must be at least 1")

    @property
    def mail_recipients(self) -> list[str]:
        """The recipients one by one."""
        return _parts(self.recipients)

    @property
    def queues(self) -> list[str]:
        """The dead-letter queues' URLs one by one."""
        return _parts(self.dlq_urls)


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
