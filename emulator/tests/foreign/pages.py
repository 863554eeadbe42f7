"""Read the commands of the documentation's pages, which the tests type."""

import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def commands(page: str, tool: str) -> list[str]:
    """Return the commands of a page that run a tool, without `npx`."""
    lines = re.findall(r"^    (.+)", (DOCS / f"{page}.md").read_text(), re.MULTILINE)
    words = [line.removeprefix("npx ") for line in lines]
    return [line for line in words if line.split()[0] == tool]


def not_typed(page: str, tool: str, typed: list[str]) -> list[str]:
    """Return the commands of a page that are not in `typed`."""
    return [line for line in commands(page, tool) if line not in typed]
