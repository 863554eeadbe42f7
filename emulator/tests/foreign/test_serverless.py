"""Deploy Serverless Framework 3 services with osls, a fork that keeps the framework's license."""

import shutil
from pathlib import Path

import pytest

from foreign.pages import not_typed
from foreign.projects import SERVERLESS_EXAMPLES, Project
from foreign.workspace import CommandError, Workspace
from support import eventually

EXAMPLE = Path(__file__).with_name("examples") / "serverless"


class Serverless:
    """A service in a folder."""

    def __init__(self, space: Workspace, folder: Path) -> None:
        self.space, self.folder = space, folder
        self.program = space.tools.npm() / "node_modules" / ".bin" / "osls"
        space.version("osls", self.program, "--version")

    def run(self, *arguments: str) -> str:
        """Run a command of the framework."""
        return self.space.run(self.program, *arguments, cwd=self.folder)


@pytest.mark.project("Serverless: bucket, REST API and schedule (ours)", source=EXAMPLE, tool="osls")
def test_a_service(space: Workspace, tmp_path: Path):
    service = Serverless(space, shutil.copytree(EXAMPLE, tmp_path / "service"))
    service.run("deploy")
    assert "ticked" in service.run("invoke", "--function", "tick")
    (api,) = space.client("apigateway").get_rest_apis()["items"]
    assert space.fetch(api["id"], "/dev/hello/you") == {"hello": "you"}
    s3 = space.client("s3")
    s3.put_object(Bucket="serverless-uploads", Key="uploads/photo.jpg", Body=b"1")

    def names() -> list[str]:
        listed = s3.list_objects_v2(Bucket="serverless-uploads", Prefix="names/").get("Contents", [])
        return [entry["Key"] for entry in listed]

    assert eventually(names, 60) == ["names/photo.jpg"]
    for key in ("names/photo.jpg", "uploads/photo.jpg"):
        s3.delete_object(Bucket="serverless-uploads", Key=key)
    service.run("deploy")
    service.run("remove")
    assert not_typed("serverless", "osls", space.typed) == []
    assert space.client("lambda").list_functions()["Functions"] == []


@pytest.mark.project("serverless/examples: aws-node", source=Project(*SERVERLESS_EXAMPLES, "aws-node"), tool="osls")
def test_an_example_for_a_runtime_that_aws_has_retired(space: Workspace, folder: Path):
    service = Serverless(space, folder)
    with pytest.raises(CommandError, match=r"nodejs18\.x|frameworkVersion|version") as refusal:
        service.run("deploy")
    pytest.xfail(f"refused: {str(refusal.value).splitlines()[0]}")
