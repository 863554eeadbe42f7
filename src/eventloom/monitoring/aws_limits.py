"""Define AWS's published scaling rules and quotas, each with its source."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limit:
    """A limit with its unit and the page of AWS's documentation that states it."""

    value: float
    unit: str
    source: str


_LAMBDA = "https://docs.aws.amazon.com/lambda/latest/dg/"
_DYNAMODB = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/"

# An event source mapping of a standard queue starts with 5 concurrent invocations, adds 300 a minute, and reaches
# 1,250.
POLLERS_START = Limit(5, "invocations", _LAMBDA + "services-sqs-scaling.html")
POLLERS_PER_MINUTE = Limit(300, "invocations/min", _LAMBDA + "services-sqs-scaling.html")
POLLERS_MOST = Limit(1250, "invocations", _LAMBDA + "services-sqs-scaling.html")
ACCOUNT_CONCURRENCY = Limit(1000, "environments", _LAMBDA + "gettingstarted-limits.html")
# Event source mappings scale more slowly than this, so the pipeline never reaches this limit.
ENVIRONMENTS_PER_10_S = Limit(1000, "environments/10 s and function", _LAMBDA + "scaling-behavior.html")
# The capacity of a new on-demand table. Later the capacity is twice the previous peak, up to the account's quota.
# A peak counts after half an hour.
TABLE_WRITES_START = Limit(4000, "write units/s", _DYNAMODB + "on-demand-capacity-mode.html")
TABLE_DOUBLES_AFTER = Limit(1800, "s", _DYNAMODB + "on-demand-capacity-mode.html")
TABLE_WRITES_MOST = Limit(40_000, "write units/s", _DYNAMODB + "ServiceQuotas.html")
# All items with the same partition key of an index are in one partition. Their sort key is a time, so new items are
# always written at the end, and splitting the partition does not distribute the writes. When an index cannot keep up,
# DynamoDB throttles the writes to its table:
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/gsi-throttling.html
INDEX_PARTITION_WRITES = Limit(1000, "write units/s and partition", _DYNAMODB + "bp-partition-key-design.html")
BUCKET_PUTS = Limit(
    3500, "PUT/s and prefix", "https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html"
)
