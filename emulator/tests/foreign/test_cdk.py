"""Deploy apps of the AWS CDK with its default synthesizer: bootstrap, deploy, use and destroy."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from foreign.pages import not_typed
from foreign.workspace import Workspace
from support import eventually

EXAMPLE = Path(__file__).with_name("examples") / "cdk"


class Cdk:
    """An app in a folder."""

    def __init__(self, space: Workspace, folder: Path) -> None:
        self.space, self.folder = space, folder
        self.packages = space.tools.npm() / "node_modules"
        space.version("CDK", self.packages / ".bin" / "cdk", "--version")

    def run(self, *arguments: str) -> str:
        """Run a command of the CDK. The app imports the CDK library from the tool's environment."""
        return self.space.run(
            self.packages / ".bin" / "cdk", *arguments, cwd=self.folder, NODE_PATH=str(self.packages), CI="1"
        )

    def deploy(self) -> dict[str, Any]:
        """Bootstrap the environment, deploy the app, and return the outputs by stack."""
        self.run("bootstrap", "aws://000000000000/us-east-1")
        self.run("deploy", "--all", "--require-approval", "never", "--outputs-file", "outputs.json")
        file = self.folder / "outputs.json"
        return dict(json.loads(file.read_text())) if file.exists() else {}

    def destroy(self) -> None:
        """Destroy all stacks of the app."""
        self.run("destroy", "--all", "--force")


@pytest.mark.project("CDK: bucket notifications and autoDeleteObjects (ours)", source=EXAMPLE, tool="CDK")
def test_an_app_with_custom_resources(space: Workspace, tmp_path: Path):
    folder = shutil.copytree(EXAMPLE, tmp_path / "app")
    cdk = Cdk(space, folder)
    outputs = cdk.deploy()["Uploads"]
    space.client("s3").put_object(Bucket=outputs["Bucket"], Key="a/photo.jpg", Body=b"12345")
    table = space.client("dynamodb")
    (item,) = eventually(lambda: table.scan(TableName=outputs["Table"])["Items"], 60)
    assert item == {"key": {"S": "a/photo.jpg"}, "size": {"N": "5"}}
    cdk.destroy()
    assert not_typed("cdk", "cdk", space.typed) == []
    buckets = [bucket["Name"] for bucket in space.client("s3").list_buckets()["Buckets"]]
    assert outputs["Bucket"] not in buckets


@pytest.mark.project("CDK: `cdk init sample-app --language javascript`", tool="CDK")
def test_the_sample_app(space: Workspace, tmp_path: Path):
    folder = tmp_path / "sample"
    folder.mkdir()
    cdk = Cdk(space, folder)
    cdk.run("init", "sample-app", "--language", "javascript", "--generate-only")
    cdk.deploy()
    (topic,) = space.client("sns").list_topics()["Topics"]
    space.client("sns").publish(TopicArn=topic["TopicArn"], Message="hello")
    (queue,) = space.client("sqs").list_queues()["QueueUrls"]
    (message,) = space.client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=5)["Messages"]
    assert json.loads(message["Body"])["Message"] == "hello"
    cdk.destroy()
    assert "QueueUrls" not in space.client("sqs").list_queues()
