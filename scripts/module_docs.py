"""Update the tables of inputs and outputs in the modules' READMEs. Usage: module_docs.py [--check]

The tables are between two markers at the end of each README. The parser expects .tf files formatted by `terraform fmt`.
"""

import re
import sys
from pathlib import Path

from eventloom.clouds import ROOT

MODULES = ROOT / "terraform" / "modules"
BEGIN, END = "<!-- inputs and outputs: make docs -->", "<!-- end -->"
BLOCK = re.compile(r'^(variable|output) "(\w+)" \{\n(.*?)^\}$', re.MULTILINE | re.DOTALL)
MARKED = re.compile(rf"\n*{BEGIN}.*?{END}\n", re.DOTALL)


def attribute(body: str, name: str) -> str | None:
    """Return the expression of a block's attribute on one line, or None if the block does not set it."""
    match = re.search(rf"^  {name} += (.*?)(?=^  \w|^$|\Z)", body, re.MULTILINE | re.DOTALL)
    if not match:
        return None
    without_comments = re.sub(r"\s+#.*$", "", match[1], flags=re.MULTILINE)
    return re.sub(r"\s+", " ", without_comments).strip()


def blocks(folder: Path, kind: str) -> list[tuple[str, str]]:
    """Return the names and bodies of a module's variables or outputs, sorted by name."""
    text = "\n".join(file.read_text() for file in sorted(folder.glob("*.tf")))
    return sorted((name, body) for block_kind, name, body in BLOCK.findall(text) if block_kind == kind)


def description(body: str) -> str:
    """Return a block's description, a string or a heredoc, escaped for a table cell."""
    text = (attribute(body, "description") or "").removeprefix("<<-EOT ").strip('"')
    return text.replace('\\"', '"').replace("|", "\\|")


def code(text: str | None) -> str:
    """Return an expression as code for a table cell. Shorten it if it is long."""
    if text is None:
        return ""
    short = text if len(text) <= 40 else f"{text.split('(')[0]}(…)"
    return f"`{short.replace('|', chr(92) + '|')}`"


def tables(folder: Path) -> str:
    """Return the two tables of a module."""
    inputs = [
        f"| `{name}` | {code(attribute(body, 'type'))} | {code(attribute(body, 'default')) or '*required*'} | "
        f"{description(body)} |"
        for name, body in blocks(folder, "variable")
    ]
    outputs = [f"| `{name}` | {description(body)} |" for name, body in blocks(folder, "output")]
    lines = ["## Inputs", "", "| name | type | default | what |", "|---|---|---|---|", *inputs, ""]
    lines += ["## Outputs", "", "| name | what |", "|---|---|", *outputs]
    return "\n".join(lines)


def readme(folder: Path) -> str:
    """Return the README of a module with current tables."""
    text = MARKED.sub("\n", (folder / "README.md").read_text()).rstrip("\n")
    return f"{text}\n\n{BEGIN}\n{tables(folder)}\n{END}\n"


def stale() -> list[Path]:
    """Return the READMEs whose tables are out of date."""
    folders = sorted(path.parent for path in MODULES.glob("*/README.md"))
    return [folder / "README.md" for folder in folders if readme(folder) != (folder / "README.md").read_text()]


def main() -> None:
    """Update the READMEs, or with --check exit with the names of those that are out of date."""
    pages = stale()
    if "--check" in sys.argv[1:]:
        names = ", ".join(str(path.relative_to(ROOT)) for path in pages)
        sys.exit(f"module_docs: out of date: {names}; run make docs" if pages else 0)
    for path in pages:
        path.write_text(readme(path.parent))
        print(f"  {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
