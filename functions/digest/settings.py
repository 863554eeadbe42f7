"""The environment variables of the function. `shared.settings.load` parses them in Lambda's INIT phase."""

from dataclasses import dataclass

from digest.summary import Limits
from shared.settings import SettingsError


@dataclass(frozen=True)
class Settings:
    """Each field is the environment variable of the same name in upper case."""

    catalog_table: str
    state_table: str
    # The name of the environment, which is part of subjects
    environment: str = ""
    # An address that is verified with SES. If it is empty, no mail is sent.
    sender: str = ""
    # Comma-separated addresses
    recipients: tuple[str, ...] = ()
    # The ARN of an SNS topic. If it is empty, no notice is published.
    topic_arn: str = ""
    # Comma-separated URLs of the dead-letter queues whose depth the digest shows
    dlq_urls: tuple[str, ...] = ()
    # The number of the newest images that are listed
    newest: int = 5
    # If a day has more images, the digest says "at least"
    max_images: int = 200_000
    keep_days: int = 400

    def __post_init__(self) -> None:
        """Raise SettingsError for values that would make a digest fail or leave it without recipients."""
        if bool(self.sender) != bool(self.recipients):
            raise SettingsError("SENDER and RECIPIENTS go together: set both, or neither for no mail")
        if min(self.newest, self.max_images, self.keep_days) < 1:
            raise SettingsError("NEWEST, MAX_IMAGES and KEEP_DAYS must be at least 1")

    @property
    def limits(self) -> Limits:
        """Return the limits on the images that are counted and listed."""
        return Limits(self.newest, self.max_images)
