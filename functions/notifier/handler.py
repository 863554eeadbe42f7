"""Changes of the catalog, from its DynamoDB stream, become notices by SNS and mail."""

from typing import Any

from notifier.announcer import Announcer
from notifier.channels import Channel, Mail, Topic
from notifier.claims import Claims
from notifier.settings import Settings
from shared.clients import client
from shared.deadline import Deadline, LambdaContext
from shared.observability import MetricUnit, metrics, with_metrics
from shared.settings import load

SETTINGS = load(Settings)


@with_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Announce a batch; what has to come again is reported by the first sequence number, so that the shard's order is kept."""
    claims = Claims(client("dynamodb"), SETTINGS.state_table, SETTINGS.lease_s, SETTINGS.keep_days)
    channels: list[Channel] = [Topic(client("sns"), SETTINGS.topic_arn)]
    if SETTINGS.sender:
        channels.append(Mail(client("ses"), SETTINGS.sender, SETTINGS.mail_recipients))
    metrics.add_metric("Records", MetricUnit.Count, len(event["Records"]))
    again = Announcer(claims, channels).process(event["Records"], Deadline(context))
    return {"batchItemFailures": [] if again is None else [{"itemIdentifier": again}]}
