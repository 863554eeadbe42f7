"""The HTTP API of the catalog: list, show, upload and delete images, and compute reports."""
