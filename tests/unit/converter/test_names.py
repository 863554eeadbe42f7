"""Names of columns and datasets are valid in Athena, and equal sources get equal names in every file."""

import json
import random
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from converter.names import PARTITION, Columns

from .conftest import Run

SOURCES = [
    "id",
    "ID",
    "Id",
    "a",
    "a_2",
    "a_3",
    "Total €",
    "Total $",
    "total",
    "名前",
    "年齢",
    "dt",
    "DT",
    "dt_2",
    "---",
]


def names_of(outcome: Any) -> dict[str, str]:
    return {column["source"]: column["name"] for column in outcome.facts["columns"]}


def test_column_names_are_valid_in_athena(run: Run) -> None:
    outcome = run("a.csv", '"Größe (cm)",dt,2nd,a,a,"","SELECT ""x"" --"\n1,2,3,4,5,6,7\n')
    assert [column["name"] for column in outcome.facts["columns"]] == [
        "grosse_cm",
        "dt_2",
        "n2nd",
        "a",
        "a_2",
        "column6",
        "select_x",
    ]
    assert outcome.facts["columns"][0]["source"] == "Größe (cm)"


def test_names_that_differ_only_in_removed_characters_stay_different(run: Run) -> None:
    sources = ["名前", "年齢", "Total €", "Total £", "売上2026", "在庫2026", "x" * 200 + "1", "x" * 200 + "2"]
    names = [
        outcome.facts["columns"][1]["name"] for outcome in (run("a.csv", f"id,{source}\n1,x\n") for source in sources)
    ]
    assert len(set(names)) == len(sources)
    plain = [re.sub("_[0-9a-f]{8}$", "", name) for name in names]
    assert plain == ["column", "column", "total", "total", "n2026", "n2026", "x" * 200, "x" * 200]


def test_a_valid_name_stays_if_other_names_would_become_equal_to_it() -> None:
    assert Columns(9, ["ID", "id"]).names() == ["id_3843971d", "id"]
    assert Columns(9, ["a", "a", "a_2"]).names() == ["a", "a_3", "a_2"]


@pytest.mark.parametrize(
    ("name", "content", "source"),
    [
        ("a.csv", b"n,pr\xe9is\n" + "é,x\n".encode() * 5, "pr?is"),
        ("a.jsonl", b'{"\\ud800": 1}\n' * 4 + b'{"\\ud800": "x"}\n', "?"),
    ],
)
def test_a_column_whose_name_is_not_text_has_a_name_in_the_manifest(
    run: Run, name: str, content: bytes, source: str
) -> None:
    outcome = run(name, content)
    assert source in names_of(outcome)
    json.dumps(outcome.facts, ensure_ascii=False).encode()


@given(st.lists(st.sampled_from(SOURCES)), st.randoms())
def test_a_name_does_not_depend_on_the_position_of_its_column(header: list[str], order: random.Random) -> None:
    shuffled = order.sample(header, len(header))
    named = [sorted(zip(sources, Columns(99, sources).names(), strict=True)) for sources in (header, shuffled)]
    assert named[0] == named[1]
    names = [name for _, name in named[0]]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch("[a-z][a-z0-9_]*", name) and name != PARTITION for name in names)
