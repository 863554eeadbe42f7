"""The environment variables of the function, as a typed object (parsed by `shared.settings.load` at INIT)."""

from dataclasses import dataclass

from converter.staging import Limits
from shared.settings import SettingsError


@dataclass(frozen=True)
class Settings:
    """Each field is the environment variable of the same name in upper case."""

    analytics_bucket: str
    # Uploads are below it; what follows is <dataset>/...
    raw_prefix: str = "raw/"
    # Decompressed; ephemeral storage should have about three times as much
    max_bytes: int = 2 << 30
    max_row_length: int = 1 << 20
    max_columns: int = 1000
    # Of DuckDB alone; about half of the function's memory
    memory_limit_mb: int = 1024
    type_threshold: float = 0.8
    # Tables for Athena are kept in this Glue database; empty: no tables
    glue_database: str = ""

    def __post_init__(self) -> None:
        """Refuse values that no file could be converted with. Raises SettingsError."""
        if min(self.max_bytes, self.max_row_length, self.max_columns) < 1:
            raise SettingsError("MAX_BYTES, MAX_ROW_LENGTH and MAX_COLUMNS must be at least 1")
        if self.max_row_length > 1 << 20:
            raise SettingsError("MAX_ROW_LENGTH must be at most 1048576: DuckDB's buffers are made for it")
        if self.memory_limit_mb < 64:
            raise SettingsError("MEMORY_LIMIT_MB must be at least 64")
        if not 0.5 < self.type_threshold <= 1:
            raise SettingsError("TYPE_THRESHOLD must be above 0.5 and at most 1")

    @property
    def limits(self) -> Limits:
        """What an upload may be, and what its conversion may use."""
        return Limits(self.max_bytes, self.max_row_length, self.max_columns, self.memory_limit_mb, self.type_threshold)
