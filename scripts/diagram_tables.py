"""Define the other pictures: all functions, the path of one event, the emulator, a backfill, and the trust border."""

from scripts.diagram_layout import Arrow, Box, Picture


def _function(name: str, columns: tuple[int, int] | None = None, *lines: str) -> Box:
    return Box(name, "Lambda", f"module.{name}", lines, columns)


def _architecture() -> Picture:
    """Return one row for each function: event, function, result."""
    flows = (
        (Box("uploads", "S3, SQS", "module.uploads"), "thumbnailer", Box("thumbnails", "S3", "module.thumbnails")),
        (
            Box("changes", "DynamoDB", "aws_dynamodb_table.catalog"),
            "notifier",
            Box("notices", "SNS", "aws_sns_topic.notices"),
        ),
        (
            Box("REST API", "API Gateway", "module.api"),
            "catalog_api",
            Box("catalog", "DynamoDB", "aws_dynamodb_table.catalog"),
        ),
        (Box("every day", "EventBridge", None), "digest", Box("summary", "SNS", "aws_sns_topic.notices")),
        (Box("alarms", "SNS", "aws_sns_topic.alarms"), "recoverer", Box("redrive", "SQS", "module.uploads_queue")),
        (Box("raw files", "S3", "module.raw"), "converter", Box("Parquet files", "S3", "module.analytics")),
        (
            Box("view events", "Kinesis", "aws_kinesis_stream.activity"),
            "activity",
            Box("counters", "DynamoDB", "aws_dynamodb_table.activity"),
        ),
    )
    headings = tuple(Box(name, "heading") for name in ("Event", "Function", "Result"))
    rows = tuple((event, _function(name), result) for event, name, result in flows)
    arrows = tuple(
        arrow for event, name, result in flows for arrow in (Arrow(event.name, name), Arrow(name, result.name))
    )
    return Picture(
        "Services raise events, functions do the work, and results go to the next service", (headings, *rows), arrows
    )


EVENT = Picture(
    "The path of one upload, and what happens when a step fails",
    (
        (Box("uploads", "S3", "module.uploads"),),
        (Box("uploads queue", "SQS", "module.uploads_queue"),),
        (_function("thumbnailer", (1, 5), "batches of up to 10 messages"),),
        (
            Box("READY", "DynamoDB, S3", "aws_dynamodb_table.catalog", ("item and", "thumbnails")),
            Box("REJECTED", "DynamoDB", "aws_dynamodb_table.catalog", ("item with", "the reason")),
            Box("uploads-dlq", "SQS", "module.uploads_queue.dlq_arn", ("kept for", "14 days")),
        ),
        (_function("notifier", (0, 4)), Box("alarms", "SNS", "aws_sns_topic.alarms", (), (4, 6))),
        (Box("notices", "SNS", "aws_sns_topic.notices", (), (0, 4)), _function("recoverer", (4, 6))),
    ),
    (
        Arrow("uploads", "uploads queue", "S3 notification"),
        Arrow("uploads queue", "thumbnailer"),
        Arrow("thumbnailer", "uploads queue", "error: try again", failure=True, lane="left 1"),
        Arrow("uploads queue", "uploads-dlq", "5 attempts failed", failure=True, lane="right 1"),
        Arrow("thumbnailer", "READY"),
        Arrow("thumbnailer", "REJECTED", "bad file", failure=True),
        Arrow("READY", "notifier"),
        Arrow("REJECTED", "notifier"),
        Arrow("notifier", "notices"),
        Arrow("uploads-dlq", "alarms", failure=True),
        Arrow("alarms", "recoverer"),
        Arrow("recoverer", "notices"),
        Arrow("recoverer", "uploads queue", "redrive", lane="right 2", label_low=True),
    ),
)

EMULATOR = Picture(
    "The inside of the emulator",
    (
        (Box("your programs", "Terraform, SDKs, AWS CLI, browser"),),
        (
            Box("request chain", "LocalStack, 127.0.0.1:4566", "server.py", ("reads service and operation",), (0, 4)),
            Box(
                "load balancers",
                "by host name",
                "load_balancers/gateway.py",
                ("and HTTP APIs", "call functions"),
                (4, 6),
            ),
        ),
        (
            Box(
                "IAM check",
                "each call",
                "iam/handler.py",
                ("role, boundary, session,", "resource and trust policies"),
                (0, 4),
            ),
            Box("403", "refused", "iam/records.py", ("listed by", "status"), (4, 6)),
        ),
        (
            Box(
                "services", "LocalStack", "patches", ("S3, SQS, SNS, Lambda, ...", "patched to behave like AWS"), (0, 4)
            ),
            Box("moto servers", "processes", "moto_server.py", ("DynamoDB,", "Kinesis"), (4, 6)),
        ),
        (
            Box("pollers", "mappings", "patches/lambda_event_sources.py", ("of queues", "and streams"), (0, 2)),
            Box(
                "executor",
                "execution environments",
                "executor/plugin.py",
                ("one for each invocation", "that runs at the same time"),
                (2, 6),
            ),
        ),
        (Box("Runtime API", "127.0.0.1", "executor/runtime_api.py", ("a port for each environment",), (2, 6)),),
        (
            Box(
                "your function",
                "Lambda, in its own process",
                "executor/supervisor.py",
                ("runs under AWS's runtime client,", "is frozen between invocations"),
                (0, 6),
            ),
        ),
    ),
    (
        Arrow("your programs", "request chain"),
        Arrow("request chain", "load balancers"),
        Arrow("request chain", "IAM check"),
        Arrow("IAM check", "403", failure=True),
        Arrow("IAM check", "services"),
        Arrow("services", "moto servers"),
        Arrow("services", "pollers", "messages"),
        Arrow("services", "executor", "invocations"),
        Arrow("pollers", "executor"),
        Arrow("executor", "Runtime API"),
        Arrow("Runtime API", "your function"),
        Arrow("your function", "request chain", "AWS calls as its role", lane="left 1", label_low=True),
    ),
)

BACKFILL = Picture(
    "A backfill sends objects that were there before",
    (
        (
            Box("uploads", "S3", "module.uploads"),
            Box("backfill", "Step Functions", "aws_sfn_state_machine.backfill", ("100 at a time",)),
        ),
        (_function("thumbnailer"), Box("uploads queue", "SQS", "module.uploads_queue")),
    ),
    (
        Arrow("uploads", "backfill"),
        Arrow("backfill", "uploads queue"),
        Arrow("uploads queue", "thumbnailer"),
    ),
)

TRUST = Picture(
    "Everything that crosses the dashed line is checked",
    (
        (Box("internet", "outside"), Box("own network", "outside"), Box("files", "outside")),
        (
            Box("REST API", "API Gateway", "module.api"),
            Box("listener", "load balancer", "aws_lb_listener.catalog"),
            Box("uploads", "S3", "module.uploads"),
        ),
        (_function("catalog_api", (0, 4)), Box("uploads queue", "SQS", "module.uploads_queue", (), (4, 6))),
        (_function("thumbnailer", (2, 6)),),
        (Box("catalog", "DynamoDB", "aws_dynamodb_table.catalog"), Box("thumbnails", "S3", "module.thumbnails")),
    ),
    (
        Arrow("internet", "REST API"),
        Arrow("own network", "listener"),
        Arrow("files", "uploads"),
        Arrow("REST API", "catalog_api"),
        Arrow("listener", "catalog_api"),
        Arrow("uploads", "uploads queue"),
        Arrow("uploads queue", "thumbnailer"),
        Arrow("catalog_api", "catalog"),
        Arrow("thumbnailer", "catalog"),
        Arrow("thumbnailer", "thumbnails"),
    ),
    trusted_after=1,
)

OVERVIEWS = {
    "architecture": _architecture(),
    "event": EVENT,
    "emulator": EMULATOR,
    "backfill": BACKFILL,
    "trust": TRUST,
}
