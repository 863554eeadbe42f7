"""The Lambda handler, which sends the summary of the previous day once, by mail and SNS. A schedule invokes it."""

from typing import Any

from digest.catalog import Catalog
from digest.channels import Channel, Mail, Notice
from digest.queues import Queues
from digest.sender import Sender
from digest.settings import Settings
from shared.claims import Claims
from shared.clients import Clients, client
from shared.deadline import Deadline, LambdaContext
from shared.observability import with_metrics
from shared.settings import load

SETTINGS = load(Settings)


@with_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Send the digest of a day. After a temporary error, which it raises, a retry uses only the other channels."""
    return sender(SETTINGS, client, Deadline(context)).send(event, context.aws_request_id)


def sender(settings: Settings, clients: Clients, deadline: Deadline) -> Sender:
    """Return a Sender with the configured channels. The lease of its claim ends with the invocation."""
    dynamodb = clients("dynamodb")
    channels: list[Channel] = []
    if settings.sender:
        channels.append(Mail(clients("ses"), settings.sender, settings.recipients, settings.environment))
    if settings.topic_arn:
        channels.append(Notice(clients("sns"), settings.topic_arn, settings.environment))
    return Sender(
        Catalog(dynamodb, settings.catalog_table, deadline),
        Queues(clients("sqs"), settings.dlq_urls),
        channels,
        Claims(dynamodb, settings.state_table, "digest", deadline.remaining_s() + 1, settings.keep_days),
        settings.limits,
    )
