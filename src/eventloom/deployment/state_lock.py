"""Read and remove the lock on an environment's state.

Terraform's setting `use_lockfile` stores the lock as an S3 object beside the state:
https://developer.hashicorp.com/terraform/language/backend/s3#state-locking
"""

import json
from dataclasses import dataclass

from eventloom.clouds import client
from eventloom.deployment import state_bucket


@dataclass(frozen=True)
class Lock:
    """The lock on a state: its id, who holds it, the operation and the time, as Terraform recorded them."""

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
    """Return the lock of an environment, or None if its state is not locked or there is no state bucket."""
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
    """Delete the lock. If its holder is still running, another run may then overwrite its changes to the state."""
    client("s3").delete_object(Bucket=state_bucket.bucket_name(), Key=_object_key(environment))
