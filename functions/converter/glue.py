"""AWS Glue: one table a dataset, so that Athena can query it at once."""

from typing import Any

from botocore.exceptions import ClientError

from converter.names import PARTITION
from shared.clients import client

_ATHENA = {"BOOLEAN": "boolean", "BIGINT": "bigint", "DOUBLE": "double", "DATE": "date", "TIMESTAMP": "timestamp", "VARCHAR": "string"}
_PARQUET = "org.apache.hadoop.hive.ql.io.parquet"


def table_of(dataset: str, types: dict[str, str], bucket: str) -> dict[str, Any]:
    """Glue's TableInput. Partitions are projected: none needs to be registered, and days before the first file cost nothing."""
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


def register(database: str, table: dict[str, Any]) -> None:
    """Create the table, or bring its columns up to date."""
    try:
        existing = client("glue").get_table(DatabaseName=database, Name=table["Name"])["Table"]
    except client("glue").exceptions.EntityNotFoundException:
        try:
            client("glue").create_table(DatabaseName=database, TableInput=table)
        except ClientError as error:
            # A conversion at the same time was first; the next file adds what its columns lack.
            if error.response["Error"]["Code"] != "AlreadyExistsException":
                raise
        return
    known = {column["Name"] for column in existing["StorageDescriptor"]["Columns"]}
    if not {column["Name"] for column in table["StorageDescriptor"]["Columns"]} <= known:
        client("glue").update_table(DatabaseName=database, TableInput=table)
