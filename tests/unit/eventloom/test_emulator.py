"""The commands call the embedded LocalStack's command line, and up, down and restart report its answers."""

import json
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from eventloom import clouds
from eventloom.cli import main
from eventloom.emulator import PYTHON, Emulator, embedded
from eventloom.errors import UserError

SCRIPT = """\
#!/bin/sh
printf '%s\\n' "$@" >"{folder}/arguments"
{body}
"""


def emulator(folder: Path, body: str) -> Emulator:
    """Return an emulator whose interpreter is a shell script."""
    python = folder / "python"
    python.write_text(SCRIPT.format(folder=folder, body=body))
    python.chmod(0o755)
    return Emulator(4999, folder / "the home", python)


def arguments(folder: Path) -> list[str]:
    return (folder / "arguments").read_text().splitlines()


def typed(emulator: Emulator, *words: str) -> Result:
    return CliRunner().invoke(main, list(words), obj=emulator)


@pytest.fixture(autouse=True)
def same_port_afterwards() -> Iterator[None]:
    port = clouds.CLOUDS["embedded"].port
    assert port
    yield
    clouds.use_port(port)


@pytest.mark.parametrize("words", [["up"], ["down"], ["down", "--forget"], ["restart"]])
def test_a_command_is_passed_on_with_port_and_home(tmp_path: Path, words: list[str]) -> None:
    fake = emulator(tmp_path, "echo 'embedded LocalStack: done'")
    result = typed(fake, *words)
    assert (result.exit_code, result.stdout) == (0, "embedded LocalStack: done\n")
    name, *options = words
    assert arguments(tmp_path) == [
        "-P",
        "-m",
        "embedded_localstack",
        name,
        "--port",
        "4999",
        "--home",
        str(fake.home),
        *options,
    ]


def test_a_failure_is_one_sentence_and_exits_with_1(tmp_path: Path) -> None:
    fake = emulator(tmp_path, "echo 'embedded LocalStack: port 4999 is taken by process 1; stop it' >&2; exit 4")
    result = typed(fake, "up")
    assert (result.exit_code, result.stdout, result.stderr) == (
        1,
        "",
        "Error: port 4999 is taken by process 1; stop it\n",
    )


def test_a_failure_without_words_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="'up' failed"):
        emulator(tmp_path, "exit 1").run("up", doing="starting")


def test_the_report_is_what_status_prints(tmp_path: Path) -> None:
    facts = {"state": "stopped", "denials": []}
    assert emulator(tmp_path, f"echo '{json.dumps(facts)}'; exit 3").report() == facts
    assert arguments(tmp_path)[3:] == ["status", "--port", "4999", "--home", str(tmp_path / "the home"), "--json"]


def test_a_report_that_is_not_json_gives_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not say how it is: no module"):
        emulator(tmp_path, "echo 'no module' >&2; exit 1").report()


@pytest.mark.parametrize(("port", "folder"), [(4566, "localstack"), (4652, "localstack-4652")])
def test_each_port_has_a_home_of_its_own(port: int, folder: str) -> None:
    clouds.use_port(port)
    assert embedded() == Emulator(port, clouds.BUILD / folder, PYTHON)


@pytest.mark.parametrize("port", ["0", "65536", "x"])
def test_a_port_that_is_none_is_wrong_usage(tmp_path: Path, port: str) -> None:
    assert typed(emulator(tmp_path, ""), "up", "--port", port).exit_code == 2


def test_ctrl_c_lets_the_command_finish(tmp_path: Path) -> None:
    """An interrupted start would leave a server that does not answer yet."""
    fake = emulator(tmp_path, f"touch {tmp_path}/begun; sleep 2; touch {tmp_path}/finished")
    program = textwrap.dedent(
        f"""
        import os, signal, sys, threading, time
        from pathlib import Path
        from eventloom.cli import main
        from eventloom.emulator import Emulator

        def interrupt():
            while not Path({str(tmp_path / "begun")!r}).exists():
                time.sleep(0.05)
            os.killpg(0, signal.SIGINT)

        threading.Thread(target=interrupt).start()
        main(["up"], obj=Emulator(4999, Path({str(fake.home)!r}), Path({str(fake.python)!r})))
        """
    )

    def default_signal() -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)

    done = subprocess.run(
        [sys.executable, "-c", program],
        check=False,
        capture_output=True,
        text=True,
        start_new_session=True,
        preexec_fn=default_signal,
    )
    assert done.returncode == 130, done.stderr
    assert (tmp_path / "finished").exists()
    assert "'up' finishes first" in done.stderr
