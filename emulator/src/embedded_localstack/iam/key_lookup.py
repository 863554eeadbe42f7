"""Look up KMS keys, the keys of encrypted resources, and secrets in LocalStack and moto."""
# mypy: disable-error-code="import-not-found, import-untyped"

from collections.abc import Mapping
from typing import Any

from localstack.services.kms.models import kms_stores
from localstack.services.s3.models import KeyStore, VersionedKeyStore, s3_stores
from localstack.services.sns.models import sns_stores
from localstack.services.sqs.models import sqs_stores
from moto.secretsmanager.models import secretsmanager_backends

from embedded_localstack.iam.request import text

PARTITION = "aws"


class KeyFacts:
    """The keys and secrets of an account and a region: implements `encryption.Keys` and a part of `request.Facts`."""

    def __init__(self, account: str, region: str) -> None:
        self.account, self.region = account, region

    def key_arn(self, key_id: str) -> str:
        """Return the ARN of a KMS key, given as key ID, key ARN, alias name or alias ARN.

        A key ID that the account does not have may be one of another account, as in a ciphertext.
        """
        region, account, name = self.region, self.account, key_id
        if key_id.startswith("arn:"):
            _, _, _, region, account, name = f"{key_id}:::::".split(":")[:6]
        name = name.removeprefix("key/")
        if name.startswith("alias/"):
            alias = kms_stores[account][region].aliases.get(name)
            name = alias.metadata["TargetKeyId"] if alias else name
        elif name == key_id and name not in kms_stores[account][region].keys:
            account = next((other for other in list(kms_stores) if name in kms_stores[other][region].keys), account)
        return f"arn:{PARTITION}:kms:{region}:{account}:key/{name}"

    def secret_arn(self, secret_id: str) -> str:
        """Return the ARN of a secret, given as name, ARN or ARN without its six random characters."""
        owner = secret_id.split(":")[4] if secret_id.startswith("arn:") else self.account
        secret = secretsmanager_backends[owner][self.region].secrets.get(secret_id)
        name = secret_id.rpartition(":secret:")[2]
        return str(secret.arn) if secret else f"arn:{PARTITION}:secretsmanager:{self.region}:{owner}:secret:{name}"

    # -- encryption.Keys

    def message_key(self, arn: str) -> str | None:
        """Return the customer managed key of a queue or topic."""
        _, _, service, region, account, name = f"{arn}:::::".split(":")[:6]
        if service == "sqs":
            queue = sqs_stores[account][region].queues.get(name)
            return self._customer_key(queue.attributes.get("KmsMasterKeyId")) if queue else None
        topic = sns_stores[account][region].topics.get(arn) if service == "sns" else None
        return self._customer_key(topic["attributes"].get("KmsMasterKeyId")) if topic else None

    def object_key(self, bucket: str, key: str, version: str) -> str | None:
        """Return the customer managed key of an existing object."""
        return self._customer_key(getattr(self._stored(bucket, key, version), "kms_key_id", None))

    def new_object_key(self, params: Mapping[str, Any]) -> str | None:
        """Return the customer managed key of a new object: the key in the request, or the bucket's default key."""
        s3_bucket = self._bucket(text(params.get("Bucket")))
        rule = (s3_bucket.encryption_rule or {}).get("ApplyServerSideEncryptionByDefault", {}) if s3_bucket else {}
        if not (params.get("ServerSideEncryption") or rule.get("SSEAlgorithm", "")).startswith("aws:kms"):
            return None
        return self._customer_key(params.get("SSEKMSKeyId") or rule.get("KMSMasterKeyID"))

    def _customer_key(self, key_id: str | None) -> str | None:
        """Return the ARN of a customer managed key.

        An AWS managed key gives None, because everybody who may use the service may use that key.
        """
        if (
            not key_id
            or "alias/aws/" in key_id
            or key_id == s3_stores[self.account][self.region].aws_managed_kms_key_id
        ):
            return None
        return self.key_arn(key_id)

    def _stored(self, bucket: str, key: str, version: str) -> Any:
        s3_bucket = self._bucket(bucket)
        objects = s3_bucket.objects if s3_bucket else KeyStore()
        return objects.get(key, version) if version and isinstance(objects, VersionedKeyStore) else objects.get(key)

    def _bucket(self, name: str) -> Any:
        return s3_stores[account_of(f"arn:{PARTITION}:s3:::{name}", self.account)]["us-east-1"].buckets.get(name)


def account_of(arn: str, default: str) -> str:
    """Return the account that owns a resource. The ARN of a bucket or object does not contain it."""
    parts = arn.split(":", 5)
    if len(parts) == 6 and parts[4]:
        return parts[4]
    return str(s3_stores[default]["us-east-1"].global_bucket_map.get(parts[-1].partition("/")[0]) or default)
