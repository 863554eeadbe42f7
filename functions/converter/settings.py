"""The environment variables of the function. `shared.settings.load` parses them in Lambda's INIT phase."""

from dataclasses import dataclass

from converter.staging import Limits
from shared.settings import SettingsError


@dataclass(frozen=True)
class Settings:
    """Each field is the environment variable of the same name in upper case."""

    analytics_bucket: str
    # The prefix of uploads. The key of an upload is <raw_prefix><dataset>/...
    raw_prefix: str = "raw/"
    # The limit on the decompressed file. Ephemeral storage should be about three times as large.
    max_bytes: int = 2 << 30
    max_row_length: int = 1 << 20
    max_columns: int = 1000
    # The limit on the columns of all files of a dataset. Glue limits the size of a table's description, so a table with
    # 3,000 to 4,000 columns may fail: https://github.com/unitycatalog/unitycatalog/issues/963
    max_dataset_columns: int = 2000
    # DuckDB's memory limit: about half of the function's memory
    memory_limit_mb: int = 1024
    type_threshold: float = 0.8
    # The Glue database for Athena's tables. If it is empty, no tables are registered.
    glue_database: str = ""

    def __post_init__(self) -> None:
        """Raise SettingsError for values that would prevent every conversion."""
        if min(self.max_bytes, self.max_row_length, self.max_columns, self.max_dataset_columns) < 1:
            raise SettingsError("MAX_BYTES, MAX_ROW_LENGTH, MAX_COLUMNS and MAX_DATASET_COLUMNS must be at least 1")
        if self.max_row_length > 1 << 20:
            raise SettingsError("MAX_ROW_LENGTH must be at most 1048576: DuckDB's buffers are made for it")
        if self.memory_limit_mb < 64:
            raise SettingsError("MEMORY_LIMIT_MB must be at least 64")
        if not 0.5 < self.type_threshold <= 1:
            raise SettingsError("TYPE_THRESHOLD must be above 0.5 and at most 1")

    @property
    def limits(self) -> Limits:
        """Return the limits on an upload and its conversion."""
        return Limits(self.max_bytes, self.max_row_length, self.max_columns, self.memory_limit_mb, self.type_threshold)
