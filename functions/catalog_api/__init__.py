"""The catalog over HTTP: list, get, upload, delete images; compute reports."""
