"""Keep the tables of inputs and outputs in the modules' READMEs true. Usage: module_docs.py [--check]

They stand between two markers at the end of each README, and are made from the .tf files as `terraform fmt` leaves them.
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
    """The value of a block's attribute as it is written, on one line; None if it has none."""
    found = re.search(rf"^  {name} += (.*?)(?=^  \w|^$|\Z)", body, re.MULTILINE | re.DOTALL)
    if not found:
        return None
    without_comments = re.sub(r"\s+#.*$", "", found[1], flags=re.MULTILINE)
    return re.sub(r"\s+", " ", without_comments).strip()


def blocks(folder: Path, kind: str) -> list[tuple[str, str]]:
    """Name and body of a module's variables or outputs, by name."""
    text = "\n".join(file.read_text() for file in sorted(folder.glob("*.tf")))
    return sorted((name, body) for found, name, body in BLOCK.findall(text) if found == kind)


def description(body: str) -> str:
    """Return a block's description, a string or a heredoc, escaped for a table's cell."""
    text = (attribute(body, "description") or "").removeprefix("<<-EOT ").strip('"')
    return text.replace('\\"', '"').replace("|", "\\|")


def code(text: str | None) -> str:
    """As code in a table's cell; what is long is left to the file."""
    if text is None:
        return ""
    short = text if len(text) <= 40 else f"{text.split('(')[0]}(…)"
    return f"`{short.replace('|', chr(92) + '|')}`"


def tables(folder: Path) -> str:
    """The two tables of a module."""
    inputs = [
        f"| `{name}` | {code(attribute(body, 'type'))} | {code(attribute(body, 'default')) or '*required*'} | {description(body)} |"
        for name, body in blocks(folder, "variable")
    ]
    outputs = [f"| `{name}` | {description(body)} |" for name, body in blocks(folder, "output")]
    lines = ["## Inputs", "", "| name | type | default | what |", "|---|---|---|---|", *inputs, ""]
    lines += ["## Outputs", "", "| name | what |", "|---|---|", *outputs]
    return "\n".join(lines)


def readme(folder: Path) -> str:
    """The README of a module as it should be."""
    text = MARKED.sub("\n", (folder / "README.md").read_text()).rstrip("\n")
    return f"{text}\n\n{BEGIN}\n{tables(folder)}\n{END}\n"


def stale() -> list[Path]:
    """The READMEs that are not as they should be."""
    folders = sorted(path.parent for path in MODULES.glob("*/README.md"))
    return [folder / "README.md" for folder in folders if readme(folder) != (folder / "README.md").read_text()]


def main() -> None:
    """Bring them up to date, or say which are not."""
    found = stale()
    if "--check" in sys.argv[1:]:
        sys.exit(f"module_docs: not up to date: {', '.join(str(path.relative_to(ROOT)) for path in found)}; run make docs" if found else 0)
    for path in found:
        path.write_text(readme(path.parent))
        print(f"  {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
