"""Convert text data that is uploaded to S3 to partitioned Parquet for Athena; see README.md."""
