"""Read and change the targets of rules: queues, event source mappings and aliases."""

from datetime import datetime
from typing import Any

from recoverer.decisions import Action, EventSource, Facts, Queue, Release, Unversioned
from recoverer.rules import Redrive, Relieve, Rollback, Rule


class Targets:
    """The targets in SQS and Lambda. Botocore's errors pass through."""

    def __init__(self, sqs: Any, functions: Any) -> None:
        """`sqs` and `functions` are low-level clients of SQS and Lambda."""
        self._sqs = sqs
        self._lambda = functions

    def facts(self, rule: Rule) -> Facts:
        """Return the facts about the target on which a decision by `rule` depends."""
        match rule:
            case Redrive():
                return self._queue(rule)
            case Relieve():
                mapping = self._lambda.get_event_source_mapping(UUID=rule.mapping_id)
                return EventSource((mapping.get("ScalingConfig") or {}).get("MaximumConcurrency"))
            case Rollback():
                return self._release(rule)

    def act(self, rule: Rule, action: Action) -> None:
        """Carry out an action."""
        match rule:
            case Redrive():
                self._sqs.start_message_move_task(SourceArn=rule.dlq_arn, MaxNumberOfMessagesPerSecond=action.value)
            case Relieve():
                self._lambda.update_event_source_mapping(
                    UUID=rule.mapping_id, ScalingConfig={"MaximumConcurrency": action.value}
                )
            case Rollback():
                unchanged = {"RevisionId": action.only_at} if action.only_at else {}
                self._lambda.update_alias(
                    FunctionName=rule.function_name,
                    Name=rule.alias,
                    FunctionVersion=str(action.value),
                    RoutingConfig={"AdditionalVersionWeights": {}},
                    **unchanged,
                )

    def _queue(self, rule: Redrive) -> Queue:
        tasks = self._sqs.list_message_move_tasks(SourceArn=rule.dlq_arn, MaxResults=1).get("Results", [])
        account, name = rule.dlq_arn.split(":")[-2:]
        url = self._sqs.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)["QueueUrl"]
        attributes = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])[
            "Attributes"
        ]
        is_moving = any(task["Status"] in ("RUNNING", "CANCELLING", "CREATED") for task in tasks)
        return Queue(int(attributes["ApproximateNumberOfMessages"]), is_moving)

    def _release(self, rule: Rollback) -> Release | Unversioned:
        alias = self._lambda.get_alias(FunctionName=rule.function_name, Name=rule.alias)
        if alias["FunctionVersion"] == "$LATEST":
            return Unversioned()
        weights = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
        canary = max((int(version) for version in weights), default=None)
        version = int(alias["FunctionVersion"])
        newest = str(max(version, canary or 0))
        pages = self._lambda.get_paginator("list_versions_by_function").paginate(FunctionName=rule.function_name)
        published = {
            entry["Version"]: entry for page in pages for entry in page["Versions"] if entry["Version"].isdecimal()
        }
        published_at = datetime.fromisoformat(published[newest]["LastModified"]).timestamp()
        versions = tuple(sorted(int(name) for name in published))
        return Release(version, canary, published_at, versions, alias.get("RevisionId", ""))
