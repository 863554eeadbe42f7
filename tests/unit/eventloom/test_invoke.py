"""`invoke` sends an event, and reports the answer."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from eventloom import clouds
from eventloom.errors import UserError
from eventloom.invoke import MAX_PAYLOAD, TAIL_BYTES, failure, print_answer, read_payload, tail_records

NOW = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    folder = tmp_path / "events"
    folder.mkdir()
    (folder / "put.json").write_text('{"a": "ü"}')
    (folder / "delete.json").write_text("{}")
    return folder


@pytest.mark.parametrize("event", ["put", "put.json"])
def test_an_event_is_named_with_or_without_its_extension(event: str, samples: Path) -> None:
    assert json.loads(read_payload(event, samples)) == {"a": "ü"}


def test_an_event_is_any_file(samples: Path, tmp_path: Path) -> None:
    file = tmp_path / "my $event 'x'.json"
    file.write_bytes(b'\xef\xbb\xbf{"b": 1}')
    assert json.loads(read_payload(str(file), samples)) == {"b": 1}


def test_without_an_event_a_function_without_samples_gets_an_empty_object(tmp_path: Path) -> None:
    assert read_payload(None, tmp_path / "events") == b"{}"


@pytest.mark.parametrize(
    ("event", "words"), [(None, "needs an event"), ("nosuch", "there is no event 'nosuch'"), ("", "no event ''")]
)
def test_a_missing_event_is_answered_with_the_names_of_the_samples(
    event: str | None, words: str, samples: Path
) -> None:
    with pytest.raises(UserError, match=words) as caught:
        read_payload(event, samples)
    assert "(delete, put)" in caught.value.message


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe\xff", b"NaN", b"[" * 200_000])
def test_an_event_that_is_not_json_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "e.json").write_bytes(content)
    with pytest.raises(UserError, match=r"e\.json is not JSON"):
        read_payload(str(tmp_path / "e.json"), tmp_path)


def test_an_event_that_lambda_would_refuse_for_its_size_is_not_sent(tmp_path: Path) -> None:
    (tmp_path / "e.json").write_text(json.dumps("x" * (MAX_PAYLOAD - 2)))
    assert len(read_payload("e", tmp_path)) == MAX_PAYLOAD
    (tmp_path / "e.json").write_text(json.dumps("x" * (MAX_PAYLOAD + 99_999)))
    with pytest.raises(UserError, match=r"6\.1 MB and Lambda accepts 6 MB"):
        read_payload("e", tmp_path)


def test_a_first_line_that_is_cut_off_is_left_out() -> None:
    tail = b'cut off"}\n{"level": "INFO", "message": "whole"}\n'
    assert [record.message for record in tail_records("hello", tail, NOW)] == ['cut off"}', "whole"]
    assert [record.message for record in tail_records("hello", tail.rjust(TAIL_BYTES, b"x"), NOW)] == ["whole"]


def test_stdout_gets_the_answer_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_answer('{"a":\n [1, "\\u001b사진"]}')
    assert capsys.readouterr() == ('{"a": [1, "\\u001b사진"]}\n', "")


def test_an_answer_that_is_not_json_is_printed_without_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    print_answer("\x1b[2J [bold]text")
    assert capsys.readouterr().out == "\\x1b[2J [bold]text\n"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ('{"errorType": "KeyError", "errorMessage": "\'a\\u001b\'"}', r"KeyError: 'a\x1b'"),
        ('{"errorMessage": "Task timed out after 3.00 seconds"}', "Task timed out after 3.00 seconds"),
        ("null", "an unknown error"),
        ("<html>", "an unknown error"),
    ],
)
def test_a_failure_has_the_type_and_the_message_of_the_error(body: str, reason: str) -> None:
    assert failure("hello", body).startswith(f"hello failed with {reason}; ")


@pytest.mark.parametrize("cloud", ["embedded", "aws"])
def test_a_function_is_never_called_twice(cloud: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """boto3 waits 60 s and sends the request again, which would run a slow function several times."""
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    config = clouds.client("lambda", cloud, only_attempt_s=930).meta.config
    assert (config.read_timeout, config.retries["total_max_attempts"]) == (930, 1)
    assert clouds.client("lambda", cloud).meta.config.read_timeout == 60
