"""The command upload refuses mistakes before it needs a cloud, and prints results."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from eventloom import clouds, upload
from eventloom.cli import main
from eventloom.errors import UserError
from eventloom.sources import Source
from eventloom.uploads import NoResult, Upload
from eventloom.uploads import Result as PhotoResult


@pytest.fixture(autouse=True)
def same_cloud_afterwards() -> Iterator[None]:
    clouds.choose(None)
    yield
    clouds.choose(None)


def typed(*words: str) -> Result:
    return CliRunner().invoke(main, ["upload", *words])


def test_without_a_path_it_is_wrong_usage() -> None:
    assert typed().exit_code == 2


def test_files_with_one_key_are_refused_before_a_cloud_is_asked(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "it's $5.jpg").touch()
    result = typed(str(tmp_path / "a"), str(tmp_path / "b"))
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("Error: two files have the key 'it's $5.jpg': ")


def photo(key: str, status: str = "READY") -> PhotoResult:
    upload = Upload(Path("folder", key), key, f"id-{key}", "v1")
    return upload, {
        "image_id": upload.image_id,
        "status": status,
        "key": key,
        "reason_text": "It is damaged." if status == "REJECTED" else "",
    }


def test_json_is_one_object_a_line_as_results_come(capsys: pytest.CaptureFixture[str]) -> None:
    lines = []

    def pending() -> Iterator[PhotoResult]:
        yield photo("b.jpg")
        lines.extend(capsys.readouterr().out.splitlines())
        yield photo("a.jpg", "REJECTED")

    upload.follow("local", pending(), 2, as_json=True)
    lines += capsys.readouterr().out.splitlines()
    facts = [json.loads(line) for line in lines]
    assert [(fact["file"], fact["key"], fact["status"]) for fact in facts] == [
        ("folder/b.jpg", "b.jpg", "READY"),
        ("folder/a.jpg", "a.jpg", "REJECTED"),
    ]


def test_text_is_a_table_in_the_order_of_the_keys_and_a_summary(capsys: pytest.CaptureFixture[str]) -> None:
    upload.follow("local", [photo("b.jpg"), photo("a.jpg", "REJECTED")], 2, as_json=False)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:2] == ["a.jpg", "REJECTED"]
    assert lines[1].split()[:2] == ["b.jpg", "READY"]
    assert lines[-1] == "1 ready, 1 rejected"


def test_of_many_results_those_that_are_not_ready_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    upload.show([*(photo(f"{number}.jpg") for number in range(1000)), photo("bad.jpg", "REJECTED")])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["bad.jpg", "1,000"]


def test_without_a_result_the_message_names_the_files_and_what_to_look_at(capsys: pytest.CaptureFixture[str]) -> None:
    clouds.choose_for("dev")

    def pending() -> Iterator[PhotoResult]:
        yield photo("a.jpg")
        raise NoResult([photo("b.jpg")[0]], 120)

    with pytest.raises(UserError) as error:
        upload.follow("dev", pending(), 2, as_json=False)
    assert error.value.message == (
        "no result came within 120 s for b.jpg; look at ./eventloom status --env dev, ./eventloom logs thumbnailer "
        "--env dev "
        "and ./eventloom dlq list --env dev"
    )
    assert capsys.readouterr().out.splitlines()[-1] == "1 ready"


def test_without_waiting_it_prints_what_was_sent(capsys: pytest.CaptureFixture[str]) -> None:
    upload.report_sent("local", [photo("a.jpg")[0]], as_json=True)
    sent = {"file": "folder/a.jpg", "key": "a.jpg", "status": "SENT", "image_id": "id-a.jpg", "version_id": "v1"}
    assert json.loads(capsys.readouterr().out) == sent


def test_keys_that_exist_are_named_with_what_to_do() -> None:
    with pytest.raises(UserError) as error:
        upload.refuse_existing([Source(Path(f"{number}.jpg"), f"{number}.jpg") for number in range(7)])
    assert error.value.message == (
        "7 files were not sent, because the bucket has 0.jpg, 1.jpg, 2.jpg, 3.jpg, 4.jpg and 2 more; "
        "overwrite with --replace, or choose another --prefix"
    )
    upload.refuse_existing([])
