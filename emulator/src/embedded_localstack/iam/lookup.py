"""Look up roles, sessions and resource policies in LocalStack and moto."""
# mypy: disable-error-code="import-not-found, import-untyped"

import contextlib
import json
from typing import Any

from localstack.services.dynamodb.models import dynamodb_stores
from localstack.services.dynamodb.utils import SchemaExtractor
from localstack.services.events.models import events_stores
from localstack.services.kms.models import kms_stores
from localstack.services.lambda_.invocation.models import lambda_stores
from localstack.services.s3.models import S3DeleteMarker, s3_stores
from localstack.services.s3.utils import get_unique_key_id
from localstack.services.sns.models import sns_stores
from localstack.services.sqs.models import sqs_stores
from moto.iam.models import iam_backends
from moto.logs.models import logs_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.ses.models import ses_backends

from embedded_localstack.iam.actions_lambda import unqualified
from embedded_localstack.iam.callers import Caller
from embedded_localstack.iam.decide import Policy, RolePolicies
from embedded_localstack.iam.grants import with_grants
from embedded_localstack.iam.key_lookup import PARTITION, KeyFacts, account_of

__all__ = ["PARTITION", "LocalStackFacts", "account_of", "policy_name"]

POLICY_KINDS = {
    "sqs": "queue policy",
    "sns": "topic policy",
    "lambda": "permissions (aws_lambda_permission)",
    "s3": "bucket policy",
    "kms": "key policy",
    "secretsmanager": "secret policy",
    "events": "event bus policy",
    "logs": "resource policies of CloudWatch Logs",
}


def policy_name(arn: str) -> str:
    """Return the name of a resource's policy in messages, such as "queue policy of uploads"."""
    service = arn.split(":")[2] if arn.startswith("arn:") else ""
    return f"{POLICY_KINDS.get(service, 'resource policy')} of {_short(service, arn)}"


class LocalStackFacts(KeyFacts):
    """The state of LocalStack and moto: implements `request.Facts` and `encryption.Keys`, and looks up policies.

    A resource that does not exist is None; the operation itself reports that it is missing.
    """

    # -- request.Facts

    def redrive_sources(self, dead_letter_arn: str) -> list[str]:
        """Return the ARNs of the queues that use this dead-letter queue."""
        queue_arns = []
        for queue in sqs_stores[self.account][self.region].queues.values():
            redrive = queue.attributes.get("RedrivePolicy")
            if redrive and json.loads(redrive).get("deadLetterTargetArn") == dead_letter_arn:
                queue_arns.append(queue.arn)
        return queue_arns

    def redrive_allow_policy(self, queue_arn: str) -> str | None:
        """Return the RedriveAllowPolicy of a queue, if it has one."""
        queue = _queue(queue_arn)
        return queue.attributes.get("RedriveAllowPolicy") if queue else None

    def hash_key(self, table_arn: str, index: str | None = None) -> str | None:
        """Return the name of the partition key of a table, or of an index of the table."""
        name = table_arn.rpartition("/")[2]
        table = dynamodb_stores[self.account][self.region].table_definitions.get(name) or {}
        if index and table:
            # The definition is that of CreateTable. The description has the indexes of UpdateTable too.
            table = SchemaExtractor.get_table_schema(name, self.account, self.region)["Table"]
        indexes = [*(table.get("GlobalSecondaryIndexes") or []), *(table.get("LocalSecondaryIndexes") or [])]
        described = next((item for item in indexes if item["IndexName"] == index), {}) if index else table
        return next((key["AttributeName"] for key in described.get("KeySchema", []) if key["KeyType"] == "HASH"), None)

    def mapping_function(self, uuid: str) -> str | None:
        """Return the ARN of the function of an event source mapping."""
        mapping = lambda_stores[self.account][self.region].event_source_mappings.get(uuid)
        return mapping.get("FunctionArn") if mapping else None

    def identity(self, address: str) -> str:
        """Return the verified SES identity of a sender's address: the address itself, or otherwise its domain."""
        identities = ses_backends[self.account][self.region].email_identities
        domain = address.rpartition("@")[2]
        return address if address in identities or domain not in identities else domain

    def has_tags(self, bucket: str, key: str, version: str) -> bool:
        """Return whether an object has tags."""
        stored = self._stored(bucket, key, version)
        identifier = get_unique_key_id(bucket, key, getattr(stored, "version_id", None))
        owner = account_of(f"arn:{PARTITION}:s3:::{bucket}", self.account)
        return bool(stored and s3_stores[owner]["us-east-1"].tags.get_tags(identifier))

    # -- roles

    def role_policies(self, role_name: str, caller: Caller | None = None) -> RolePolicies:
        """Return the policies that grant permissions to a session of the role, and those that limit it.

        A session outlives its role. It then has no permissions, also if another role has the name of the deleted one.
        """
        backend = iam_backends[self.account][PARTITION]
        role = next((role for role in backend.roles.values() if role.name == role_name), None)
        if role is None or (caller and caller.role_id not in ("", role.id)):
            return RolePolicies(f"arn:{PARTITION}:iam::{self.account}:role/{role_name}", (), gone=True)
        granted = [Policy(f"role policy {name}", _text(document)) for name, document in role.policies.items()]
        granted += [
            Policy(f"policy {policy.name}", _default_version(policy)) for policy in role.managed_policies.values()
        ]
        boundary = role.permissions_boundary_arn
        session = [
            self._managed(f"session policy {arn}", arn) for arn in (caller.session_policy_arns if caller else ())
        ]
        if caller and caller.session_policy:
            session.append(Policy("session policy", caller.session_policy))
        return RolePolicies(
            role.arn,
            tuple(granted),
            self._managed(f"permissions boundary {boundary.rpartition('/')[2]}", boundary) if boundary else None,
            tuple(session),
        )

    def _managed(self, name: str, arn: str) -> Policy:
        """Return a managed policy that limits a session. One that does not exist allows nothing."""
        policy = iam_backends[self.account][PARTITION].managed_policies.get(arn)
        if policy is None:
            return Policy(f"{name}, which does not exist", json.dumps({"Version": "2012-10-17", "Statement": []}))
        return Policy(name, _default_version(policy))

    def trust_policy(self, role_arn: str) -> Policy | None:
        """Return the trust policy of a role."""
        name = role_arn.rpartition("/")[2]
        backend = iam_backends[account_of(role_arn, self.account)][PARTITION]
        role = next((role for role in backend.roles.values() if role.name == name), None)
        return Policy(f"trust policy of role {name}", _text(role.assume_role_policy_document)) if role else None

    def state_machines_with_role(self, role_arn: str) -> list[str]:
        """Return the ARNs of the state machines that use the role: Step Functions assumes it on their behalf."""
        from localstack.services.stepfunctions.backend.store import sfn_stores  # noqa: PLC0415 - takes long

        machines = sfn_stores[self.account][self.region].state_machines
        return [arn for arn, machine in list(machines.items()) if getattr(machine, "role_arn", None) == role_arn]

    def functions_named(self, name: str) -> list[str]:
        """Return the ARN of the function with this name, if it exists: Lambda names a session after the function."""
        return [self._function_arn(name)] if name in lambda_stores[self.account][self.region].functions else []

    def _function_arn(self, name: str) -> str:
        return f"arn:{PARTITION}:lambda:{self.region}:{self.account}:function:{name}"

    def execution_role(self, function_arn: str) -> str | None:
        """Return the execution role of a function, version or alias."""
        function = lambda_stores[self.account][self.region].functions.get(function_arn.split(":")[6])
        version = function.latest() if function else None
        return str(version.config.role) if version else None

    # -- resources

    def timeout(self, function_arn: str) -> int | None:
        """Return the timeout of a function, version or alias, in seconds."""
        _, name, qualifier = f"{function_arn.split(':', 5)[5]}:$LATEST".split(":")[:3]
        function = lambda_stores[self.account][self.region].functions.get(name)
        alias = function.aliases.get(qualifier) if function else None
        version = function.versions.get(alias.function_version if alias else qualifier) if function else None
        return int(version.config.timeout) if version else None

    def visibility_timeout(self, queue_arn: str) -> int | None:
        """Return the visibility timeout of a queue, in seconds."""
        queue = _queue(queue_arn)
        return int(queue.attributes["VisibilityTimeout"]) if queue else None

    def resource_policy(self, arn: str) -> Policy | None:
        """Return the policy attached to a resource, or to the resource that contains it."""
        service = arn.split(":")[2] if arn.startswith("arn:") else ""
        finder = getattr(self, f"_{service}_policy", None)
        document = None
        if finder:
            with contextlib.suppress(KeyError, AttributeError, IndexError):
                document = finder(arn)
        if not document:
            return None
        return Policy(policy_name(arn), _text(document))

    def object_exists(self, bucket: str, key: str) -> bool:
        """Return whether an object exists. A key whose newest version is a delete marker does not."""
        s3_bucket = self._bucket(bucket)
        newest = s3_bucket.objects.get(key) if s3_bucket else None
        return bool(newest) and not isinstance(newest, S3DeleteMarker)

    def _sqs_policy(self, arn: str) -> Any:
        _, _, _, region, account, name = arn.split(":", 5)
        return sqs_stores[account][region].queues[name].attributes.get("Policy")

    def _sns_policy(self, arn: str) -> Any:
        _, _, _, region, account, _ = arn.split(":", 5)
        attributes = sns_stores[account][region].topics[arn]["attributes"]
        return attributes.get("policy") or attributes.get("Policy")

    def _lambda_policy(self, arn: str) -> Any:
        parts = arn.split(":")
        function = lambda_stores[parts[4]][parts[3]].functions[parts[6]]
        attached = function.permissions.get(parts[7] if len(parts) > 7 else "$LATEST")
        return {"Version": attached.policy.Version, "Statement": attached.policy.Statement} if attached else None

    def _s3_policy(self, arn: str) -> Any:
        name = arn.split(":", 5)[5].partition("/")[0]
        return s3_stores[account_of(arn, self.account)]["us-east-1"].buckets[name].policy

    def _kms_policy(self, arn: str) -> Any:
        _, _, _, region, account, _ = arn.split(":", 5)
        key_id = arn.rpartition("/")[2]
        policy = kms_stores[account][region].keys[key_id].policy
        # LocalStack keeps a grant with the account that makes it, which need not be the key's.
        stored = [grant.metadata for other in list(kms_stores) for grant in kms_stores[other][region].grants.values()]
        grants = [grant for grant in stored if grant.get("KeyId") == key_id]
        return with_grants(json.loads(policy), grants) if grants else policy

    def _events_policy(self, arn: str) -> Any:
        _, _, _, region, account, _ = arn.split(":", 5)
        return events_stores[account][region].event_buses[arn.rpartition("/")[2]].policy

    def _secretsmanager_policy(self, arn: str) -> Any:
        secret: Any = secretsmanager_backends[arn.split(":")[4]][self.region].secrets[arn]
        return secret.policy

    def _logs_policy(self, _: str) -> Any:
        policies = logs_backends[self.account][self.region].resource_policies.values()
        statements = [statement for policy in policies for statement in json.loads(policy.policy_document)["Statement"]]
        return {"Version": "2012-10-17", "Statement": statements} if statements else None


def _queue(arn: str) -> Any:
    _, _, _, region, account, name = arn.split(":", 5)
    return sqs_stores[account][region].queues.get(name)


def _default_version(policy: Any) -> str:
    return _text(next(version.document for version in policy.versions if version.is_default))


def _text(document: Any) -> str:
    return document if isinstance(document, str) else json.dumps(document)


def _short(service: str, arn: str) -> str:
    if service == "lambda":
        return unqualified(arn).rpartition(":")[2] + arn.removeprefix(unqualified(arn))
    return arn.split(":", 5)[-1].partition("/")[0] if service == "s3" else arn.rpartition(":")[2]
