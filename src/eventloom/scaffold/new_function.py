"""Write a function that builds, deploys and passes its test as it is. Usage: new_function.py NAME TRIGGER

NAME becomes functions/NAME, tests/unit/NAME, terraform/NAME.tf and a line of terraform/functions.tf; TRIGGER is what invokes it.
The texts are in templates/: one folder per trigger, `common` (or its family) for what a trigger has no own file of.
Placeholders there are %name or %{name} (hello_world), %dashed (hello-world) and the like; %% is a percent sign.
"""

import argparse
import importlib.metadata
import keyword
import re
import string
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

from eventloom.clouds import ROOT

TEMPLATES = Path(__file__).parent / "templates"
TRIGGERS = sorted(path.parent.name for path in TEMPLATES.glob("*/about.toml"))
# The same as in terraform/modules/function/variables.tf
NAME = re.compile(r"[a-z][a-z0-9_]{1,30}")
# Requirements that every function starts with: the pinned ones of this function
PINNED_LIKE = "notifier"
DECLARATION = re.compile(r'^(?:module|output|(?:resource|data) "\w+") "\w+"', re.MULTILINE)
FUNCTIONS_MAP = re.compile(r"(?<=^  functions = \{\n)(?:    \w+ += module\.\w+\n)*(?=  \}$)", re.MULTILINE)
PRIORITY = re.compile(r"\bpriority += (\d+)")


class Refused(Exception):
    """Nothing was written; the text says why, and what to do instead."""


class Text(string.Template):
    """`$` is Terraform's own."""

    delimiter = "%"


def check_name(name: str) -> None:
    """Refuse what Lambda, Python or Terraform would choke on later. Raises Refused."""
    if not NAME.fullmatch(name):
        raise Refused(f"'{name}' is no name for a function: 2 to 31 lower-case letters, digits and underscores, a letter first")
    if keyword.iskeyword(name) or keyword.issoftkeyword(name):
        raise Refused(f"'{name}' is a word of Python's own; the function's folder is a Python package")
    if name in reserved():
        raise Refused(f"'{name}' would hide another Python module of that name, or be hidden by it; choose another, such as {name}_job")
    for path in (f"functions/{name}", f"tests/unit/{name}", f"terraform/{name}.tf", f"terraform/tests/packages/{name}.zip"):
        if (ROOT / path).exists():
            raise Refused(f"'{name}' is taken: there is {path}")


def reserved() -> set[str]:
    """Modules that functions, commands and tests import, in lower case: file systems may not tell the cases apart."""
    tests = ROOT / "tests"
    own = [path.stem for folder in (ROOT / "src", ROOT / "emulator/src", tests, tests / "integration") for path in folder.glob("*")]
    installed = importlib.metadata.packages_distributions()
    names = {*sys.stdlib_module_names, *installed, *own, "awslambdaric", "scripts", "shared", "test", "tests"}
    return {name.lower() for name in names}


def compose(name: str, trigger: str) -> dict[str, str]:
    """The new files by their path. Raises Refused if the Terraform would declare something twice."""
    about = tomllib.loads((TEMPLATES / trigger / "about.toml").read_text())
    words = {"name": name, "dashed": name.replace("_", "-"), "trigger": trigger, "timeout_s": 30, "priority": free_priority()} | about
    words |= {key: Text(text).substitute(words) for key, text in about.items() if isinstance(text, str)}
    terraform = fill(trigger, "trigger.tf", words).strip().replace("\n", "\n    ")
    resources = fill(trigger, "resources.tf", words)
    words |= {"trigger_tf": terraform, "resources_tf": f"\n{resources}" if resources else ""}
    files = {
        f"functions/{name}/__init__.py": fill(trigger, "__init__.py", words),
        f"functions/{name}/handler.py": fill(trigger, "handler.py", words),
        f"functions/{name}/logic.py": fill(trigger, "logic.py", words),
        f"functions/{name}/README.md": fill(trigger, "README.md", words),
        f"functions/{name}/events/{trigger}.json": fill(trigger, "event.json", words),
        f"tests/unit/{name}/test_{name}.py": fill(trigger, "test.py", words),
        f"terraform/{name}.tf": fill(trigger, "function.tf", words),
        # What stands for the package where Terraform is tested without a build
        f"terraform/tests/packages/{name}.zip": "not a real package\n",
    }
    for requirements in ("requirements.in", "requirements.txt"):
        files[f"functions/{name}/{requirements}"] = (ROOT / "functions" / PINNED_LIKE / requirements).read_text()
    there = set(DECLARATION.findall("\n".join(path.read_text() for path in (ROOT / "terraform").glob("*.tf"))))
    if twice := there & set(DECLARATION.findall(files[f"terraform/{name}.tf"])):
        raise Refused(f"'{name}' is taken: terraform/ has {', '.join(sorted(twice))} already")
    return files


def fill(trigger: str, file: str, words: dict[str, Any]) -> str:
    """The trigger's template of that name, or its family's, or the common one, filled in; "" if there is none."""
    for folder in (trigger, words.get("family", "common"), "common"):
        template = TEMPLATES / folder / f"{file}.tmpl"
        if template.exists():
            return Text(template.read_text()).substitute(words)
    return ""


def free_priority() -> int:
    """The first priority that no rule of the load balancer has; the catalog's, which takes every path, comes after it."""
    taken = {int(found) for path in (ROOT / "terraform").glob("*.tf") for found in PRIORITY.findall(path.read_text())}
    return min(set(range(1, 100)) - taken)


def register(text: str, name: str) -> str:
    """terraform/functions.tf with the function in its map, sorted and aligned; the same text if it is there already."""
    found = FUNCTIONS_MAP.search(text)
    if not found:
        raise Refused("terraform/functions.tf has no map `functions = {` of lines `name = module.name` any more")
    names = sorted({*re.findall(r"^ +(\w+)", found[0], re.MULTILINE), name})
    width = max(map(len, names))
    return text[: found.start()] + "".join(f"    {one:{width}} = module.{one}\n" for one in names) + text[found.end() :]


def write(files: dict[str, str]) -> None:
    """Write the files, then have ruff put imports in order: where a module sorts depends on its name."""
    for path, text in files.items():
        target = ROOT / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    sources = [str(ROOT / path) for path in files if path.endswith(".py")]
    for command in (["check", "--quiet", "--select", "I", "--fix"], ["format", "--quiet"]):
        subprocess.run([sys.executable, "-m", "ruff", *command, *sources], check=True, cwd=ROOT)


def create(name: str, trigger: str) -> list[str]:
    """Write the function; the paths of what was written. Raises Refused, and has written nothing then."""
    if trigger not in TRIGGERS:
        raise Refused(f"'{trigger}' is no trigger; choose one of: {', '.join(TRIGGERS)}")
    check_name(name)
    files = compose(name, trigger)
    functions_tf = "terraform/functions.tf"
    files[functions_tf] = register((ROOT / functions_tf).read_text(), name)
    write(files)
    return sorted(files)


def main() -> None:
    """Parse the command line, write, and say how to go on."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", help="snake_case")
    parser.add_argument("trigger", help=", ".join(TRIGGERS))
    options = parser.parse_args()
    try:
        written = create(options.name, options.trigger)
    except Refused as error:
        sys.exit(f"new-function: {error}. Nothing was written.")
    print("wrote", *written, sep="\n  ")
    note = tomllib.loads((TEMPLATES / options.trigger / "about.toml").read_text()).get("note")
    print(f"\nNote: {note}" if note else "")
    print("Now say in logic.py what it does, and in its README what it promises. Then:")
    print(f"  make build NAMES={options.name}\n  make deploy ENV=local\n  make invoke FN={options.name} EVENT={options.trigger}")


if __name__ == "__main__":
    main()
