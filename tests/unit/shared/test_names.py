"""A file name survives S3's metadata, and nothing in it can harm a program that shows it."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.names import MAX_CHARS, clean, folded, from_metadata, of_key, to_metadata

NAMES = st.text(st.characters(), max_size=600)


@given(NAMES)
def test_a_cleaned_name_is_one_harmless_line(text: str) -> None:
    name = clean(text)
    if name is None:
        return
    assert 0 < len(name) <= MAX_CHARS
    assert clean(name) == name
    assert not {"\u202e", "\u2066", "\u200f", "\ufeff", "/", "\\", "\n", "\0"} & set(name)
    assert not {unicodedata.category(character) for character in name} & {"Cc", "Cs", "Zl", "Zp"}


@given(NAMES)
def test_a_name_survives_the_metadata_of_s3(text: str) -> None:
    name = clean(text)
    if name is None:
        return
    value = to_metadata(name)
    assert value.isascii()
    assert value.isprintable()
    assert value == value.strip()
    assert "  " not in value
    assert len("filename") + len(value) <= 2048
    assert from_metadata(value) == name


@given(st.text(max_size=2100))
def test_any_metadata_is_accepted(value: str) -> None:
    name = from_metadata(value)
    assert name is None or clean(name) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("My family photo (2) \u2013 Zürich, é.jpg", "My family photo (2) \u2013 Zürich, é.jpg"),
        ("C:\\Photos\\IMG 1.JPG", "IMG 1.JPG"),
        ("../../etc/passwd", "passwd"),
        ("❤️🏔️👩‍🚀.jpg", "❤️🏔️👩‍🚀.jpg"),
        ("photo\u202egpj.exe", "photogpj.exe"),
        ("a\tb\r\nc\u2028d.jpg", "abc d.jpg"),
        ("e\u0301.jpg", "é.jpg"),
        ("x" * 300 + ".jpeg", "x" * 250 + ".jpeg"),
        ("😀" * 251 + ".jpg", "😀" * 251 + ".jpg"),
        ("..", None),
        (" \u200e ", None),
        ("\ud800.jpg", ".jpg"),
    ],
)
def test_names_are_cleaned(text: str, name: str | None) -> None:
    assert clean(text) == name


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("sunset.jpg", "sunset.jpg"),
        ("=?UTF-8?B?7IKs7KeELmpwZw==?=", "사진.jpg"),
        ("=?UTF-8?Q?Z=C3=BCrich.jpg?=", "Zürich.jpg"),
        ("=?no-such-charset?Q?=FF?=", "=?no-such-charset?Q?=FF?="),
        (None, None),
        ("", None),
        ("a" * 2049, None),
    ],
)
def test_values_of_other_senders_are_read(value: str | None, name: str | None) -> None:
    assert from_metadata(value) == name


def test_a_search_ignores_case_accents_and_width() -> None:
    assert folded("ZÜRICH Straße") == folded("zurich strasse")
    assert folded("\uff21\uff22\uff23") == "abc"
    assert folded("가족") == "가족"


def test_the_name_of_a_key_leaves_out_the_random_part() -> None:
    assert of_key(f"web/2026/06/15/{'0' * 32}-a-b.jpg") == "a-b.jpg"
    assert of_key("cameras/7/c-1.jpg") == "c-1.jpg"
    assert [of_key(key) for key in ("album/", "2025/album//", "/")] == ["album", "album", "/"]
