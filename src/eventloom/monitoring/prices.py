"""The prices of AWS in terraform/prices.json: USD by billed unit; `lambda_gb_s` has a price for each architecture."""

import json
from typing import Any

from eventloom.clouds import ROOT

PRICES: dict[str, Any] = json.loads((ROOT / "terraform" / "prices.json").read_text())


def photo_usd(seconds: float, memory_mb: int, *, thumbnails: int = 3, write_units: float = 4, batch: int = 10) -> float:
    """Return the USD of one photo: Lambda, queue, buckets and table, without storage and logs.

    A message is sent for each photo. It is received, hidden for the time of its batch and deleted in batches.

    Args:
        seconds: the part of an invocation that the photo takes.
        memory_mb: the function's memory.
        thumbnails: how many are stored.
        write_units: of its item, in the table and in its three indexes.
        batch: how many photos an invocation handles.
    """
    compute = seconds * memory_mb / 1024 * PRICES["lambda_gb_s"]["x86_64"]
    requests = (PRICES["lambda_request"] + 3 * PRICES["sqs_request"]) / batch + PRICES["sqs_request"]
    buckets = thumbnails * PRICES["s3_put"] + PRICES["s3_get"]
    table = write_units * PRICES["dynamodb_write"] + PRICES["dynamodb_read"]
    return float(compute + requests + buckets + table)
