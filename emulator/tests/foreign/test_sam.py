"""Deploy applications of AWS SAM: build, deploy, use and delete."""

import shutil
from pathlib import Path

import pytest

from foreign.pages import not_typed
from foreign.projects import PATTERNS, Project
from foreign.workspace import Workspace
from support import eventually

EXAMPLE = Path(__file__).with_name("examples") / "sam"
STACK = "orders"


class Sam:
    """An application in a folder."""

    def __init__(self, space: Workspace, folder: Path) -> None:
        self.space, self.folder = space, folder
        self.program = space.tools.python("sam") / "sam"
        space.version("SAM", self.program, "--version")

    def run(self, *arguments: str) -> str:
        """Run a command of SAM."""
        return self.space.run(self.program, *arguments, cwd=self.folder)

    def deploy(self) -> dict[str, str]:
        """Build the application, deploy it as its README says, and return the stack's outputs."""
        self.run("build")
        options = ("--stack-name", STACK, "--resolve-s3", "--capabilities", "CAPABILITY_IAM")
        self.run("deploy", *options, "--no-confirm-changeset", "--no-progressbar")
        (stack,) = self.space.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}

    def delete(self) -> None:
        """Delete the stack and the files that SAM uploaded."""
        self.run("delete", "--stack-name", STACK, "--no-prompts")
        stacks = self.space.client("cloudformation").list_stacks(StackStatusFilter=["DELETE_COMPLETE"])
        assert STACK in [stack["StackName"] for stack in stacks["StackSummaries"]]


@pytest.mark.project("SAM: an HTTP API, a queue and a table (ours)", source=EXAMPLE, tool="SAM")
def test_an_application_with_an_http_api(space: Workspace, tmp_path: Path):
    sam = Sam(space, shutil.copytree(EXAMPLE, tmp_path / "app"))
    outputs = sam.deploy()
    answer = space.fetch(outputs["ApiId"], "/orders/7", {"pieces": 3})
    assert answer == {"version": "2.0", "id": "7"}
    table = space.client("dynamodb")
    (item,) = eventually(lambda: table.scan(TableName=outputs["Table"])["Items"], 60)
    assert item == {"id": {"S": "7"}, "pieces": {"N": "3"}}
    sam.delete()
    assert not_typed("sam", "sam", space.typed) == []
    assert space.client("lambda").list_functions()["Functions"] == []


@pytest.mark.project(
    "serverless-patterns: sqs-lambda-nodejs-sam", source=Project(*PATTERNS, "sqs-lambda-nodejs-sam"), tool="SAM"
)
def test_a_pattern_with_a_queue(space: Workspace, folder: Path):
    sam = Sam(space, folder)
    function = sam.deploy()["ProcessorFunctionName"]
    queue = space.client("sqs").get_queue_url(QueueName=f"{STACK}-queue")["QueueUrl"]
    space.client("sqs").send_message(QueueUrl=queue, MessageBody='{"a": "message"}')
    logs = space.client("logs")

    def logged() -> bool:
        events = logs.filter_log_events(logGroupName=f"/aws/lambda/{function}")["events"]
        return any("REPORT" in event["message"] for event in events)

    assert eventually(lambda: logs.describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{function}")["logGroups"], 60)
    assert eventually(logged, 30)
    sam.delete()
