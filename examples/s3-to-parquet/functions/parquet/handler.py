"""Converts each CSV file that S3 tells about: sales/2026.csv becomes sales/2026.parquet in the other bucket."""

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
    """What is raised here makes Lambda try twice more; then the event is kept in the failures queue, with the error."""
    for record in event["Records"]:
        bucket, key = record["s3"]["bucket"]["name"], unquote_plus(record["s3"]["object"]["key"])
        with tempfile.TemporaryDirectory() as folder:
            source, target = Path(folder, "in.csv"), Path(folder, "out.parquet")
            S3.download_file(bucket, key, str(source))
            convert(source, target)
            S3.upload_file(str(target), TABLES_BUCKET, str(PurePosixPath(key).with_suffix(".parquet")))


def convert(source: Path, target: Path) -> None:
    """Column types are found by DuckDB; a row that does not fit them is an error, not a guess."""
    with duckdb.connect(config={"temp_directory": str(target.parent), "autoinstall_known_extensions": "false"}) as database:
        rows = database.read_csv(str(source), header=True, sample_size=-1)
        rows.write_parquet(str(target), compression="zstd")
