"""Temporarily put deployed functions behind the fault proxy, or replace them by mutants."""

import io
import json
import signal
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from embedded_localstack import processes
from eventloom import clouds
from eventloom.clouds import client
from tests import embedded
from tests.integration.support import Deployment, eventually

# Variables that make the thumbnailer's messages visible again at once, so that tests need not wait
IMPATIENT = {"LEASE_S": "2", "RETRY_DELAYS_S": "1"}
TEST_EVENT = json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent"})


class Stage:
    """A deployed function whose alias can point to other versions."""

    def __init__(self, deployment: Deployment, function: str) -> None:
        self.name = deployment["functions"][function]["function_name"]
        self._package = clouds.BUILD / f"{function}.zip"
        self._aws = client("lambda")
        self._before = self._aws.get_function_configuration(FunctionName=self.name)
        self._live = self._alias()
        self._published: list[str] = []
        self._loaded: bytes | None = None

    def perform(self, package: bytes | None = None, timeout_s: int | None = None, **variables: str) -> None:
        """Publish a version with other code, timeout or environment variables, and point the alias to it."""
        self._configure({**self._variables(), **variables}, timeout_s or self._before["Timeout"])
        self._load(package)
        version = self._aws.publish_version(FunctionName=self.name)["Version"]
        self._published.append(version)
        self._aws.get_waiter("published_version_active").wait(
            FunctionName=self.name, Qualifier=version, WaiterConfig={"Delay": 1}
        )
        self._aws.update_alias(FunctionName=self.name, Name="live", FunctionVersion=version)

    def restore(self) -> None:
        """Restore the function as Terraform deployed it."""
        self._aws.update_alias(FunctionName=self.name, Name="live", FunctionVersion=self._live)
        self._configure(self._variables(), self._before["Timeout"])
        self._load(None)
        for version in self._published:
            self._aws.delete_function(FunctionName=self.name, Qualifier=version)

    def restart_pollers(self) -> None:
        """Stop the function's event source mappings, whatever they are doing, and start them again."""
        self._switch_pollers(False, "Disabled")
        self._switch_pollers(True, "Enabled")

    def _switch_pollers(self, enabled: bool, state: str) -> None:
        def states() -> set[str]:
            return {
                poller["State"]
                for poller in self._aws.list_event_source_mappings(FunctionName=live)["EventSourceMappings"]
            }

        live = f"{self.name}:live"
        for poller in self._aws.list_event_source_mappings(FunctionName=live)["EventSourceMappings"]:
            self._aws.update_event_source_mapping(UUID=poller["UUID"], Enabled=enabled)
        eventually(lambda: states() == {state}, f"{state} pollers of {self.name}")

    def processes(self) -> list[int]:
        """Return the process ids of the interpreters that run the function."""
        folder = embedded.home(clouds.chosen_cloud().port)
        pids = []
        for pid in processes.belonging_to(folder):
            if "-m awslambdaric" not in processes.command(pid) or "supervisor.py" in processes.command(pid):
                continue
            variables = processes.environ(pid)
            runs_function = variables.get("AWS_LAMBDA_FUNCTION_NAME") == self.name
            if runs_function and variables.get("HOME", "").startswith(str(folder)):
                pids.append(pid)
        return sorted(pids)

    def _alias(self) -> str:
        return str(self._aws.get_alias(FunctionName=self.name, Name="live")["FunctionVersion"])

    def _variables(self) -> dict[str, str]:
        return dict(self._before["Environment"]["Variables"])

    def _configure(self, variables: dict[str, str], timeout_s: int) -> None:
        self._aws.update_function_configuration(
            FunctionName=self.name,
            Environment={"Variables": variables},
            Timeout=timeout_s,
        )
        self._wait_for_update()

    def _load(self, package: bytes | None) -> None:
        if package != self._loaded:
            self._aws.update_function_code(FunctionName=self.name, ZipFile=package or self._package.read_bytes())
            self._wait_for_update()
            self._loaded = package

    def _wait_for_update(self) -> None:
        self._aws.get_waiter("function_updated_v2").wait(FunctionName=self.name, WaiterConfig={"Delay": 1})


@contextmanager
def staged(deployment: Deployment, *functions: str) -> Iterator[list[Stage]]:
    """Yield a stage for each function, and restore the functions afterwards."""
    with ExitStack() as stack:
        stages = [Stage(deployment, function) for function in functions]
        for stage in stages:
            stack.callback(stage.restore)
        yield stages


@contextmanager
def visibility(deployment: Deployment, seconds: int) -> Iterator[None]:
    """Set the visibility timeout of the uploads queue.

    A long poll that began earlier keeps the old timeout, so harmless messages end it.
    """
    sqs, url = client("sqs"), deployment["uploads_queue_url"]
    before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": str(seconds)})
    for _ in range(3):
        sqs.send_message(QueueUrl=url, MessageBody=TEST_EVENT)
        deployment.wait_until_settled()
    try:
        yield
    finally:
        sqs.set_queue_attributes(QueueUrl=url, Attributes=before)


def mutant(function: str, module: str, old: str, new: str) -> bytes:
    """Return a function's package with a piece of one module replaced. Fails unless the module has it exactly once."""
    out, source = io.BytesIO(), Path(function, f"{module}.py")
    with (
        zipfile.ZipFile(clouds.BUILD / f"{function}.zip") as package,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as changed,
    ):
        for entry in package.infolist():
            path = Path(entry.filename)
            if path.parent == source.parent / "__pycache__" and path.name.startswith(f"{source.stem}."):
                continue
            content = package.read(entry)
            if path == source:
                assert content.count(old.encode()) == 1, f"{module}.py has not exactly one {old!r}"
                content = content.replace(old.encode(), new.encode())
            changed.writestr(entry, content, compresslevel=1)
    return out.getvalue()


@contextmanager
def frozen(pids: list[int], seconds: float) -> Iterator[None]:
    """Stop processes for some seconds, so that their clients wait, and let the processes continue afterwards."""
    processes.send(pids, signal.SIGSTOP)
    try:
        time.sleep(seconds)
        yield
    finally:
        processes.send(pids, signal.SIGCONT)


def settled(depth: Callable[[], int], timeout_s: float) -> None:
    """Wait until a queue was empty twice in a row."""
    depths: list[int] = []

    def probe() -> bool:
        depths.append(depth())
        return depths[-2:] == [0, 0]

    eventually(probe, "an empty uploads queue", timeout_s, every_s=0.5)
