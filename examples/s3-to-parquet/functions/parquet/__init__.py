"""A conversion of CSV to Parquet. The code is in handler.py."""
