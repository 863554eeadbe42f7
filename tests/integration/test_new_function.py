"""The files that `./eventloom new-function` writes build, deploy beside the others, and work without edits."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from eventloom import clouds
from eventloom.clouds import BUILD, client
from eventloom.deployment.terraform import root_module
from tests import documented
from tests.integration.checkouts import another_checkout, command, environment
from tests.integration.support import Deployment, eventually

# The whole module takes minutes on a busy machine.
pytestmark = pytest.mark.timeout(900)

# The tutorial makes the first function.
FUNCTIONS = {"hello": "schedule", "errands": "sqs", "cellar": "s3", "reception": "api"}


@pytest.fixture(scope="module")
def checkout(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Yield a checkout in which the new functions are written, built and deployed. They are removed at the end."""
    folder = another_checkout(tmp_path_factory.mktemp("project"), "venv")
    for name, trigger in FUNCTIONS.items():
        assert f"functions/{name}/handler.py" in command(folder, "new-function", name, "--trigger", trigger)
    subprocess.run(
        [str(BUILD / "venv/dev/bin/python"), "-m", "pytest", "-q", *[f"tests/unit/{name}" for name in FUNCTIONS]],
        cwd=folder,
        check=True,
    )
    try:
        command(folder, "deploy")
        yield folder
    finally:
        root_module()("apply", "-input=false", "-auto-approve")


@pytest.fixture(scope="module")
def outputs(checkout: Path) -> dict[str, Any]:
    """Return the root outputs, which include those of the new functions."""
    answer: dict[str, Any] = json.loads(command(checkout, "outputs"))
    return answer


def test_a_new_scheduled_function_runs(checkout: Path) -> None:
    assert "day" in json.loads(command(checkout, "invoke", "hello", "--event", "schedule"))
    eventually(lambda: "done" in command(checkout, "logs", "hello"), "a log line of hello")


@pytest.mark.parametrize("line", documented.tutorial())
def test_commands_of_the_tutorial_work_as_they_stand(checkout: Path, line: str) -> None:
    arguments = ["timeout", "--signal=INT", "20", "bash", "-c", line] if "--follow" in line else ["bash", "-c", line]
    process = subprocess.run(
        arguments,
        cwd=checkout,
        env=environment(),
        check=False,
        text=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
    )
    assert process.returncode == (124 if "--follow" in line else 0), process.stdout + process.stderr
    assert "Traceback" not in process.stdout + process.stderr


def test_a_new_queue_function_handles_a_message(outputs: dict[str, Any]) -> None:
    client("sqs").send_message(QueueUrl=outputs["errands_queue_url"], MessageBody=json.dumps({"name": "Ada"}))
    eventually(lambda: Deployment(outputs).log_lines("errands", '"done"'), "a log line of errands")


def test_a_new_bucket_function_handles_an_upload(outputs: dict[str, Any]) -> None:
    client("s3").put_object(Bucket=outputs["cellar_bucket"], Key="barrels/1 é.txt", Body=b"full")
    assert (
        "barrels/1 é.txt"
        in eventually(lambda: Deployment(outputs).log_lines("cellar", '"done"'), "a log line of cellar")[0]
    )


def api_url(outputs: dict[str, Any]) -> str:
    """Return the URL of the new API, with a slash at the end."""
    url: str = outputs["reception_api_url"].rstrip("/") + "/"
    if endpoint := clouds.chosen_cloud().endpoint:
        api_id, _, rest = url.removeprefix("https://").partition(".")
        url = f"{endpoint}/restapis/{api_id}/{rest.rstrip('/').rpartition('/')[2]}/_user_request_/"
    return url


def test_a_new_api_function_answers(outputs: dict[str, Any]) -> None:
    url = api_url(outputs)
    assert requests.get(url, timeout=30).status_code == 403
    answer = requests.get(url, params={"name": "Ada"}, headers={"X-Api-Key": outputs["reception_api_key"]}, timeout=30)
    assert answer.status_code == 200, answer.text
    assert "Ada" in answer.text


def test_one_deploy_closes_an_open_path(checkout: Path, outputs: dict[str, Any]) -> None:
    file = checkout / "terraform" / "reception.tf"
    text, lobby = file.read_text(), api_url(outputs) + "lobby"

    def answer() -> int:
        return requests.get(lobby, params={"name": "Ada"}, timeout=30).status_code

    file.write_text(text.replace("  auth  ", '  open_paths         = ["/lobby"]\n  auth  ', 1))
    command(checkout, "deploy")
    eventually(lambda: answer() == 200, "an answer from the open path")
    file.write_text(text)
    command(checkout, "deploy")
    eventually(lambda: answer() == 403, "a refusal from the closed path")
    assert "No changes." in command(checkout, "plan")


def test_new_functions_change_no_others(checkout: Path, outputs: dict[str, Any], deployment: Deployment) -> None:
    """A new function does not change the others, not even their versions."""
    assert set(outputs["functions"]) == {*deployment["functions"], *FUNCTIONS}
    assert {name: outputs["functions"][name] for name in deployment["functions"]} == deployment["functions"]
