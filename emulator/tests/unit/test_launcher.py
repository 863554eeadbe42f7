import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from embedded_localstack import cli, endings, inventory, launch, probe, processes, status, stop
from embedded_localstack.launch import Started, up
from embedded_localstack.state import Home, LaunchError, PortTakenError, Run
from embedded_localstack.stop import down, forget, restart

FAKE = [sys.executable, str(Path(__file__).with_name("fake_server.py"))]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(launch, "SERVER", FAKE)
    monkeypatch.setattr(endings, "STOP_SECONDS", 1)
    home = Home(free_port(), tmp_path / "state")
    yield home
    forget(home)
    assert processes.belonging_to(home.path) == []


def options(home: Home) -> list[str]:
    return ["--port", str(home.port), "--home", str(home.path)]


def kill(run: Run) -> None:
    os.kill(run.pid, signal.SIGKILL)
    os.waitpid(run.pid, 0)


def test_up_waits_for_health_and_a_second_one_changes_nothing(home: Home):
    started = up(home)
    assert started.now
    assert probe.health(home.port) is not None
    assert up(home) == Started(started.run, now=False)


def test_the_health_of_the_server_is_asked_without_a_proxy(home: Home, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    up(home)
    assert probe.health(home.port) is not None


def test_two_at_once_start_one(home: Home):
    results: list[Started] = []
    threads = [threading.Thread(target=lambda: results.append(up(home))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(started.now for started in results) == [False, False, True]
    assert len({started.run.pid for started in results}) == 1


def test_a_folder_that_another_one_marks_in_this_moment_is_its_own(home: Home, monkeypatch: pytest.MonkeyPatch):
    exists = Path.exists

    def check_just_before_the_mark(path: Path) -> bool:
        path_exists = exists(path)
        (home.path / ".lock").touch()
        return path_exists

    monkeypatch.setattr(Path, "exists", check_just_before_the_mark)
    with home.locked():
        pass


@pytest.mark.parametrize("kind", [[], ["deaf"]], ids=["orderly", "ignores SIGTERM"])
def test_down_forget_leaves_no_process_and_no_state(home: Home, monkeypatch: pytest.MonkeyPatch, kind: list[str]):
    monkeypatch.setattr(launch, "SERVER", FAKE + kind)
    run = up(home).run
    family = [run.pid, *processes.descendants(run.pid)]
    assert len(family) == 2
    assert f"stopped (process {run.pid})" in forget(home).text
    assert processes.wait_gone(family, 0) == []
    assert home.load() is None
    assert not home.temporary.exists()
    assert not home.snapshot.exists()
    assert home.log.exists(), "the log says why"
    assert down(home) == "not running"


def test_down_keeps_what_is_deployed_until_it_is_forgotten(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(inventory, "read", lambda _port: {"s3": ["photos"]})
    run = up(home).run
    family = [run.pid, *processes.descendants(run.pid)]
    assert cli.main(["down", *options(home)]) == 0
    assert f"stopped (process {run.pid}); what was deployed is kept in {home.snapshot}" in capsys.readouterr().out
    assert processes.wait_gone(family, 0) == []
    assert home.snapshot.is_dir()
    assert cli.main(["status", *options(home)]) == 3
    assert "what was deployed is kept" in capsys.readouterr().out
    assert "not running; what was deployed is kept" in down(home)
    assert cli.main(["down", "--forget", *options(home)]) == 0
    assert "removed with it, in us-east-1:\n  s3               1  photos" in capsys.readouterr().out
    assert not home.snapshot.exists()
    assert up(home).restored is False


def test_up_restores_what_down_kept(home: Home, capsys: pytest.CaptureFixture[str]):
    up(home)
    home.denials.write_text("one\n")
    down(home)
    assert cli.main(["up", *options(home)]) == 0
    assert "with everything that was kept" in capsys.readouterr().out
    assert home.snapshot.is_dir(), "for the server, which removes it when it is restored"
    assert home.denials.read_text() == "one\n"


@pytest.mark.parametrize("stop_it", [down, restart])
def test_a_server_that_cannot_write_its_state_down_still_runs(
    home: Home, monkeypatch: pytest.MonkeyPatch, stop_it: Callable[[Home], object]
):
    monkeypatch.setattr(launch, "SERVER", [*FAKE, "full"])
    run = up(home).run
    with pytest.raises(
        LaunchError, match=r"not stopped: .*no space left on device.* The server still runs, with everything in it"
    ):
        stop_it(home)
    assert up(home) == Started(run, now=False)
    assert forget(home).text == f"stopped (process {run.pid})"


@pytest.mark.parametrize("command", ["down", "restart"])
def test_a_service_whose_state_cannot_be_kept_is_named_and_can_be_given_up(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
):
    monkeypatch.setattr(launch, "SERVER", [*FAKE, "unkept"])
    run = up(home).run
    assert cli.main([command, *options(home)]) == 1
    message = capsys.readouterr().err
    assert "not stopped: the state of acm cannot be kept (acm: PicklingError: a key)" in message
    assert f"and lose the state of acm only: embedded-localstack {command} --without acm" in message
    assert run.running()
    assert cli.main([command, "--without", "acm", *options(home)]) == 0
    assert not run.running()
    assert home.snapshot.is_dir()


def test_a_service_whose_state_could_not_be_restored_is_named(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(launch, "SERVER", [*FAKE, "damaged"])
    assert cli.main(["up", *options(home)]) == 0
    message = capsys.readouterr().err
    assert "the state of ssm could not be restored (EOFError: Ran out of input); ssm is empty" in message
    assert f"what was saved is kept in {home.unrestored}" in message


@pytest.mark.parametrize("stop_it", [down, restart])
def test_a_server_that_ends_without_its_state_is_reported(
    home: Home, monkeypatch: pytest.MonkeyPatch, stop_it: Callable[[Home], object]
):
    monkeypatch.setattr(launch, "SERVER", [*FAKE, "forgetful"])
    run = up(home).run
    family = [run.pid, *processes.descendants(run.pid)]
    with pytest.raises(LaunchError, match="what was deployed is lost"):
        stop_it(home)
    assert processes.wait_gone(family, 0) == []
    assert home.load() is None


def test_a_server_that_does_not_answer_is_not_ended_by_down(home: Home, monkeypatch: pytest.MonkeyPatch):
    run = up(home).run
    monkeypatch.setattr(launch, "ANSWER_SECONDS", 0.2)
    os.kill(run.pid, signal.SIGSTOP)
    with pytest.raises(LaunchError, match=r"does not answer.* down --forget"):
        down(home)
    assert home.load() == run
    assert f"stopped (process {run.pid})" in forget(home).text


def test_a_state_that_takes_long_to_write_is_not_cut_off(home: Home, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(launch, "SERVER", [*FAKE, "slow"])
    run = up(home).run
    monkeypatch.setattr(stop, "SAVE_SECONDS", 0)
    with pytest.raises(LaunchError, match="is still saving its state"):
        down(home)
    assert home.load() == run


def test_a_restart_keeps_state_environment_and_records_and_no_process(home: Home, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("IAM_AUDIT", "1")
    before = up(home).run
    family = [before.pid, *processes.descendants(before.pid)]
    home.denials.write_text("one\n")
    (home.temporary / "left").touch()
    monkeypatch.delenv("IAM_AUDIT")
    after = restart(home)
    assert processes.wait_gone(family, 0) == []
    assert after.pid != before.pid
    assert home.load() == after
    assert processes.environ(after.pid)["IAM_AUDIT"] == "1"
    assert home.denials.read_text() == "one\n"
    assert not (home.temporary / "left").exists()
    assert home.snapshot.is_dir(), "for the new server"


def test_a_restart_that_fails_keeps_the_state_for_the_next_start(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    arguments = ["--port", str(home.port), "--home", str(home.path)]
    up(home)
    home.denials.write_text("one\n")
    monkeypatch.setattr(launch, "SERVER", [*FAKE, "crash"])
    assert cli.main(["restart", *arguments]) == 1
    assert f"what was deployed is still kept in {home.snapshot}" in capsys.readouterr().err
    assert processes.belonging_to(home.path) == []
    assert not home.temporary.exists()
    with pytest.raises(LaunchError, match="up tries again to restore it, down --forget removes it"):
        up(home)
    monkeypatch.setattr(launch, "SERVER", FAKE)
    assert cli.main(["up", *arguments]) == 0
    assert "with everything that was kept" in capsys.readouterr().out
    assert home.snapshot.is_dir(), "for the new server"
    assert home.denials.read_text() == "one\n"


def test_only_a_running_server_is_restarted(home: Home, capsys: pytest.CaptureFixture[str]):
    assert cli.main(["restart", "--port", str(home.port), "--home", str(home.path)]) == 1
    assert "not running; start it with: embedded-localstack up" in capsys.readouterr().err


def test_down_after_the_server_was_killed_finds_its_orphans(home: Home):
    run = up(home).run
    orphans = processes.descendants(run.pid)
    os.kill(run.pid, signal.SIGKILL)
    os.waitpid(run.pid, 0)
    assert len(processes.belonging_to(home.path)) == 1
    assert status.report(home)["state"] == "stale"
    assert (
        down(home)
        == "the server was gone, and what was deployed in it with it; ended 1 process(es) that it left behind"
    )
    assert processes.wait_gone(orphans, 0) == []


def test_up_after_the_server_was_killed_says_what_is_lost(home: Home, capsys: pytest.CaptureFixture[str]):
    first = up(home).run
    kill(first)
    assert cli.main(["up", *options(home)]) == 0
    lost = f"the server before (process {first.pid}) ended without being stopped: what was deployed in it is lost"
    assert lost in capsys.readouterr().out
    assert len(processes.belonging_to(home.path)) == 2
    down(home)
    assert cli.main(["up", *options(home)]) == 0
    assert "lost" not in capsys.readouterr().out


def test_a_process_that_reuses_a_recorded_id_is_not_ended(home: Home):
    with subprocess.Popen(["sleep", "60"]) as bystander:
        with home.locked():
            home.save(Run(bystander.pid, processes.start_ticks(bystander.pid) - 1, home.port, iam=True))
        assert status.report(home)["state"] == "stale"
        down(home)
        assert bystander.poll() is None
        bystander.kill()


def test_a_foreign_server_on_the_port_is_named_and_not_touched(home: Home, capsys: pytest.CaptureFixture[str]):
    environment = {**os.environ, "GATEWAY_LISTEN": f"127.0.0.1:{home.port}"}
    with subprocess.Popen(FAKE, env=environment, start_new_session=True) as foreign:
        while probe.health(home.port) is None:
            time.sleep(0.02)
        with pytest.raises(
            PortTakenError,
            match=rf"port {home.port} is in use by process {foreign.pid} .*was not started here.* --port \d+",
        ):
            up(home)
        arguments = ["--port", str(home.port), "--home", str(home.path)]
        assert cli.main(["up", *arguments]) == 4
        assert cli.main(["status", *arguments]) == 3
        assert f"process {foreign.pid}" in capsys.readouterr().out
        down(home)
        assert foreign.poll() is None
        processes.send([*processes.descendants(foreign.pid), foreign.pid], signal.SIGKILL)


def test_a_server_that_ends_at_once_is_reported_with_its_output(home: Home, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(launch, "SERVER", [*FAKE, "crash"])
    with pytest.raises(LaunchError, match="no such service"):
        up(home)
    assert home.load() is None


@pytest.mark.parametrize("command", ["up", "down", "restart"])
def test_a_folder_of_another_owner_is_not_changed(home: Home, capsys: pytest.CaptureFixture[str], command: str):
    theirs = home.path.with_name("theirs")
    (theirs / "tmp").mkdir(parents=True)
    (theirs / "tmp" / "thesis.txt").write_text("years of work")
    with subprocess.Popen(["sleep", "60"], env={**os.environ, "HOME": str(theirs / "me")}) as stranger:
        assert cli.main([command, "--port", str(home.port), "--home", str(theirs)]) == 1
        assert stranger.poll() is None
        stranger.kill()
    assert f"{theirs} is not a folder of an embedded LocalStack" in capsys.readouterr().err
    assert [str(path.relative_to(theirs)) for path in sorted(theirs.rglob("*"))] == ["tmp", "tmp/thesis.txt"]


def test_commands_and_exit_codes(home: Home, capsys: pytest.CaptureFixture[str]):
    arguments = ["--port", str(home.port), "--home", str(home.path)]
    assert cli.main(["status", *arguments]) == 3
    assert cli.main(["up", *arguments]) == 0
    assert "started in" in capsys.readouterr().out
    assert cli.main(["up", *arguments]) == 0
    assert "runs already" in capsys.readouterr().out
    assert cli.main(["status", "--json", *arguments]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["state"], result["version"], result["iam_enforced"]) == ("running", "4.14.0", True)
    assert (result["running"], result["url"], result["port"]) == (True, f"http://127.0.0.1:{home.port}", home.port)
    assert (result["refusals"], result["denials"]) == (0, [])
    assert cli.main(["logs", *arguments]) == 0
    assert cli.main(["down", *arguments]) == 0


def test_up_and_status_say_when_iam_is_off(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("IAM_ENFORCE", "0")
    arguments = ["--port", str(home.port), "--home", str(home.path)]
    cli.main(["up", *arguments])
    cli.main(["status", *arguments])
    assert capsys.readouterr().out.count("NOT") == 2


def test_read_only_code_is_removed_too(home: Home):
    code = home.temporary / "lambda" / "code"
    with home.locked():
        code.mkdir(parents=True)
    (code / "handler.py").write_text("")
    code.chmod(0o555)
    home.clean()
    assert not home.temporary.exists()


@pytest.mark.parametrize("port", ["0", "65536", "-1", "http", ""])
def test_an_invalid_port_is_wrong_usage(port: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit, match="2"):
        cli.main(["status", f"--port={port}"])
    assert "port" in capsys.readouterr().err


def test_a_folder_that_cannot_be_made_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "file").touch()
    assert cli.main(["up", "--home", str(tmp_path / "file" / "below")]) == 1
    assert "choose a folder that can be written to" in capsys.readouterr().err


def test_a_followed_log_continues_after_a_restart(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    with home.locked():
        home.log.write_text("what the first server said\n")

    def meanwhile() -> Iterator[None]:
        home.log.write_text("the second\n")
        yield
        yield
        raise KeyboardInterrupt

    steps = meanwhile()
    monkeypatch.setattr(cli.time, "sleep", lambda _: next(steps))
    assert cli.main(["logs", "-f", "--port", str(home.port), "--home", str(home.path)]) == 0
    assert capsys.readouterr().out == "what the first server said\nthe second\n"


def test_moto_beside_moto_ext_is_refused(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    both = [SimpleNamespace(name="moto"), SimpleNamespace(name="moto-ext")]
    monkeypatch.setattr(launch.metadata, "distributions", lambda: both)
    assert cli.main(["up", *options(home)]) == 1
    assert "install embedded-localstack in its own virtual environment" in capsys.readouterr().err
