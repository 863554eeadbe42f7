"""Convert each uploaded CSV file: sales/2026.csv becomes sales/2026.parquet in the other bucket."""

import os
import tempfile
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote_plus

import boto3
import duckdb

TABLES_BUCKET = os.environ["TABLES_BUCKET"]
S3 = boto3.client("s3")


def lambda_handler(event: dict[str, Any], _context: Any) -> None:
    """Convert the CSV files of an S3 event.

    If this raises an error, Lambda tries twice more. Then it sends the event and the error to the failures queue.
    """
    for record in event["Records"]:
        bucket, key = record["s3"]["bucket"]["name"], unquote_plus(record["s3"]["object"]["key"])
        with tempfile.TemporaryDirectory() as folder:
            source, target = Path(folder, "in.csv"), Path(folder, "out.parquet")
            S3.download_file(bucket, key, str(source))
            convert(source, target)
            S3.upload_file(str(target), TABLES_BUCKET, str(PurePosixPath(key).with_suffix(".parquet")))


def convert(source: Path, target: Path) -> None:
    """Convert a CSV file. DuckDB detects the types from all rows; a row that does not fit them raises an error."""
    folder = str(target.parent)
    with duckdb.connect(config={"temp_directory": folder, "autoinstall_known_extensions": "false"}) as database:
        rows = database.read_csv(str(source), header=True, sample_size=-1)
        rows.write_parquet(str(target), compression="zstd")
