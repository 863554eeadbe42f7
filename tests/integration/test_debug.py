"""`debug` stops in a deployed function when a real event arrives, and the function then handles the event."""

import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from eventloom.clouds import ROOT
from tests.integration.checkouts import environment
from tests.integration.dap import attached, stopped
from tests.integration.photos import photo
from tests.integration.support import Deployment, depth, eventually, unique

pytestmark = pytest.mark.needs("debugger")
HANDLER = ROOT / "functions" / "thumbnailer" / "handler.py"


def line_of(text: str) -> int:
    """Return the number of the handler's first line with a text."""
    lines = HANDLER.read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, start=1) if text in line)


@contextmanager
def debugging(folder: Path, *arguments: str) -> Iterator[tuple[Path, subprocess.Popen[bytes]]]:
    """Run `./eventloom debug thumbnailer`, yield the file with its output, and end it with Ctrl-C."""
    said = folder / "said"
    with said.open("w") as stderr, (folder / "shown").open("w") as stdout:
        process = subprocess.Popen(
            [ROOT / "eventloom", "debug", "thumbnailer", *arguments],
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
        try:
            yield said, process
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(90) == 130
            if process.stdin:
                process.stdin.close()
    assert "thumbnailer runs as before" in said.read_text()


def test_a_photo_stops_in_the_handler_and_is_handled_once(deployment: Deployment, tmp_path: Path) -> None:
    first, second, later = unique("stopped.jpg"), unique("left.jpg"), unique("later.jpg")
    with debugging(tmp_path) as (said, _):
        port = int(
            eventually(lambda: re.search(r"waits for a debugger on 127\.0\.0\.1:(\d+)", said.read_text()), "a port")[1]
        )
        with attached(port, HANDLER, line_of("Lease(")) as editor:
            deployment.put(first, photo())
            thread, frame = stopped(editor)
            assert (frame["name"], frame["source"]["path"]) == ("lambda_handler", str(HANDLER))
            body = editor.ask("evaluate", expression="event['Records'][0]['body']", frameId=frame["id"])["result"]
            assert first in body
            editor.ask("continue", threadId=thread)
            deployment.wait_for(first, status="READY")
            deployment.put(second, photo())
            stopped(editor)
    # The command has ended while the function was stopped.
    deployment.wait_for(second, status="READY")
    deployment.put(later, photo())
    deployment.wait_for(later, status="READY")
    eventually(lambda: depth(deployment["uploads_queue_url"]) == 0, "every message is deleted")
    for key in (first, second, later):
        begun = [line for line in deployment.log_lines("thumbnailer", key) if '"message":"begun"' in line]
        assert len(begun) == 1, begun
        assert '"deliveries":1' in begun[0]


def test_pdb_in_the_terminal_stops_in_the_handler(deployment: Deployment, tmp_path: Path) -> None:
    key = unique("pdb.jpg")
    with debugging(tmp_path, "--pdb") as (said, process):
        eventually(lambda: "pdb is connected" in said.read_text(), "pdb is connected")
        deployment.put(key, photo())
        eventually(lambda: "handler.py" in (tmp_path / "shown").read_text(), "pdb stops in the handler")
        assert process.stdin
        process.stdin.write(b"p event['Records'][0]['body'].count('" + key.encode() + b"')\ncontinue\n")
        process.stdin.flush()
        deployment.wait_for(key, status="READY")
        assert "(Pdb) 1\n" in (tmp_path / "shown").read_text()
    eventually(lambda: depth(deployment["uploads_queue_url"]) == 0, "the message is deleted")
