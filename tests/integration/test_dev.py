"""`dev` runs saved code on the next event, while events arrive."""

import base64
import hashlib
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from eventloom.clouds import BUILD, ROOT, client
from tests.integration.checkouts import environment
from tests.integration.support import Deployment, eventually

DAY = {"day": "2026-11-22"}


@contextmanager
def developing(folder: Path, functions: Path) -> Iterator[Path]:
    """Run `./eventloom dev digest` on a copy of the functions, and yield the file with its output.

    At the end, stop the command with Ctrl-C.
    """
    messages = folder / "messages"
    with messages.open("w") as stderr, (folder / "log").open("w") as stdout:
        process = subprocess.Popen(
            [ROOT / "eventloom", "dev", "digest", "--functions", functions],
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
        try:
            eventually(lambda: "watching digest" in messages.read_text(), "dev watches")
            yield messages
        finally:
            # A terminal sends SIGINT to the whole group. If only the launcher got it, its child would continue.
            os.killpg(process.pid, signal.SIGINT)
            assert process.wait(60) == 130


@contextmanager
def deployed_again(name: str) -> Iterator[None]:
    """Restore the deployed code and version afterwards, so that Terraform sees no drift."""
    lambda_ = client("lambda")
    version = lambda_.get_alias(FunctionName=name, Name="live")["FunctionVersion"]
    try:
        yield
    finally:
        lambda_.update_alias(FunctionName=name, Name="live", FunctionVersion=version)
        lambda_.update_function_code(FunctionName=name, ZipFile=(BUILD / "digest.zip").read_bytes())
        lambda_.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
        for page in lambda_.get_paginator("list_versions_by_function").paginate(FunctionName=name):
            for entry in page["Versions"]:
                if entry["Version"] not in {"$LATEST", version}:
                    lambda_.delete_function(FunctionName=name, Qualifier=entry["Version"])


@dataclass
class Events:
    """The results of the sent events: the request ids of the answered ones, and the errors."""

    handled: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


@contextmanager
def events_arriving(deployment: Deployment) -> Iterator[Events]:
    """Invoke the digest for a day again and again, and yield the growing record of events."""
    events, is_over = Events(), Event()
    alias = deployment["functions"]["digest"]["alias_arn"]

    def call() -> None:
        while not is_over.wait(0.3):
            try:
                answer = client("lambda").invoke(FunctionName=alias, Payload=json.dumps(DAY).encode())
            except (ClientError, BotoCoreError) as error:
                events.errors.append(str(error))
                continue
            if "FunctionError" in answer:
                events.errors.append(answer["Payload"].read().decode())
            events.handled.append(answer["ResponseMetadata"]["RequestId"])

    thread = Thread(target=call)
    thread.start()
    try:
        yield events
    finally:
        is_over.set()
        thread.join()


@pytest.mark.needs("disposable")
def test_saved_code_runs_while_events_arrive_and_broken_code_never_does(deployment: Deployment, tmp_path: Path) -> None:
    functions = tmp_path / "functions"
    shutil.copytree(ROOT / "functions", functions)
    handler = functions / "digest" / "handler.py"
    code = handler.read_text(encoding="utf-8")
    name = deployment["functions"]["digest"]["function_name"]
    with deployed_again(name), developing(tmp_path, functions) as messages, events_arriving(deployment) as events:
        handler.write_text(code + "\nprint('the-first-edit')\n", encoding="utf-8")
        eventually(lambda: deployment.log_lines("digest", "the-first-edit"), "a line of the new code")
        handler.write_text(code + "\nraise RuntimeError('the-failing-import')\n", encoding="utf-8")
        eventually(lambda: "the import fails; the old code keeps running" in messages.read_text(), "the import fails")
        handler.write_text(code + "\ndef f(:\n", encoding="utf-8")
        eventually(lambda: "invalid syntax; the old code keeps running" in messages.read_text(), "the syntax error")
        handler.write_text(code + "\nprint('the-last-edit')\n", encoding="utf-8")
        eventually(lambda: deployment.log_lines("digest", "the-last-edit"), "a line of the corrected code")
    assert events.errors == []
    assert len(events.handled) >= 4, "an event for each edit"

    def not_in_the_log() -> set[str]:
        reports = "".join(deployment.log_lines("digest", '"platform.report"'))
        return {request_id for request_id in events.handled if reports.count(request_id) != 1}

    eventually(lambda: not not_in_the_log(), f"each event was handled once: {not_in_the_log()}")
    assert not deployment.log_lines("digest", "the-failing-import")
    deployed = client("lambda").get_function_configuration(FunctionName=name)["CodeSha256"]
    assert deployed == base64.b64encode(hashlib.sha256((BUILD / "digest.zip").read_bytes()).digest()).decode()
