"""Define a picture for each function: its triggers, its work, its results, and the queue of failed events."""

from scripts.diagram_layout import Arrow, Box, Picture


def _picture(
    title: str, function: Box, triggers: tuple[Box, ...], results: tuple[Box, ...], failures: Box | None = None
) -> Picture:
    """Return a picture with the triggers above the function, the results below it, and failures beside it."""
    arrows = [Arrow(trigger.name, function.name) for trigger in triggers]
    arrows += [Arrow(function.name, result.name) for result in results]
    if failures is None:
        return Picture(title, (triggers, (function,), results), tuple(arrows))
    arrows.append(Arrow(function.name, failures.name, failure=True))
    return Picture(title, (triggers, (function, failures), results), tuple(arrows))


def _function(name: str, *steps: str, end: int = 4) -> Box:
    return Box(name, "Lambda", f"module.{name}", steps, (0, end))


def _failures(function: str, *lines: str) -> Box:
    """Return the function's own queue of failures."""
    return Box("failures", "SQS", f"module.{function}.failures_queue_arn", lines, (4, 6))


MAIL = Box("mail", "SES", "local.send_mail", ("if configured",))
NOTICES = Box("notices", "SNS", "aws_sns_topic.notices")

FUNCTIONS = {
    "thumbnailer": _picture(
        "The thumbnailer makes thumbnails and a catalog item of each photo",
        _function(
            "thumbnailer",
            "1. Is the event news?",
            "2. Is the file safe to open?",
            "3. Decode once, make all sizes",
            "4. Store the thumbnails",
            "5. Record the item",
            "6. Remove older thumbnails",
        ),
        (
            Box("uploads queue", "SQS", "module.uploads_queue", ("S3 notifications",)),
            Box("uploads", "S3", "module.uploads", ("the photo itself",)),
        ),
        (
            Box("thumbnails", "S3", "module.thumbnails", ("1280, 512, 128 px",)),
            Box("catalog", "DynamoDB", "aws_dynamodb_table.catalog", ("READY, REJECTED,", "DELETED")),
        ),
        Box("uploads-dlq", "SQS", "module.uploads_queue.dlq_arn", ("after 5", "attempts"), (4, 6)),
    ),
    "notifier": _picture(
        "The notifier announces each READY or REJECTED image once",
        _function(
            "notifier",
            "1. Has status or version changed?",
            "2. Claim the notice",
            "3. Send it",
            "4. Note that it is sent",
        ),
        (Box("catalog stream", "DynamoDB", "aws_dynamodb_table.catalog", ("READY or REJECTED",)),),
        (
            NOTICES,
            Box("mail", "SES", "local.send_mail", ("if REJECTED",)),
            Box("state", "DynamoDB", "aws_dynamodb_table.state", ("claims",)),
        ),
        _failures("notifier", "after 10", "retries"),
    ),
    "catalog_api": _picture(
        "catalog_api serves the catalog over HTTP",
        _function(
            "catalog_api",
            "1. Refuse what is not a valid request",
            "2. Read or change the catalog",
            "3. Sign links for uploads and downloads",
            "4. Answer each error with its reason",
            end=6,
        ),
        (
            Box("REST API", "API Gateway", "module.api", ("checks key or token",)),
            Box("inside the network", "load balancer", "aws_lb_listener.catalog", ("if switched on",)),
        ),
        (
            Box("catalog", "DynamoDB", "aws_dynamodb_table.catalog", ("images",)),
            Box("state", "DynamoDB", "aws_dynamodb_table.state", ("reports",)),
            Box("uploads", "S3", "module.uploads", ("deletions",)),
        ),
    ),
    "recoverer": _picture(
        "The recoverer answers an alarm with one limited action",
        _function(
            "recoverer",
            "1. Find the rule for the alarm",
            "2. Check limits and cool-down",
            "3. Remember the action, then act",
            "4. Report",
        ),
        (
            Box("alarms", "SNS", "aws_sns_topic.alarms", ("from CloudWatch",)),
            Box("every 5 minutes", "EventBridge", None, ("alarms still on",)),
        ),
        (
            Box("uploads queue", "SQS", "module.uploads_queue", ("redrive",)),
            Box("thumbnailer", "Lambda", "module.thumbnailer", ("concurrency,", "rollback")),
            Box("notices", "SNS", "aws_sns_topic.notices", ("reports",)),
        ),
        _failures("recoverer", "after 3", "attempts"),
    ),
    "converter": _picture(
        "The converter turns CSV and JSON into Parquet",
        _function(
            "converter",
            "1. Find encoding and columns",
            "2. Set bad rows aside",
            "3. Find a type for each column",
            "4. Write Parquet",
        ),
        (Box("raw", "S3", "module.raw", ("CSV, JSON, JSON lines",)),),
        (
            Box("analytics", "S3", "module.analytics", ("Parquet, bad rows,", "a manifest per file")),
            Box("tables", "Glue", "aws_glue_catalog_database.analytics", ("for Athena,", "if switched on")),
        ),
        _failures("converter", "after 3", "attempts"),
    ),
    "activity": _picture(
        "The activity function counts each view event once",
        _function(
            "activity",
            "1. Skip what was counted before",
            "2. Add up, move the checkpoint",
            "3. Write both in one transaction",
            "4. Hand back what is not counted",
        ),
        (Box("view events", "Kinesis", "aws_kinesis_stream.activity"),),
        (Box("counters", "DynamoDB", "aws_dynamodb_table.activity", ("checkpoints, invalid records",)),),
        _failures("activity", "after 20", "retries"),
    ),
    "digest": _picture(
        "The digest sums up each day",
        _function("digest", "1. Claim the day", "2. Count images and failures", "3. Send", "4. Note what is sent"),
        (
            Box("every day", "EventBridge", None),
            Box("catalog", "DynamoDB", "aws_dynamodb_table.catalog"),
            Box("failed events", "SQS", "local.dead_letters"),
        ),
        (
            NOTICES,
            MAIL,
            Box("state", "DynamoDB", "aws_dynamodb_table.state", ("claims",)),
        ),
        _failures("digest", "after 3", "attempts"),
    ),
}
