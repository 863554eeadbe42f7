"""An upload chooses files and keys, and refuses unsuitable ones before it sends anything."""

import os
from pathlib import Path

import pytest

from eventloom.errors import UserError
from eventloom.sources import FILE_BYTES, collect

ODD = ["with space.jpg", 'it\'s "$5".jpg', "사진 é+&=#?%.jpg", "-n.jpg", "back\\slash.jpg", "two\nlines.jpg"]


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    return path


def keys(*paths: Path, prefix: str = "") -> dict[str, Path]:
    return {source.key: source.file for source in collect(paths, prefix).files}


@pytest.mark.parametrize("name", ODD)
def test_a_file_gets_its_own_name_as_key(tmp_path: Path, name: str) -> None:
    file = touch(tmp_path / "below" / name)
    assert keys(file) == {name: file}
    assert keys(tmp_path) == {f"below/{name}": file}


@pytest.mark.parametrize(
    ("prefix", "key"),
    [
        ("", "2026/a.jpg"),
        ("x y", "x y/2026/a.jpg"),
        ("x/y/", "x/y/2026/a.jpg"),
        ("/", "2026/a.jpg"),
        ("/x", "x/2026/a.jpg"),
    ],
)
def test_files_below_a_folder_keep_their_path_below_the_prefix(tmp_path: Path, prefix: str, key: str) -> None:
    file = touch(tmp_path / "2026" / "a.jpg")
    assert keys(tmp_path, prefix=prefix) == {key: file}


def test_a_folder_is_sent_in_the_order_of_its_names_whatever_its_depth(tmp_path: Path) -> None:
    for name in ("b/2.jpg", "b/1.jpg", "a/deep/er/3.jpg", "0.jpg"):
        touch(tmp_path / name)
    assert list(keys(tmp_path)) == ["0.jpg", "a/deep/er/3.jpg", "b/1.jpg", "b/2.jpg"]


def test_the_current_folder_is_a_folder_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path / "a.jpg")
    monkeypatch.chdir(tmp_path)
    assert list(keys(Path())) == ["a.jpg"]


def test_two_files_with_one_key_are_refused_with_both_names(tmp_path: Path) -> None:
    first, second = touch(tmp_path / "a" / "photo.jpg"), touch(tmp_path / "b" / "photo.jpg")
    with pytest.raises(UserError) as error:
        collect([first, tmp_path / "b"])
    assert "'photo.jpg'" in error.value.message
    assert str(first) in error.value.message
    assert str(second) in error.value.message
    assert "nothing was sent" in error.value.message


def test_one_file_named_twice_is_sent_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = touch(tmp_path / "photo.jpg")
    monkeypatch.chdir(tmp_path)
    assert len(collect([file, Path("photo.jpg"), tmp_path]).files) == 1


def test_hidden_entries_links_to_folders_and_pipes_are_left_out_with_a_reason(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    files = [touch(folder / "a.jpg"), touch(folder / "sub" / "b.jpg")]
    elsewhere = touch(tmp_path / "elsewhere" / "c.jpg")
    (folder / "linked.jpg").symlink_to(elsewhere)
    touch(folder / ".DS_Store")
    touch(folder / ".git" / "d.jpg")
    (folder / "link").symlink_to(elsewhere.parent)
    (folder / "broken.jpg").symlink_to(tmp_path / "nowhere")
    os.mkfifo(folder / "pipe")
    sources = collect([folder])
    assert [source.file for source in sources.files] == [files[0], folder / "linked.jpg", files[1]]
    assert {entry.removeprefix(f"{folder}/") for entry in sources.skipped} == {
        ".DS_Store (hidden)",
        ".git (hidden)",
        "link (a link to a folder)",
        "broken.jpg (not a regular file)",
        "pipe (not a regular file)",
    }


def test_a_hidden_file_that_is_named_is_sent(tmp_path: Path) -> None:
    assert list(keys(touch(tmp_path / ".photo.jpg"))) == [".photo.jpg"]


def test_a_missing_file_a_pipe_and_an_empty_folder_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "empty").mkdir()
    for name, message in (
        ("missing", "no file or folder"),
        ("pipe", "neither a file nor a folder"),
        ("empty", "no file to send"),
    ):
        with pytest.raises(UserError, match=message):
            collect([tmp_path / name])


def test_a_folder_of_hidden_files_only_says_so(tmp_path: Path) -> None:
    touch(tmp_path / ".hidden.jpg")
    with pytest.raises(UserError, match=r"no file to send in .* but .*\.hidden\.jpg \(hidden\)"):
        collect([tmp_path])


def test_a_name_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    file = tmp_path / os.fsdecode(b"caf\xe9.jpg")
    touch(file)
    with pytest.raises(UserError, match="not UTF-8") as error:
        collect([file])
    error.value.message.encode()


def test_a_key_that_s3_does_not_take_is_refused(tmp_path: Path) -> None:
    file = touch(tmp_path / f"{'가' * 80}.jpg")
    with pytest.raises(UserError, match=r"1,0.. bytes and S3 takes 1,024"):
        collect([file], "p" * 800)


def test_a_file_larger_than_a_request_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "large.tif").open("wb") as file:
        file.truncate(FILE_BYTES + 1)
    with pytest.raises(UserError, match="more than 5 GiB"):
        collect([tmp_path])
