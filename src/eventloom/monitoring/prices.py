"""Read AWS's prices from terraform/prices.json. They are in USD for each billed unit.

`lambda_gb_s` has a price for each architecture.
"""

import json
from typing import Any

from eventloom.clouds import ROOT

PRICES: dict[str, Any] = json.loads((ROOT / "terraform" / "prices.json").read_text())


def photo_usd(seconds: float, memory_mb: int, *, thumbnails: int = 3, write_units: float = 4, batch: int = 10) -> float:
    """Return the cost of one photo in USD: Lambda, SQS, S3 and DynamoDB, without storage and logs.

    One SQS message is sent for each photo. Messages are received, hidden and deleted in batches.

    Args:
        seconds: the part of an invocation's duration that the photo takes.
        memory_mb: the memory of the function.
        thumbnails: the number of thumbnails that are stored.
        write_units: the write units of the item in the table and its three indexes.
        batch: the number of photos in an invocation.
    """
    compute = seconds * memory_mb / 1024 * PRICES["lambda_gb_s"]["x86_64"]
    requests = (PRICES["lambda_request"] + 3 * PRICES["sqs_request"]) / batch + PRICES["sqs_request"]
    buckets = thumbnails * PRICES["s3_put"] + PRICES["s3_get"]
    table = write_units * PRICES["dynamodb_write"] + PRICES["dynamodb_read"]
    return float(compute + requests + buckets + table)
