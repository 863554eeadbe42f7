"""If a permission of a deployment is removed or widened, a test fails and names the cause."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from eventloom import clouds
from eventloom.clouds import client
from tests.embedded import launch
from tests.iam import matrix

pytestmark = pytest.mark.timeout(1800)

PREFIX = "eventloom-local"
PYTHON = str(clouds.BUILD / "venv/dev/bin/python")


def run(test: str, *options: str, patience_s: int = 15) -> tuple[int, str]:
    """Run an integration test, and return pytest's exit code and output."""
    command = [PYTHON, "-m", "pytest", "-q", f"tests/integration/{test}", *options]
    environment = os.environ | {"TIMEOUT_S": str(patience_s)}
    process = subprocess.run(
        command,
        cwd=clouds.ROOT,
        env=environment,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return process.returncode, process.stdout


@pytest.fixture(scope="module", autouse=True)
def deployed() -> Iterator[None]:
    """Provide a deployment: that of test_proof.py if this has just run."""
    code, output = run("test_infrastructure.py::test_uploads_keep_their_versions", "--keep", patience_s=45)
    assert code == 0, output
    yield
    launch("down", clouds.chosen_cloud().port, "--forget")


@contextmanager
def without(function: str, policy: str, action: str) -> Iterator[None]:
    """Remove an action from a role's policy, and restore it afterwards."""
    iam, names = client("iam"), {"RoleName": f"{PREFIX}-{function}", "PolicyName": policy}
    before = iam.get_role_policy(**names)["PolicyDocument"]
    statements = []
    for statement in before["Statement"]:
        if actions := [name for name in statement["Action"] if name != action]:
            statements.append({**statement, "Action": actions})
    after = {**before, "Statement": statements}
    assert after != before
    iam.put_role_policy(**names, PolicyDocument=json.dumps(after))
    try:
        yield
    finally:
        iam.put_role_policy(**names, PolicyDocument=json.dumps(before))


@contextmanager
def permission_for(function: str, statement: str, source_arn: str) -> Iterator[None]:
    """Change the source of an invoke permission, and restore it afterwards."""
    lambda_, names = (
        client("lambda"),
        {"FunctionName": f"{PREFIX}-{function}", "Qualifier": "live", "StatementId": statement},
    )
    policy = json.loads(lambda_.get_policy(FunctionName=names["FunctionName"], Qualifier="live")["Policy"])
    before = next(entry for entry in policy["Statement"] if entry["Sid"] == statement)
    source = before["Condition"]["ArnLike"]["AWS:SourceArn"]
    rest = {
        "Action": before["Action"],
        "Principal": before["Principal"]["Service"],
        "SourceAccount": before["Condition"]["StringEquals"]["AWS:SourceAccount"],
    }
    lambda_.remove_permission(**names)
    lambda_.add_permission(**names, **rest, SourceArn=source_arn)
    try:
        yield
    finally:
        lambda_.remove_permission(**names)
        lambda_.add_permission(**names, **rest, SourceArn=source)


@contextmanager
def queue_policy(edit: Callable[[dict[str, Any]], Any]) -> Iterator[None]:
    """Edit the statement of the uploads queue's policy that allows access, and restore it afterwards."""
    sqs = client("sqs")
    url = sqs.get_queue_url(QueueName=f"{PREFIX}-uploads")["QueueUrl"]
    before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"]
    document = json.loads(before)
    edit(next(statement for statement in document["Statement"] if statement["Effect"] == "Allow"))
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(document)})
    try:
        yield
    finally:
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": before})


# The mutation, the test that fails, the texts that name the cause, and the block and grant that the mutation removes.
MUTATIONS = {
    "s3:PutObject of the thumbnailer": (
        lambda: without("thumbnailer", "permissions", "s3:PutObject"),
        "test_thumbnailer.py::test_a_photo_becomes_thumbnails_and_metadata",
        [f"assumed-role/{PREFIX}-thumbnailer", "may not s3:PutObject on", "no statement allows it"],
        ("module.thumbnailer.aws_iam_role_policy.permissions", "s3:PutObject on"),
    ),
    "sns:Publish of the notifier": (
        lambda: without("notifier", "permissions", "sns:Publish"),
        "test_notifier.py::test_a_new_image_is_announced_on_the_topic",
        [f"assumed-role/{PREFIX}-notifier", "may not sns:Publish on"],
        ("module.notifier.aws_iam_role_policy.permissions", "sns:Publish on"),
    ),
    "a wrong source_arn": (
        lambda: permission_for("converter", "s3-raw", "arn:aws:s3:::another-bucket"),
        "test_converter.py::test_a_csv_becomes_parquet_and_its_bad_row_is_rejected",
        [
            "s3.amazonaws.com",
            f"may not lambda:InvokeFunction on arn:aws:lambda:us-east-1:000000000000:function:{PREFIX}-converter:live",
        ],
        ("module.converter.aws_lambda_permission.s3", "if AWS:SourceArn is"),
    ),
    "a queue policy for another bucket": (
        lambda: queue_policy(
            lambda statement: statement["Condition"]["ArnEquals"].update(
                {"aws:SourceArn": "arn:aws:s3:::another-bucket"}
            )
        ),
        "test_thumbnailer.py::test_a_photo_becomes_thumbnails_and_metadata",
        ["s3.amazonaws.com", "may not sqs:SendMessage on", f"queue policy of {PREFIX}-uploads"],
        ("module.uploads_queue.aws_sqs_queue.this", "if aws:SourceArn is"),
    ),
    "a widened queue policy": (
        lambda: queue_policy(lambda statement: statement.pop("Condition")),
        "test_least_privilege.py::test_no_other_bucket_may_send_to_the_uploads_queue",
        ["S3 accepted it: the policy of the uploads queue must name the uploads bucket (aws:SourceArn)"],
        None,
    ),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_changed_permission_makes_a_test_fail_and_name_the_cause(name: str) -> None:
    mutation, test, cause, grant = MUTATIONS[name]
    with mutation():
        code, output = run(test, "--deployed")
    assert code == 1, f"{test} passed with {name}\n{output}"
    assert [text for text in cause if text not in output] == [], output
    if grant:
        matrix.add_proof(*grant, f"tests/integration/{test}")
