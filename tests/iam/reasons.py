"""Read the exceptions to the IAM rules. They are comments in the Terraform block that they apply to:

#iam:unproven PATTERN - REASON    No test can need this grant. PATTERN is an action or a Sid, with wildcards. The
                                  comment is in a resource block, or in the module block of a function.
#iam:wildcard SID - REASON        The statement's resource is "*".
#iam:unconditional SID - REASON   A service may act without aws:SourceArn and aws:SourceAccount.
"""

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase

from eventloom import clouds

BLOCK = re.compile(r'^(?:resource "(\w+)"|(module)) "(\w+)" \{$')
COMMENT = re.compile(r"#iam:(unproven|wildcard|unconditional) (\S+) - (\S.+)$")


@dataclass(frozen=True)
class Reason:
    """An exception. `block` is `type.name` or `module.name`."""

    where: str
    block: str
    about: str
    pattern: str
    text: str


def reasons() -> list[Reason]:
    """Return all exceptions in the Terraform."""
    comments = []
    for path in sorted((clouds.ROOT / "terraform").rglob("*.tf")):
        block = ""
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if started := BLOCK.match(line):
                block = f"{started[1] or started[2]}.{started[3]}"
            if comment := COMMENT.search(line):
                comments.append(Reason(f"{path.relative_to(clouds.ROOT)}:{number}", block, *comment.groups()))
    return comments


def excuse(all_reasons: list[Reason], about: str, block: str, *names: str) -> Reason | None:
    """Return the reason for an exception in a block such as `module.a.type.name`, or None.

    One of `names` must match the reason's pattern.
    """
    parts = block.split(".")
    blocks = {".".join(parts[index : index + 2]) for index in range(0, len(parts) - 1, 2)}
    for reason in all_reasons:
        if (
            reason.about == about
            and reason.block in blocks
            and any(fnmatchcase(name, reason.pattern) for name in names)
        ):
            return reason
    return None
