"""The `aws` commands in the documentation work as described if the AWS CLI runs them in the order of the page."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from eventloom.clouds import ROOT, client
from eventloom.deployment import state_bucket
from tests import warm
from tests.integration.photos import photo
from tests.integration.support import ENVIRONMENT, Deployment, eventually, unique
from tests.procedures import procedure

# Some of the commands damage data before they restore it, and create a user.
pytestmark = pytest.mark.needs("disposable")


@pytest.fixture(scope="module", autouse=True)
def _aws_cli(deployment: Deployment) -> None:
    """Install the AWS CLI into a separate environment, unless it is there already."""
    subprocess.run([ROOT / "scripts" / "bootstrap.sh", "aws-cli"], check=True)


@pytest.fixture(scope="module")
def launcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the path of a launcher whose process has imported ./eventloom already."""
    file: Path = tmp_path_factory.mktemp("launcher") / "eventloom"
    with warm.launcher(file):
        yield str(file)


def delete_the_newest_version(kind: str, key: str, launcher: str) -> None:
    """Follow the page: delete the newest version of an object. `kind` is "Versions" or "DeleteMarkers"."""
    with procedure("docs/how-to/back-up-and-restore.md", "Restore a deleted photo", launcher) as steps:
        bucket = steps.type("./eventloom outputs")["uploads_bucket"]
        versions = steps.type("aws s3api list-object-versions", BUCKET=bucket, KEY=key)
        (newest,) = [version["VersionId"] for version in versions[kind] if version["IsLatest"]]
        steps.type("aws s3api delete-object", BUCKET=bucket, KEY=key, ID=newest)


def test_a_deleted_photo_comes_back_with_its_item_and_thumbnails(deployment: Deployment, launcher: str) -> None:
    key, bucket = unique("deleted.jpg"), deployment["uploads_bucket"]
    version = deployment.put(key, photo())
    deployment.wait_for(key, status="READY")
    client("s3").delete_object(Bucket=bucket, Key=key)
    eventually(lambda: not deployment.thumbnails(key), "thumbnails of a deleted photo are deleted")
    delete_the_newest_version("DeleteMarkers", key, launcher)
    assert client("s3").head_object(Bucket=bucket, Key=key)["VersionId"] == version
    deployment.wait_for(key, status="READY")
    eventually(lambda: deployment.thumbnails(key), "thumbnails of a photo that came back")


def test_a_replaced_photo_comes_back(deployment: Deployment, launcher: str) -> None:
    key, bucket = unique("replaced.jpg"), deployment["uploads_bucket"]
    first = deployment.put(key, photo(640, 480))
    deployment.wait_for(key, status="READY", width=640)
    deployment.put(key, photo(320, 240))
    deployment.wait_for(key, status="READY", width=320)
    delete_the_newest_version("Versions", key, launcher)
    assert client("s3").head_object(Bucket=bucket, Key=key)["VersionId"] == first
    deployment.wait_for(key, status="READY", width=640)


@pytest.mark.needs("table_restores")
def test_an_item_that_was_lost_comes_back_from_a_restored_table(deployment: Deployment, launcher: str) -> None:
    """The emulator restores the table's content at the time of the call, so the test loses the item after the call."""
    dynamodb, table = client("dynamodb"), deployment["activity_table"]
    key = {"pk": {"S": unique("lost")}, "sk": {"S": "2026-05-01"}}
    item = key | {"views": {"N": "7"}}
    names = {"eventloom-prod-activity": table}
    dynamodb.put_item(TableName=table, Item=item)
    with procedure("docs/how-to/back-up-and-restore.md", "Restore a table", launcher) as steps:
        steps.type("aws dynamodb restore-table-to-point-in-time", **names)
        steps.type("aws dynamodb wait table-exists --table-name restored")
        dynamodb.delete_item(TableName=table, Key=key)
        assert "would be copied" in steps.type(
            "./eventloom restore-items restored --into activity --env prod --dry-run"
        )
        assert "Item" not in dynamodb.get_item(TableName=table, Key=key)
        steps.type("./eventloom restore-items restored --into activity --env prod")
        assert dynamodb.get_item(TableName=table, Key=key)["Item"] == item
        steps.type("aws dynamodb delete-table")
    dynamodb.get_waiter("table_not_exists").wait(TableName="restored", WaiterConfig={"Delay": 1})
    dynamodb.delete_item(TableName=table, Key=key)


@pytest.mark.usefixtures("deployment")
def test_an_older_version_of_the_state_comes_back() -> None:
    s3, bucket = client("s3"), state_bucket.bucket_name()
    place = {"Bucket": bucket, "Key": f"env:/{ENVIRONMENT}/{state_bucket.KEY}"}
    names = {"eventloom-state-ACCOUNT-REGION": bucket, "env:/prod/": f"env:/{ENVIRONMENT}/"}
    state = s3.get_object(**place)
    before = state["Body"].read()
    try:
        s3.put_object(**place, Body=b"damaged")
        with procedure("docs/how-to/back-up-and-restore.md", "Restore Terraform's state") as steps:
            versions = steps.type("aws s3api list-object-versions", **names)["Versions"]
            assert [version["IsLatest"] for version in versions[:2]] == [True, False]
            steps.type("aws s3api copy-object", **names, ID=versions[1]["VersionId"])
            assert versions[1]["VersionId"] == state["VersionId"]
            steps.leave_out("./eventloom plan")
        assert s3.get_object(**place)["Body"].read() == before
    finally:
        s3.put_object(**place, Body=before)


@pytest.fixture
def pool() -> Iterator[str]:
    """Yield the name of a user pool with the settings of terraform/api.tf that concern a new user."""
    cognito, name = client("cognito-idp"), unique("users")
    created = cognito.create_user_pool(
        PoolName=name,
        UsernameAttributes=["email"],
        AutoVerifiedAttributes=["email"],
        AdminCreateUserConfig={"AllowAdminCreateUserOnly": True},
    )["UserPool"]
    yield name
    cognito.delete_user_pool(UserPoolId=created["Id"])


@pytest.mark.needs("user_pools")
def test_a_user_is_created_who_chooses_a_password_at_the_first_sign_in(pool: str) -> None:
    with procedure("docs/how-to/open-the-gallery.md", "Let people sign in") as steps:
        pools = steps.type("aws cognito-idp list-user-pools")["UserPools"]
        (identifier,) = [entry["Id"] for entry in pools if entry["Name"] == pool]
        user = steps.type("aws cognito-idp admin-create-user", POOL=identifier)["User"]
    assert user["UserStatus"] == "FORCE_CHANGE_PASSWORD"
    assert {"Name": "email", "Value": "person@example.com"} in user["Attributes"]


def test_the_webhooks_secret_is_where_its_function_reads_it(deployment: Deployment) -> None:
    ssm, name = client("ssm"), "/eventloom-example-webhook/webhook-secret"
    with procedure("examples/README.md", "What webhook-to-queue needs") as steps:
        steps.type("aws ssm put-parameter", SECRET="only-for-the-test")
    parameter = ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]
    ssm.delete_parameter(Name=name)
    assert (parameter["Type"], parameter["Value"]) == ("SecureString", "only-for-the-test")
    example = ROOT / "examples" / "webhook-to-queue"
    assert any("webhook-secret" in file.read_text(encoding="utf-8") for file in example.glob("*.tf"))


def test_the_functions_are_listed(deployment: Deployment) -> None:
    with procedure("emulator/README.md", "Install it, and use it for any project") as steps:
        functions = steps.type("aws lambda list-functions")["Functions"]
    assert deployment["functions"]["thumbnailer"]["function_name"] in {entry["FunctionName"] for entry in functions}
