"""Create one table per dataset in AWS Glue, so that Athena can query it immediately."""

from typing import Any

from botocore.exceptions import ClientError

from converter.names import PARTITION

_ATHENA = {
    "BOOLEAN": "boolean",
    "BIGINT": "bigint",
    "DOUBLE": "double",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
    "VARCHAR": "string",
}
# Errors caused by another conversion at the same time
_CONFLICT = {"AlreadyExistsException", "ConcurrentModificationException"}
_ATTEMPTS = 5
_PARQUET = "org.apache.hadoop.hive.ql.io.parquet"


def table_of(dataset: str, types: dict[str, str], bucket: str) -> dict[str, Any]:
    """Return the table of a dataset as Glue's TableInput.

    Athena computes the partitions from the table's properties (partition projection), so none must be registered.
    """
    location = f"s3://{bucket}/{dataset}/"
    return {
        "Name": dataset,
        "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": [{"Name": PARTITION, "Type": "date"}],
        "Parameters": {
            "classification": "parquet",
            "projection.enabled": "true",
            f"projection.{PARTITION}.type": "date",
            f"projection.{PARTITION}.format": "yyyy-MM-dd",
            f"projection.{PARTITION}.range": "2020-01-01,NOW",
            "storage.location.template": f"{location}{PARTITION}=${{{PARTITION}}}",
        },
        "StorageDescriptor": {
            "Columns": [{"Name": name, "Type": _ATHENA[type_]} for name, type_ in types.items()],
            "Location": location,
            "InputFormat": f"{_PARQUET}.MapredParquetInputFormat",
            "OutputFormat": f"{_PARQUET}.MapredParquetOutputFormat",
            "SerdeInfo": {"SerializationLibrary": f"{_PARQUET}.serde.ParquetHiveSerDe"},
        },
    }


class Tables:
    """The tables of a Glue database."""

    def __init__(self, glue: Any, database: str) -> None:
        """`glue` is a low-level client."""
        self._glue = glue
        self._database = database

    def register(self, table: dict[str, Any]) -> None:
        """Create the table, or add missing columns to it.

        Other conversions may do the same at the same time. Raises ClientError.
        """
        for attempt in range(_ATTEMPTS):
            try:
                self._bring_up_to_date(table)
                return
            except ClientError as error:
                if error.response["Error"]["Code"] not in _CONFLICT or attempt == _ATTEMPTS - 1:
                    raise

    def _bring_up_to_date(self, table: dict[str, Any]) -> None:
        try:
            existing = self._glue.get_table(DatabaseName=self._database, Name=table["Name"])["Table"]
        except self._glue.exceptions.EntityNotFoundException:
            self._glue.create_table(DatabaseName=self._database, TableInput=table)
            return
        known = {column["Name"] for column in existing["StorageDescriptor"]["Columns"]}
        if not {column["Name"] for column in table["StorageDescriptor"]["Columns"]} <= known:
            # VersionId makes the update fail if another conversion has changed the table meanwhile.
            self._glue.update_table(DatabaseName=self._database, TableInput=table, VersionId=existing["VersionId"])
