"""Permissions on customer managed keys that operations on encrypted data need.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html,
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html,
https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
"""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from embedded_localstack.iam.actions_s3 import copy_source
from embedded_localstack.iam.request import Check, text

WRITE, READ = "kms:GenerateDataKey", "kms:Decrypt"
MESSAGES = {
    "SendMessage": (WRITE, READ),
    "SendMessageBatch": (WRITE, READ),
    "ReceiveMessage": (READ,),
    "Publish": (WRITE, READ),
    "PublishBatch": (WRITE, READ),
}
WRITES = {"PutObject": (WRITE,), "PostObject": (WRITE,), "CopyObject": (WRITE,), "CreateMultipartUpload": (WRITE, READ)}


class Keys(Protocol):
    """A lookup of customer managed keys. Its methods return None for a key that AWS owns or manages."""

    account: str
    region: str

    def message_key(self, arn: str) -> str | None:
        """Return the key of a queue or topic."""

    def object_key(self, bucket: str, key: str, version: str) -> str | None:
        """Return the key of an existing object."""

    def new_object_key(self, params: Mapping[str, Any]) -> str | None:
        """Return the key of the object that a request creates."""


def checks(service: str, operation: str, resource: str, params: Mapping[str, Any], facts: Keys) -> list[Check]:
    """Return the permissions on keys that an operation on a resource needs."""
    keys = {"kms:viaservice": f"{service}.{facts.region}.amazonaws.com", "kms:calleraccount": facts.account}
    needed = _objects(operation, params, facts) if service == "s3" else _messages(service, operation, resource, facts)
    return [Check(action, key, keys) for key, actions in needed if key for action in actions]


def _messages(service: str, operation: str, arn: str, facts: Keys) -> Iterator[tuple[str | None, tuple[str, ...]]]:
    if service in ("sqs", "sns") and operation in MESSAGES:
        yield facts.message_key(arn), MESSAGES[operation]


def _objects(operation: str, params: Mapping[str, Any], facts: Keys) -> Iterator[tuple[str | None, tuple[str, ...]]]:
    if operation == "GetObject":
        yield (
            facts.object_key(text(params.get("Bucket")), text(params.get("Key")), text(params.get("VersionId"))),
            (READ,),
        )
    if operation in ("CopyObject", "UploadPartCopy"):
        yield facts.object_key(*copy_source(params.get("CopySource"))), (READ,)
    if operation in WRITES:
        yield facts.new_object_key(params), WRITES[operation]
