"""The lock on an environment's state: an object beside the state, which Terraform creates with `use_lockfile`.

https://developer.hashicorp.com/terraform/language/backend/s3#state-locking
"""

import json
from dataclasses import dataclass

from eventloom.clouds import client
from eventloom.deployment import state_bucket


@dataclass(frozen=True)
class Lock:
    """Who holds the state, as Terraform wrote it down."""

    lock_id: str
    who: str
    operation: str
    created: str

    def facts(self) -> dict[str, str]:
        """Return the fields for JSON."""
        return {"id": self.lock_id, "who": self.who, "operation": self.operation, "created": self.created}


def _object_key(environment: str) -> str:
    return f"env:/{environment}/{state_bucket.KEY}.tflock"


def read(environment: str) -> Lock | None:
    """Return the lock of an environment, None if its state is free or there is no state bucket."""
    bucket = state_bucket.bucket_name()
    if not state_bucket.exists(bucket):
        return None
    s3 = client("s3")
    try:
        content = json.loads(s3.get_object(Bucket=bucket, Key=_object_key(environment))["Body"].read())
    except s3.exceptions.NoSuchKey:
        return None
    return Lock(content.get("ID", ""), content.get("Who", ""), content.get("Operation", ""), content.get("Created", ""))


def remove(environment: str) -> None:
    """Delete the lock. A run that still works on the state then shares it with the next run."""
    client("s3").delete_object(Bucket=state_bucket.bucket_name(), Key=_object_key(environment))
