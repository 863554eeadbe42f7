"""Check the subject of a commit message, as the commit-msg hook of pre-commit. Usage: check_commit_subject.py FILE"""

import sys
from pathlib import Path

LIMIT = 72
# `git commit --verbose` writes the diff below this line.
SCISSORS = "# ------------------------ >8 ------------------------"


def problem(message: str) -> str | None:
    """Return what is wrong with the subject, the first line that is not a comment, or None if it is fine."""
    text = message.partition(SCISSORS)[0]
    lines = [line.rstrip() for line in text.splitlines() if not line.startswith("#")]
    while lines and not lines[0]:
        del lines[0]
    if not lines:
        return None  # git refuses an empty message itself
    subject = lines[0]
    if len(subject) > LIMIT:
        return f"the subject has {len(subject)} characters; shorten it to {LIMIT} and put the reason in the body"
    if subject.endswith("."):
        return "the subject ends with a full stop; remove it"
    if len(lines) > 1 and lines[1]:
        return "the second line is not empty; put an empty line between subject and body"
    return None


def main() -> None:
    """Exit with a message if the subject is wrong."""
    if fault := problem(Path(sys.argv[1]).read_text(encoding="utf-8")):
        sys.exit(f"commit message: {fault}. CONTRIBUTING.md shows the form.")


if __name__ == "__main__":
    main()
