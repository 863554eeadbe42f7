"""AWS's published scaling rules and quotas, each with the page it is from. Change a number here when the page does."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limit:
    """A number and the page that says it."""

    value: float
    unit: str
    source: str


_LAMBDA = "https://docs.aws.amazon.com/lambda/latest/dg/"
_DYNAMODB = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/"

# An event source mapping of a standard queue begins with 5 concurrent invocations, adds 300 a minute, and has at most 1,250
POLLERS_START = Limit(5, "invocations", _LAMBDA + "services-sqs-scaling.html")
POLLERS_PER_MINUTE = Limit(300, "invocations/min", _LAMBDA + "services-sqs-scaling.html")
POLLERS_MOST = Limit(1250, "invocations", _LAMBDA + "services-sqs-scaling.html")
ACCOUNT_CONCURRENCY = Limit(1000, "environments", _LAMBDA + "gettingstarted-limits.html")
# Faster than any event source mapping grows, so that it never binds here
ENVIRONMENTS_PER_10_S = Limit(1000, "environments/10 s and function", _LAMBDA + "scaling-behavior.html")
# A new on-demand table takes so many; then twice what it took half an hour before, up to the account's quota for a table
TABLE_WRITES_START = Limit(4000, "write units/s", _DYNAMODB + "on-demand-capacity-mode.html")
TABLE_DOUBLES_AFTER = Limit(1800, "s", _DYNAMODB + "on-demand-capacity-mode.html")
TABLE_WRITES_MOST = Limit(40_000, "write units/s", _DYNAMODB + "ServiceQuotas.html")
# Whatever the table can take: one key's items are one partition's, whose end alone takes items in the order of time, so that splitting
# it for heat spreads nothing. An index that can't keep up has writes to its table refused:
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/gsi-throttling.html
INDEX_PARTITION_WRITES = Limit(1000, "write units/s and partition", _DYNAMODB + "bp-partition-key-design.html")
BUCKET_PUTS = Limit(3500, "PUT/s and prefix", "https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html")
