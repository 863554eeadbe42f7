"""Every command that the README, docs and help show works as it stands, typed in a shell against the deployment."""

import json
import os
import re
import shlex
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

from eventloom.clouds import BUILD, ROOT
from tests import documented, warm
from tests.integration import samples
from tests.integration.checkouts import environment, run
from tests.integration.photos import photo
from tests.integration.support import Deployment, eventually, unique

# The fixture that creates a command's input, by a pattern in the command
NEEDED = {
    r"s3://inventories/": samples.inventory,
    r"--archive orders\b": samples.archive,
    r"(?:--key|trace) holiday\.jpg": samples.holiday,
}
CAPABILITIES = {r"--inventory": "disposable", r"--archive": "archive_replays", r"--distributed": "distributed_maps"}
# Commands that run until they are interrupted, and then exit with 130
ENDLESS = re.compile(r".* (?:logs\b.* (?:--follow|-f)\b|watch\b(?!.*--once)).*")
FIRST_LINE_S = 60
# Commands whose help says that they exit with 3 if something was found
FINDING = re.compile(r".* (?:audit\b(?!.*--repair)|.*--strict\b).*")


def parameter(command: str) -> Any:
    """Return a command as a test's parameter, with the capabilities that it needs."""
    needs = [name for pattern, name in CAPABILITIES.items() if re.search(pattern, command)]
    return pytest.param(command, id=command, marks=pytest.mark.needs(*needs) if needs else ())


def with_json() -> list[str]:
    """Return one documented example with --json added for each command that accepts --json.

    Commands with a documented --json are left out.
    """
    added: dict[str, str] = {}
    for text in documented.typed():
        simple, arguments = documented.simple_commands(text), documented.eventloom_arguments(text)
        if len(simple) == 1 and arguments and not ENDLESS.fullmatch(text):
            path, command = documented.leaf(arguments[0])
            if any("--json" in option.opts for option in command.params):
                added.setdefault(path, f"{text} --json")
                if "--json" in arguments[0]:
                    added[path] = ""
    return [text for text in added.values() if text]


@dataclass(frozen=True)
class Shell:
    """Types commands as a reader does, in a folder with the files that the examples name.

    The inputs of a command (`needed`) are removed after the test. Commands that end without an interrupt run in forked
    processes (tests/warm.py); the others run with the real launcher.
    """

    deployment: Deployment
    folder: Path
    image: str
    needed: ExitStack

    def __call__(self, text: str) -> str:
        """Type a command and return its stdout. Fails if the command fails or shows a traceback."""
        for pattern, need in NEEDED.items():
            if re.search(pattern, text):
                self.needed.enter_context(need(self.deployment))
        if " simulate" in text and "measure" not in text:
            self.type_line("./eventloom simulate measure")
        if " upload " in text:
            samples.forget_uploads(self.deployment, self.folder)
        identifier = self.needed.enter_context(samples.dead_letter(self.deployment)) if " dlq" in text else self.image
        return self.type_line(documented.with_id(text, identifier))

    def type_line(self, line: str) -> str:
        """Type a line as it is."""
        process = self._interrupted(line) if ENDLESS.fullmatch(line) else self._run(line)
        assert process.returncode in codes(line), process.stdout + process.stderr
        logged = process.stdout if re.search(r"\blogs\b", line) else ""  # a function may have logged a traceback
        assert "Traceback" not in (process.stdout + process.stderr).replace(logged, "")
        return process.stdout

    def _options(self, line: str) -> dict[str, Any]:
        """Return the options of the process: make needs the Makefile's folder, and no browser may open."""
        folder = ROOT if line.startswith("make ") else self.folder
        return {"cwd": folder, "env": environment() | {"BROWSER": "true"}, "text": True, "stdin": subprocess.DEVNULL}

    def _run(self, line: str) -> subprocess.CompletedProcess[str]:
        process: subprocess.CompletedProcess[str] = subprocess.run(
            ["bash", "-o", "pipefail", "-c", line], **self._options(line), capture_output=True, check=False
        )
        return process

    def _interrupted(self, line: str) -> subprocess.CompletedProcess[str]:
        """Type a line, wait until it prints, and press Ctrl-C."""
        options = self._options(line) | {
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            "start_new_session": True,
        }
        line = line.replace("./eventloom", shlex.quote(str(ROOT / "eventloom")))
        started: subprocess.Popen[str] = subprocess.Popen(["bash", "-c", line], **options)
        assert started.stdout
        at_last = Timer(FIRST_LINE_S, os.killpg, (started.pid, signal.SIGKILL))
        at_last.start()
        first = started.stdout.readline()
        at_last.cancel()
        os.killpg(started.pid, signal.SIGINT)
        stdout, stderr = started.communicate(timeout=60)
        return subprocess.CompletedProcess(line, started.returncode, first + stdout, stderr)


@pytest.fixture(scope="module")
def reader(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """Yield a folder whose name a shell would split or expand, and the id of an image in the catalog."""
    folder = tmp_path_factory.mktemp("reader") / "a reader's $HOME"
    samples.prepare(folder, deployment)
    with warm.launcher(folder / "eventloom"):
        yield folder, samples.image(deployment)


@pytest.fixture
def shell(deployment: Deployment, reader: tuple[Path, str]) -> Iterator[Shell]:
    """Return a shell in the reader's folder."""
    with ExitStack() as needed:
        yield Shell(deployment, *reader, needed)


def codes(line: str) -> set[int]:
    """Return the allowed exit codes of a command."""
    return {130} if ENDLESS.fullmatch(line) else {0, 3} if FINDING.fullmatch(line) else {0}


def objects(output: str) -> list[dict[str, Any]]:
    """Return the JSON objects that --json prints, one per line. Fails if there is anything else."""
    lines = [json.loads(line) for line in output.splitlines()]
    assert all(isinstance(line, dict) for line in lines)
    return lines


@pytest.mark.parametrize("command", [parameter(command) for command in documented.typed()])
def test_a_documented_command_works_as_it_stands(command: str, shell: Shell) -> None:
    output = shell(command)
    if "--json" in shlex.split(command):
        objects(output)


@pytest.mark.parametrize("command", [parameter(command) for command in with_json()])
def test_the_option_json_prints_only_json_on_stdout(command: str, shell: Shell) -> None:
    objects(shell(command))


# -- Arguments with spaces, quotes and dollar signs


@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        ('"my photo (2).jpg"', "my photo (2).jpg"),
        ('"Ada\'s \\"best\\" photo.jpg"', 'Ada\'s "best" photo.jpg'),
        ("'100% of $HOME; `x`.jpg'", "100% of $HOME; `x`.jpg"),
        ("holiday.jpg --prefix 'a $HOME/b'", "a $HOME/b/holiday.jpg"),
        ('photos --prefix "it\'s 5 \\$"', "it's 5 $/day 1/two.jpg"),
    ],
)
def test_a_file_is_uploaded_under_its_name(arguments: str, key: str, shell: Shell, deployment: Deployment) -> None:
    if key.rpartition("/")[2] == key:
        (shell.folder / key).write_bytes((shell.folder / "holiday.jpg").read_bytes())
    uploaded = objects(shell(f"./eventloom upload {arguments} --json"))
    assert key in {entry["key"] for entry in uploaded}
    assert deployment.wait_for(key, status="READY")["key"] == key


def test_the_reason_of_a_discard_is_recorded_as_it_is_typed(shell: Shell) -> None:
    with samples.dead_letter(shell.deployment) as message_id:
        reason = '"costs \\$5 a day, it\'s \\"too\\" much"'
        (counts,) = objects(shell.type_line(f"./eventloom dlq discard {message_id} --reason {reason} --json"))
    assert counts["discarded"] == 1
    lines = [
        line
        for file in (BUILD / "operations").rglob("*discarded*")
        for line in file.read_text(encoding="utf-8").splitlines()
    ]
    (record,) = [record for line in lines if (record := json.loads(line))["message_id"] == message_id]
    assert record["reason"] == 'costs $5 a day, it\'s "too" much'


def test_a_prefix_selects_the_objects_under_it(shell: Shell, deployment: Deployment) -> None:
    prefix = unique("a $HOME/it's")
    deployment.put(f"{prefix}/1.jpg", b"no photo")
    (plan,) = objects(shell.type_line(f"./eventloom backfill --prefix {shlex.quote(prefix)} --dry-run --json"))
    assert plan["would_send"] == 1


def test_a_thumbnail_is_written_to_the_folder_of_the_option_out(shell: Shell) -> None:
    (facts,) = objects(shell.type_line("./eventloom thumbnail 'my photo (2).jpg' --out \"thumbs \\$1\""))
    assert facts["status"] == "READY"
    assert list((shell.folder / "thumbs $1").iterdir())


def test_a_trace_leads_from_the_object_to_the_notice(shell: Shell, deployment: Deployment) -> None:
    key = unique("traced.jpg")
    deployment.put(key, photo())

    def path() -> list[tuple[str, str]] | None:
        steps = objects(shell.type_line(f"./eventloom trace {key} --json"))
        places = [(step["kind"], step.get("function", "")) for step in steps]
        return places if ("attempt", "notifier") in places else None

    steps = [place for place in eventually(path, "the notice in the trace") if place[0] != "wait"]
    assert steps[:3] == [("put", ""), ("event", ""), ("attempt", "thumbnailer")]
    assert {("thumbnails", ""), ("item", ""), ("attempt", "notifier")} <= {*steps[3:]}


def test_a_recorded_event_is_a_sample_that_can_be_repeated(shell: Shell) -> None:
    name = unique("recorded").replace("/", "-")
    file = ROOT / "functions" / "thumbnailer" / "events" / f"{name}.json"
    try:
        with samples.dead_letter(shell.deployment) as message_id:
            shell.type_line(f"./eventloom invoke thumbnailer --message {message_id} --record {name}")
        (record,) = json.loads(file.read_text(encoding="utf-8"))["Records"]
        assert (record["messageId"], record["body"]) == (message_id, samples.S3_TEST_EVENT)
        assert objects(shell.type_line(f"./eventloom invoke thumbnailer --event {name}")) == [{"batchItemFailures": []}]
    finally:
        file.unlink(missing_ok=True)


def test_without_an_engine_the_compose_lane_says_what_to_do(tmp_path: Path) -> None:
    """The variable COMPOSE also hides Docker Compose, so that this test starts no second cloud."""
    variables = environment() | {"DOCKER_HOST": f"unix://{tmp_path}/docker.sock", "COMPOSE": "none"}
    variables.pop("DOCKER_CONTEXT", None)
    process = run(ROOT, "test-compose", variables=variables)
    assert "or use the embedded LocalStack: make test" in process.stderr
    assert "test-compose] Error 1" in process.stderr
    assert process.returncode == 2
