"""The environment variables of the function, as a typed object (parsed by `shared.settings.load` at INIT)."""

from dataclasses import dataclass

from digest.summary import Limits
from shared.settings import SettingsError


@dataclass(frozen=True)
class Settings:
    """Each field is the environment variable of the same name in upper case."""

    catalog_table: str
    state_table: str
    # The environment that subjects name
    environment: str = ""
    # An address verified with SES; without one, no mail is sent
    sender: str = ""
    # Comma-separated addresses
    recipients: tuple[str, ...] = ()
    # An SNS topic; without one, no notice is given
    topic_arn: str = ""
    # Comma-separated URLs of the dead-letter queues whose depth the digest shows
    dlq_urls: tuple[str, ...] = ()
    # How many of the newest images are listed
    newest: int = 5
    # With more images in a day, the digest says "at least"
    max_images: int = 200_000
    keep_days: int = 400

    def __post_init__(self) -> None:
        """Raise SettingsError for values with which the first digest would fail or go nowhere."""
        if bool(self.sender) != bool(self.recipients):
            raise SettingsError("SENDER and RECIPIENTS go together: set both, or neither for no mail")
        if min(self.newest, self.max_images, self.keep_days) < 1:
            raise SettingsError("NEWEST, MAX_IMAGES and KEEP_DAYS must be at least 1")

    @property
    def limits(self) -> Limits:
        """Return how much of a day is read and listed."""
        return Limits(self.newest, self.max_images)
