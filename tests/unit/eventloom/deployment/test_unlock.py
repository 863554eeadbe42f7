"""`./eventloom unlock` shows who holds the state, and removes the lock when asked to."""

import json

from eventloom.clouds import client
from eventloom.deployment import state_bucket
from tests.unit.eventloom.deployment.conftest import BUCKET, FakeTerraform, typed

KEY = f"env:/dev/{state_bucket.KEY}.tflock"
LOCK = {"ID": "9db590f1", "Operation": "OperationTypeApply", "Who": "ada@laptop", "Created": "2026-11-30T09:00:00Z"}


def lock() -> None:
    client("s3").put_object(Bucket=BUCKET, Key=KEY, Body=json.dumps(LOCK).encode())


def is_locked() -> bool:
    return client("s3").list_objects_v2(Bucket=BUCKET, Prefix=KEY)["KeyCount"] == 1


def test_a_free_state_is_reported(terraform: FakeTerraform) -> None:
    result = typed("unlock", "--env", "dev")
    assert (result.exit_code, result.stdout) == (0, "the state of 'dev' is not locked\n")


def test_without_yes_the_lock_is_shown_and_stays(terraform: FakeTerraform) -> None:
    lock()
    result = typed("unlock", "--env", "dev")
    assert result.exit_code == 1
    assert "locked by ada@laptop since 2026-11-30T09:00:00Z (OperationTypeApply, id 9db590f1)" in result.stderr
    assert is_locked()


def test_with_yes_the_lock_is_removed(terraform: FakeTerraform) -> None:
    lock()
    result = typed("unlock", "--env", "dev", "--yes", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["removed"]["who"] == "ada@laptop"
    assert not is_locked()
