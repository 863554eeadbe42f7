"""The deployed functions, moved behind the fault proxy or replaced by mutants for a while, and put back afterwards."""

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

TEST_EVENT = json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent"})


class Stage:
    """One deployed function whose alias can be pointed to other versions."""

    def __init__(self, deployment: Deployment, function: str) -> None:
        self.name = deployment["functions"][function]["function_name"]
        self._package = clouds.BUILD / f"{function}.zip"
        self._aws = client("lambda")
        self._before = self._aws.get_function_configuration(FunctionName=self.name)
        self._live = self._alias()
        self._published: list[str] = []
        self._loaded: bytes | None = None

    def perform(self, package: bytes | None = None, timeout_s: int | None = None, **variables: str) -> None:
        """Make the alias answer with other code, another timeout, other environment variables."""
        self._configure({**self._variables(), **variables}, timeout_s or self._before["Timeout"])
        self._load(package)
        version = self._aws.publish_version(FunctionName=self.name)["Version"]
        self._published.append(version)
        self._aws.get_waiter("published_version_active").wait(FunctionName=self.name, Qualifier=version, WaiterConfig={"Delay": 1})
        self._aws.update_alias(FunctionName=self.name, Name="live", FunctionVersion=version)

    def restore(self) -> None:
        """As Terraform deployed it."""
        self._aws.update_alias(FunctionName=self.name, Name="live", FunctionVersion=self._live)
        self._configure(self._variables(), self._before["Timeout"])
        self._load(None)
        for version in self._published:
            self._aws.delete_function(FunctionName=self.name, Qualifier=version)

    def restart_pollers(self) -> None:
        """Stop what polls for it, in the middle of whatever it does, and start it again."""
        self._switch_pollers(False, "Disabled")
        self._switch_pollers(True, "Enabled")

    def _switch_pollers(self, enabled: bool, state: str) -> None:
        def states() -> set[str]:
            return {poller["State"] for poller in self._aws.list_event_source_mappings(FunctionName=live)["EventSourceMappings"]}

        live = f"{self.name}:live"
        for poller in self._aws.list_event_source_mappings(FunctionName=live)["EventSourceMappings"]:
            self._aws.update_event_source_mapping(UUID=poller["UUID"], Enabled=enabled)
        eventually(lambda: states() == {state}, f"{state} pollers of {self.name}")

    def processes(self) -> list[int]:
        """The interpreters that run it now."""
        folder = embedded.home(clouds.chosen_cloud().port)
        found = []
        for pid in processes.belonging_to(folder):
            if "-m awslambdaric" not in processes.command(pid) or "supervisor.py" in processes.command(pid):
                continue
            variables = processes.environ(pid)
            if variables.get("AWS_LAMBDA_FUNCTION_NAME") == self.name and variables.get("HOME", "").startswith(str(folder)):
                found.append(pid)
        return sorted(found)

    def _alias(self) -> str:
        return str(self._aws.get_alias(FunctionName=self.name, Name="live")["FunctionVersion"])

    def _variables(self) -> dict[str, str]:
        return dict(self._before["Environment"]["Variables"])

    def _configure(self, variables: dict[str, str], timeout_s: int) -> None:
        self._aws.update_function_configuration(FunctionName=self.name, Environment={"Variables": variables}, Timeout=timeout_s)
        self._updated()

    def _load(self, package: bytes | None) -> None:
        if package != self._loaded:
            self._aws.update_function_code(FunctionName=self.name, ZipFile=package or self._package.read_bytes())
            self._updated()
            self._loaded = package

    def _updated(self) -> None:
        self._aws.get_waiter("function_updated_v2").wait(FunctionName=self.name, WaiterConfig={"Delay": 1})


@contextmanager
def staged(deployment: Deployment, *functions: str) -> Iterator[list[Stage]]:
    """Functions to experiment with."""
    with ExitStack() as stack:
        stages = [Stage(deployment, function) for function in functions]
        for stage in stages:
            stack.callback(stage.restore)
        yield stages


@contextmanager
def visibility(deployment: Deployment, seconds: int) -> Iterator[None]:
    """Messages of the uploads queue come back after `seconds`.

    A long poll that began before keeps the old time: harmless messages end it.
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
    """A function's package with one piece of one module replaced. Fails if the piece is not there exactly once."""
    out, source = io.BytesIO(), Path(function, f"{module}.py")
    with zipfile.ZipFile(clouds.BUILD / f"{function}.zip") as package, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as changed:
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
    """Processes that stand still for a while: whoever asks them waits."""
    processes.send(pids, signal.SIGSTOP)
    try:
        time.sleep(seconds)
        yield
    finally:
        processes.send(pids, signal.SIGCONT)


def settled(depth: Callable[[], int], timeout_s: float) -> None:
    """Return once a queue was empty twice in a row."""
    seen: list[int] = []

    def probe() -> bool:
        seen.append(depth())
        return seen[-2:] == [0, 0]

    eventually(probe, "an empty uploads queue", timeout_s, every_s=0.5)
