"""The Lambda handler, which takes a limited number of recovery actions after CloudWatch alarms and reports each."""

from typing import Any

from recoverer.ledger import Ledger
from recoverer.recovery import Recovery
from recoverer.reports import Reporter
from recoverer.responder import Responder
from recoverer.rules import parse_rules
from recoverer.settings import Settings
from recoverer.targets import Targets
from shared.clients import Clients, client
from shared.observability import with_metrics
from shared.settings import load

SETTINGS = load(Settings)
RULES = parse_rules(SETTINGS.rules, SETTINGS.concurrency_ceiling)


@with_metrics
def lambda_handler(event: dict[str, Any], _: object) -> dict[str, str]:
    """Handle the alarms of an event, and return the outcome by alarm name."""
    return responder(SETTINGS, client).handle(event)


def responder(settings: Settings, clients: Clients) -> Responder:
    """Return a Responder that acts with these clients."""
    recovery = Recovery(
        RULES,
        settings.limits,
        Ledger(clients("dynamodb"), settings.state_table),
        Targets(clients("sqs"), clients("lambda")),
        settings.dry_run,
    )
    reporter = Reporter(clients("sns"), settings.report_topic_arn)
    return Responder(recovery, reporter, clients("cloudwatch"), RULES, settings.report_topic_arn)
