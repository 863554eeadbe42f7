"""Test that a new version of a function shares its unchanged files with the previous version."""

import io
import zipfile
from pathlib import Path

import pytest

from embedded_localstack.executor.code_files import set_writable
from embedded_localstack.patches.lambda_code import Unpacked, Uploads, contents, unpack

OLD = {"app.py": b"old", "lib/a.py": b"same", "lib/deep/b.py": b"same too", "lib/gone.py": b"gone"}
NEW = {"app.py": b"new", "lib/a.py": b"same", "lib/deep/b.py": b"same too", "lib/more.py": b"more"}


def archive(files: dict[str, bytes]) -> io.BytesIO:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as bundle:
        for name, data in files.items():
            bundle.writestr(name, data)
    return content


def unpacked(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def before(tmp_path: Path) -> Unpacked:
    """Return the previous version, as LocalStack has unpacked it."""
    folder = tmp_path / "before" / "code"
    with zipfile.ZipFile(archive(OLD)) as bundle:
        bundle.extractall(folder)
    return Unpacked(folder, contents(archive(OLD)))


def test_only_what_changed_is_written(tmp_path: Path, before: Unpacked):
    target = tmp_path / "after" / "code"
    assert unpack(archive(NEW), target, before, contents(archive(NEW)))
    assert unpacked(target) == NEW
    assert unpacked(before.folder) == OLD
    shared = {
        name for name in NEW if (before.folder / name).exists() and (target / name).samefile(before.folder / name)
    }
    assert shared == {"lib/a.py", "lib/deep/b.py"}


def test_the_version_before_may_be_gone(tmp_path: Path, before: Unpacked):
    (before.folder / "lib" / "a.py").unlink()
    target = tmp_path / "after" / "code"
    assert unpack(archive(NEW), target, before, contents(archive(NEW)))
    assert unpacked(target) == NEW


def test_a_version_can_be_removed_without_a_change_to_the_other(tmp_path: Path, before: Unpacked):
    target = tmp_path / "after" / "code"
    unpack(archive(NEW), target, before, contents(archive(NEW)))
    for folder in (before.folder, target):
        set_writable(folder, writable=False)
    set_writable(before.folder, writable=True)
    assert (target / "lib" / "a.py").stat().st_mode & 0o222 == 0
    for path in sorted(before.folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    assert unpacked(target) == NEW


def test_empty_folders_are_made(tmp_path: Path, before: Unpacked):
    files = {"empty/": b"", "app.py": b"x"}
    target = tmp_path / "after" / "code"
    assert unpack(archive(files), target, before, contents(archive(files)))
    assert unpacked(target) == {"app.py": b"x"}
    assert (target / "empty").is_dir()


def broken() -> io.BytesIO:
    data = archive({"app.py": b"content"}).getvalue()
    return io.BytesIO(data.replace(b"content", b"damaged", 1))


def test_a_damaged_zip_is_left_to_localstack(tmp_path: Path, before: Unpacked):
    target = tmp_path / "after" / "code"
    assert not unpack(broken(), target, before, contents(broken()))
    assert list(target.parent.iterdir()) == []


def link() -> io.BytesIO:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as bundle:
        entry = zipfile.ZipInfo("link")
        entry.external_attr = 0o120777 << 16
        bundle.writestr(entry, "/etc/passwd")
    return content


def twice() -> io.BytesIO:
    content = archive({"app.py": b"one"})
    with zipfile.ZipFile(content, "a") as bundle, pytest.warns(UserWarning, match="Duplicate"):
        bundle.writestr("app.py", b"two")
    return content


@pytest.mark.parametrize(
    "make",
    [link, twice, lambda: archive({"../app.py": b"x"}), lambda: archive({"/app.py": b"x"}), lambda: io.BytesIO(b"x")],
    ids=["a link", "a name twice", "above", "absolute", "no zip"],
)
def test_nothing_is_linked_in_a_zip_with(make):
    assert contents(make()) == {}


def test_uploads_leave_when_they_are_unpacked_or_when_they_are_too_large_together():
    uploads = Uploads(max_bytes=10)
    for name in ("first", "second", "third"):
        uploads.add(name, b"12345")
    assert [uploads.get(name) for name in ("first", "second", "third")] == [None, b"12345", b"12345"]
    uploads.remove("second")
    uploads.remove("second")
    assert uploads.get("second") is None
    uploads.add("large", b"12345678901")
    assert [uploads.get(name) for name in ("third", "large")] == [None, None]
