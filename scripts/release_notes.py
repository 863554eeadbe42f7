"""Print the section of CHANGELOG.md that describes a release. Usage: release_notes.py VERSION

Exits with a message if pyproject.toml states another version, or if CHANGELOG.md has no section for it.
"""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HEADING = re.compile(r"^## \[(?P<version>[^\]]+)\](?: - \d{4}-\d{2}-\d{2})?$", re.MULTILINE)


def sections(changelog: str) -> dict[str, str]:
    """Return the text of each section by version, newest first, including `Unreleased`."""
    headings = list(HEADING.finditer(changelog))
    ends = [heading.start() for heading in headings[1:]] + [len(changelog)]
    bodies = [changelog[heading.end() : end].strip() for heading, end in zip(headings, ends, strict=True)]
    return dict(zip((heading["version"] for heading in headings), bodies, strict=True))


def notes(version: str, root: Path = ROOT) -> str:
    """Return the notes of a release. Raises ValueError if the files do not describe it."""
    stated = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    if stated != version:
        raise ValueError(f"pyproject.toml states version {stated}, not {version}; change it there, or tag v{stated}")
    text = sections((root / "CHANGELOG.md").read_text(encoding="utf-8")).get(version)
    if not text:
        raise ValueError(f"CHANGELOG.md has no text under '## [{version}] - DATE'; move what is released there")
    return text


def main() -> None:
    """Print the notes of the version that the command line names."""
    if len(sys.argv) != 2:
        sys.exit("usage: release_notes.py VERSION, for example 0.1.0")
    try:
        print(notes(sys.argv[1]))
    except ValueError as error:
        sys.exit(f"release notes: {error}")


if __name__ == "__main__":
    main()
