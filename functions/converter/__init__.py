"""Text data uploaded to S3 becomes partitioned Parquet for Athena; see README.md."""
