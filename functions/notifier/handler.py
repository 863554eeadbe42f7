"""The Lambda handler, which sends notices by SNS and mail for changes in the catalog's DynamoDB stream."""

from typing import Any

from notifier.announcer import Announcer
from notifier.channels import Channel, Mail, Topic
from notifier.malformed import MalformedRecords
from notifier.settings import Settings
from shared.claims import Claims
from shared.clients import Clients, client
from shared.deadline import Deadline, LambdaContext
from shared.observability import MetricUnit, metrics, with_metrics
from shared.settings import load

SETTINGS = load(Settings)


@with_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Announce a batch. The response names the first record that Lambda must retry, so that the order is kept."""
    metrics.add_metric("Records", MetricUnit.Count, len(event["Records"]))
    failed = announcer(SETTINGS, client).process(event["Records"], Deadline(context))
    return {"batchItemFailures": [] if failed is None else [{"itemIdentifier": failed}]}


def announcer(settings: Settings, clients: Clients) -> Announcer:
    """Return an Announcer with the configured channels."""
    dynamodb = clients("dynamodb")
    channels: list[Channel] = [Topic(clients("sns"), settings.topic_arn)]
    if settings.sender:
        channels.append(Mail(clients("ses"), settings.sender, settings.recipients))
    claims = Claims(dynamodb, settings.state_table, "notice", settings.lease_s, settings.keep_days)
    return Announcer(claims, MalformedRecords(dynamodb, settings.state_table, settings.keep_days), channels)
