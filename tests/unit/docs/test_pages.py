"""Pages and their lines are short, and the pages of both languages have the same commands and links."""

import re
from pathlib import Path

import pytest

from eventloom.clouds import ROOT

PAGES = sorted(
    page
    for pattern in ("README*.md", "AGENTS.md", "docs/**/*.md", "examples/README.md", "terraform/modules/*/README.md")
    for page in ROOT.glob(pattern)
)
HOW_TO = ROOT / "docs" / "how-to"
KOREAN = sorted([*ROOT.glob("*.ko.md"), *ROOT.glob("docs/**/*.ko.md")])
GENERATED = re.compile(r"<!-- (?:written by make bench: begin|inputs and outputs: make docs) -->.*", re.DOTALL)
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def name(page: Path) -> str:
    """Return the id of a parametrized test."""
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_no_line_of_prose_is_longer_than_120_characters(page: Path) -> None:
    """Tables, pictures and addresses are exempt, because they cannot be wrapped."""
    lines = GENERATED.sub("", page.read_text()).splitlines()
    assert [
        line for line in lines if len(line) > 120 and not line.startswith(("|", "![")) and "](https://" not in line
    ] == []


@pytest.mark.parametrize("page", sorted(HOW_TO.glob("*.md")), ids=name)
def test_a_how_to_is_about_one_screen(page: Path) -> None:
    assert len(page.read_text().splitlines()) <= 80


def test_the_index_lists_every_page() -> None:
    index = (ROOT / "docs" / "README.md").read_text()
    pages = [
        page.relative_to(ROOT / "docs").as_posix() for page in (ROOT / "docs").rglob("*.md") if page.name != "README.md"
    ]
    assert [page for page in pages if f"]({page})" not in index] == []


# -- Korean


def code(text: str) -> tuple[list[str], list[str]]:
    """Return the code blocks of a page in order, and the code within sentences, sorted."""
    prose = FENCE.sub("", text)
    blocks = FENCE.findall(text) + re.findall(r"^ {4,}[a-zA-Z./~-].*$", prose, re.MULTILINE)
    return blocks, sorted(set(re.findall(r"`([^`\n]+)`", prose)))


def links(text: str) -> list[str]:
    """Return the links of a page. A link to a Korean page counts as one to the English page."""
    return sorted({target.replace(".ko.md", ".md") for target in re.findall(r"\]\(([^)\s]+)\)", text)} - {"README.md"})


def test_the_first_pages_exist_in_korean() -> None:
    pages = ("README", "docs/how-to/deploy-from-zero", "docs/how-to/open-the-gallery", "docs/how-to/add-a-function")
    assert sorted(ROOT / f"{page}.ko.md" for page in pages) == KOREAN


@pytest.mark.parametrize("korean", KOREAN, ids=name)
def test_a_korean_page_has_the_commands_and_links_of_the_english_one(korean: Path) -> None:
    english = (korean.parent / f"{korean.name.removesuffix('.ko.md')}.md").read_text()
    assert code(korean.read_text()) == code(english)
    assert links(korean.read_text()) == links(english)
