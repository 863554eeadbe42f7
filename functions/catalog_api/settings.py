"""The function's environment variables."""

from dataclasses import dataclass

from shared.settings import load


@dataclass(frozen=True)
class Settings:
    """Buckets and tables by name; limits in the units that the names end with."""

    uploads_bucket: str
    thumbnails_bucket: str
    catalog_table: str
    state_table: str
    max_upload_bytes: int = 104_857_600
    url_expiry_s: int = 900
    allowed_origins: str = ""
    auth: str = "api_key"
    max_report_images: int = 100_000

    @property
    def origins(self) -> list[str]:
        """The origins that browsers may call from, `["*"]` for any; empty switches CORS off."""
        return [origin.strip() for origin in self.allowed_origins.split(",") if origin.strip()]


SETTINGS = load(Settings)
