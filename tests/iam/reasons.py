"""Exceptions, which stand beside what they are about, in the Terraform:

#iam:unproven PATTERN - REASON    in a resource block, or in the module block of a function: nothing that tests can do needs this; PATTERN
                                  is an action or a Sid, with wildcards
#iam:wildcard SID - REASON        its resource is "*"
#iam:unconditional SID - REASON   a service may act without aws:SourceArn and aws:SourceAccount
"""

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase

from eventloom import clouds

BLOCK = re.compile(r'^(?:resource "(\w+)"|(module)) "(\w+)" \{$')
COMMENT = re.compile(r"#iam:(unproven|wildcard|unconditional) (\S+) - (\S.+)$")


@dataclass(frozen=True)
class Reason:
    """One comment. `block` is `type.name`, or `module.name`."""

    where: str
    block: str
    about: str
    pattern: str
    text: str


def reasons() -> list[Reason]:
    """All of the Terraform."""
    found = []
    for path in sorted((clouds.ROOT / "terraform").rglob("*.tf")):
        block = ""
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if started := BLOCK.match(line):
                block = f"{started[1] or started[2]}.{started[3]}"
            if comment := COMMENT.search(line):
                found.append(Reason(f"{path.relative_to(clouds.ROOT)}:{number}", block, *comment.groups()))
    return found


def excuse(all_reasons: list[Reason], about: str, block: str, *names: str) -> Reason | None:
    """The reason for something in the block `module.a.type.name`, if one is given for any of its names."""
    parts = block.split(".")
    blocks = {".".join(parts[index : index + 2]) for index in range(0, len(parts) - 1, 2)}
    for reason in all_reasons:
        if reason.about == about and reason.block in blocks and any(fnmatchcase(name, reason.pattern) for name in names):
            return reason
    return None
