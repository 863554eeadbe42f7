"""Write a function that builds, deploys and passes its test without further edits.

The templates are in templates/, in one folder for each trigger. If a trigger's folder lacks a file, the template is in
the folder of the trigger's family, or in `common`. Placeholders are %name or %{name} (hello_world), %dashed
(hello-world) and so on. %% is a percent sign.
"""

import keyword
import pkgutil
import re
import string
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path
from typing import Any

import click

from eventloom import arguments, terminal
from eventloom.clouds import ROOT
from eventloom.errors import UserError

TEMPLATES = Path(__file__).parent / "templates"
TRIGGERS = sorted(path.parent.name for path in TEMPLATES.glob("*/about.toml"))
FUNCTIONS_TF = "terraform/functions.tf"
# The same pattern as in terraform/modules/function/variables.tf
NAME = re.compile(r"[a-z][a-z0-9_]{1,30}")
# A new function gets a copy of this function's pinned requirements.
PINNED_LIKE = "notifier"
DECLARATION = re.compile(r'^(?:module|output|(?:resource|data) "\w+") "\w+"', re.MULTILINE)
FUNCTIONS_MAP = re.compile(r"(?<=^  functions = \{\n)(?:    \w+ += module\.\w+\n)*(?=  \}$)", re.MULTILINE)
PRIORITY = re.compile(r"\bpriority += (\d+)")
# Packages of this repository that may be imported together with a function
OWN_PACKAGES = {"embedded_localstack", "eventloom", "scripts", "shared", "tests"}
# Python's test package, and packages of Lambda's runtime that may not be installed for ./eventloom
RUNTIME_PACKAGES = {"test", "awslambdaric", "boto3", "botocore", "simplejson", "snapshot_restore_py"}


class Template(string.Template):
    """A string template with the delimiter %, because Terraform uses $."""

    delimiter = "%"


def check_name(name: str, root: Path) -> None:
    """Raise UserError if Lambda, Python or Terraform would not accept the name, or if its files exist."""
    if not NAME.fullmatch(name):
        raise UserError(
            f"'{name}' is not a valid name; use 2 to 31 lower-case letters, digits and underscores, a letter first"
        )
    if keyword.iskeyword(name) or keyword.issoftkeyword(name):
        raise UserError(
            f"'{name}' is a keyword of Python and cannot be a package; choose another name, such as {name}_job"
        )
    if name in reserved():
        raise UserError(
            f"a Python module is named '{name}', and one of the two would hide the other; choose another name, such as "
            f"{name}_job"
        )
    for path in function_paths(name):
        if (root / path).exists():
            raise UserError(f"{path} exists already; choose another name")


def function_paths(name: str) -> list[str]:
    """Return the paths of the folders and files that belong to one function."""
    # Tests that run Terraform without a build use the last file as the function's package.
    return [f"functions/{name}", f"tests/unit/{name}", f"terraform/{name}.tf", f"terraform/tests/packages/{name}.zip"]


def reserved() -> set[str]:
    """Return the names of modules that a function of that name would hide.

    They are in lower case, because some file systems ignore case.
    """
    installed = [module.name for module in pkgutil.iter_modules([sysconfig.get_path("purelib")])]
    return {name.lower() for name in {*sys.stdlib_module_names, *installed, *OWN_PACKAGES, *RUNTIME_PACKAGES}}


def compose(name: str, trigger: str, root: Path) -> dict[str, str]:
    """Return the contents of the new files by path. Raises UserError if terraform/ already declares a new name."""
    about = tomllib.loads((TEMPLATES / trigger / "about.toml").read_text())
    words = {
        "name": name,
        "dashed": name.replace("_", "-"),
        "trigger": trigger,
        "timeout_s": 30,
        "priority": free_priority(root),
    }
    words |= about
    words |= {key: Template(text).substitute(words) for key, text in about.items() if isinstance(text, str)}
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
        f"terraform/tests/packages/{name}.zip": "not a real package\n",
    }
    for requirements in ("requirements.in", "requirements.txt"):
        files[f"functions/{name}/{requirements}"] = (root / "functions" / PINNED_LIKE / requirements).read_text()
    existing = set(DECLARATION.findall("\n".join(path.read_text() for path in (root / "terraform").glob("*.tf"))))
    if duplicates := existing & set(DECLARATION.findall(files[f"terraform/{name}.tf"])):
        raise UserError(f"terraform/ has {', '.join(sorted(duplicates))} already; choose another name than '{name}'")
    return files


def fill(trigger: str, file: str, words: dict[str, Any]) -> str:
    """Return the filled-in template from the folder of the trigger, its family or `common`, or "" if there is none."""
    for folder in (trigger, words.get("family", "common"), "common"):
        template = TEMPLATES / folder / f"{file}.tmpl"
        if template.exists():
            return Template(template.read_text()).substitute(words)
    return ""


def free_priority(root: Path) -> int:
    """Return the lowest priority below 100 that no rule of the load balancer uses.

    The catalog's rule for all paths has a higher number, so that it is the last rule.
    """
    priorities = {
        int(number) for path in (root / "terraform").glob("*.tf") for number in PRIORITY.findall(path.read_text())
    }
    return min(set(range(1, 100)) - priorities)


def with_functions(text: str, *, add: str = "", remove: str = "") -> str:
    """Return the text of terraform/functions.tf with a function added or removed. The map stays sorted and aligned."""
    lines = FUNCTIONS_MAP.search(text)
    if not lines:
        raise UserError(
            f"{FUNCTIONS_TF} has no map `functions = {{` of lines `name = module.name`; restore it with git"
        )
    names = sorted({*re.findall(r"^ +(\w+)", lines[0], re.MULTILINE), add} - {remove, ""})
    width = max(map(len, names), default=0)
    return (
        text[: lines.start()] + "".join(f"    {name:{width}} = module.{name}\n" for name in names) + text[lines.end() :]
    )


def write(files: dict[str, str], root: Path) -> None:
    """Write the files, and format them with ruff, because the order of imports depends on the function's name."""
    for path, text in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    sources = [str(root / path) for path in files if path.endswith(".py")]
    for command in (["check", "--quiet", "--select", "I", "--fix"], ["format", "--quiet"]):
        subprocess.run([sys.executable, "-m", "ruff", *command, "--no-cache", *sources], check=True, cwd=root)


def create(name: str, trigger: str, root: Path = ROOT) -> list[str]:
    """Write a function and return the paths of its files. If it raises UserError, nothing was written."""
    check_name(name, root)
    files = compose(name, trigger, root)
    files[FUNCTIONS_TF] = with_functions((root / FUNCTIONS_TF).read_text(), add=name)
    write(files, root)
    return sorted(files)


@arguments.command("new-function")
@click.argument("name")
@click.option("--trigger", required=True, type=click.Choice(TRIGGERS), help="what invokes the function")
@arguments.json_option
def new_function(name: str, trigger: str, as_json: bool) -> None:
    """Write a function that builds, deploys and passes its test as it is.

    NAME becomes functions/NAME, tests/unit/NAME, terraform/NAME.tf and a line in terraform/functions.tf. Change
    logic.py next.

    \b
    Examples:
      ./eventloom new-function clean_up --trigger schedule
      ./eventloom new-function orders --trigger sqs
    """
    files = create(name, trigger)
    note = tomllib.loads((TEMPLATES / trigger / "about.toml").read_text()).get("note", "")
    commands = {
        f"build/venv/dev/bin/python -m pytest tests/unit/{name}": "runs its test",
        f"./eventloom build {name}": "packages it",
        "./eventloom deploy": "deploys it to the embedded LocalStack",
        f"./eventloom invoke {name} --event {trigger}": "calls it with a sample event",
        f"./eventloom logs {name}": "shows its log",
    }
    width = max(map(len, commands))
    lines = ["wrote", *(f"  {path}" for path in files), ""]
    lines += [f"Note: {note}", ""] if note else []
    lines += [f"functions/{name}/logic.py decides what it does. Next:"]
    lines += [f"  {command:{width}}  {about}" for command, about in commands.items()]
    terminal.report(
        {"function": name, "trigger": trigger, "files": files, "next": [*commands]}, as_json, "\n".join(lines)
    )
