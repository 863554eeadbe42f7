"""`dev` detects saved files and the functions that they affect."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from eventloom.development.changes import changed, snapshot, sort
from eventloom.development.dev import report_terraform, saved
from eventloom.development.notifications import Notifications

NAMES = ("digest", "notifier")


@pytest.fixture
def functions(tmp_path: Path) -> Path:
    for path in ("digest/handler.py", "notifier/handler.py", "shared/text.py"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text("a")
    return tmp_path


def test_written_added_replaced_and_removed_files_are_noticed(functions: Path) -> None:
    before = snapshot([functions])
    (functions / "digest" / "handler.py").write_text("bb")
    (functions / "digest" / "new.py").write_text("")
    (functions / "shared" / "text.py").unlink()
    (functions / "notifier" / "swap").write_text("a")
    (functions / "notifier" / "swap").replace(functions / "notifier" / "handler.py")
    (functions / "digest" / ".handler.py.swp").write_text("")
    (functions / "digest" / "__pycache__").mkdir()
    (functions / "digest" / "__pycache__" / "a.pyc").write_text("")
    names = {str(path.relative_to(functions)) for path in changed(before, snapshot([functions]))}
    assert names == {"digest/handler.py", "digest/new.py", "shared/text.py", "notifier/handler.py"}


@pytest.mark.parametrize(
    ("path", "code", "dependencies"),
    [
        ("digest/handler.py", {"digest"}, set()),
        ("digest/pages/a.html", {"digest"}, set()),
        ("shared/text.py", {"digest", "notifier"}, set()),
        ("digest/requirements.txt", set(), {"digest"}),
        ("digest/README.md", set(), set()),
        ("digest/requirements.in", set(), set()),
        ("digest/events/schedule.json", set(), set()),
        ("digest/tests/test_a.py", set(), set()),
        ("another/handler.py", set(), set()),
        ("conftest.py", set(), set()),
    ],
)
def test_only_what_is_in_a_package_pushes_it(path: str, code: set[str], dependencies: set[str]) -> None:
    changes = sort([Path("/functions") / path], Path("/functions"), NAMES)
    assert (changes.code, changes.dependencies, changes.terraform) == (code, dependencies, [])


def test_a_change_of_terraform_is_reported_with_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    paths = [Path("/terraform/digest.tf"), Path("/terraform/api.tf"), Path("/terraform/README.md")]
    report_terraform(sort(paths, Path("/functions"), NAMES), [*NAMES], "local")
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("api.tf changed; ")
    assert lines[0].endswith("./eventloom deploy applies it")
    assert lines[1].endswith("./eventloom deploy --only digest applies it")


def test_a_save_is_yielded_once_it_is_complete(functions: Path) -> None:
    file = functions / "digest" / "handler.py"
    steps: Iterator[Callable[[], object]] = iter(
        (
            lambda: file.write_text("the whole"),
            lambda: None,
            lambda: None,
        )
    )

    def step(_: float) -> None:
        next(steps)()

    before = snapshot([functions])
    file.write_text("half")
    notifications = Notifications()
    try:
        saves = saved([functions], before, notifications, step)
        first = next(saves)
        (functions / "shared" / "text.py").unlink()
        second = next(saves)
    finally:
        notifications.close()
    assert [first, second] == [{file}, {functions / "shared" / "text.py"}]


def test_a_change_in_a_watched_folder_ends_the_wait(tmp_path: Path) -> None:
    notifications = Notifications()
    try:
        notifications.watch([tmp_path])
        (tmp_path / "handler.py").write_text("a")
        began = time.monotonic()
        notifications.wait(60)
        assert time.monotonic() - began < 30
    finally:
        notifications.close()


def test_without_notifications_the_wait_ends_by_itself(tmp_path: Path) -> None:
    notifications = Notifications()
    notifications.close()
    notifications.watch([tmp_path])
    notifications.wait(0)
