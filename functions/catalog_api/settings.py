"""The function's environment variables."""

from dataclasses import dataclass

from shared.settings import SettingsError, load


@dataclass(frozen=True)
class Settings:
    """Each field is the environment variable of the same name in upper case."""

    uploads_bucket: str
    thumbnails_bucket: str
    catalog_table: str
    state_table: str
    max_upload_bytes: int = 104_857_600
    # The formats that may be uploaded, as in the thumbnailer's ACCEPTED_FORMATS. Empty means all formats that it reads.
    accepted_formats: tuple[str, ...] = ()
    url_expiry_s: int = 900
    # The time for which links to thumbnails stay the same, so that browsers can cache the thumbnails
    link_window_s: int = 3600
    # Comma-separated origins from which browsers may call the API, or "*" for any. Empty switches CORS off.
    allowed_origins: tuple[str, ...] = ()
    # How API Gateway authenticates, for the OpenAPI document: api_key, iam or cognito
    auth: str = "api_key"
    max_report_images: int = 100_000
    # The days in which a deletion can be undone, at most as long as S3 keeps noncurrent versions and tombstones exist
    restore_days: int = 1
    # For auth cognito: the origin of Cognito's hosted sign-in pages and the id of the app client
    cognito_domain: str = ""
    cognito_client_id: str = ""

    def __post_init__(self) -> None:
        """Raise SettingsError for values that would make requests fail."""
        if self.auth not in ("api_key", "iam", "cognito"):
            raise SettingsError(f"AUTH={self.auth!r} is not supported; set it to api_key, iam or cognito")
        if bool(self.cognito_domain) != bool(self.cognito_client_id):
            raise SettingsError("COGNITO_DOMAIN and COGNITO_CLIENT_ID go together")
        # AWS Signature Version 4 allows 7 days, but the credentials of a role expire sooner.
        if not 1 <= self.url_expiry_s <= 43_200:
            raise SettingsError("URL_EXPIRY_S must be 1 to 43200")
        if not 1 <= self.link_window_s <= 43_200:
            raise SettingsError("LINK_WINDOW_S must be 1 to 43200")
        if min(self.max_upload_bytes, self.max_report_images, self.restore_days) < 1:
            raise SettingsError("MAX_UPLOAD_BYTES, MAX_REPORT_IMAGES and RESTORE_DAYS must be at least 1")


SETTINGS = load(Settings)
