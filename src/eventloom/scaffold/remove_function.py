"""The command remove-function: delete all files that new-function writes for a function."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import click

from eventloom import arguments, terminal
from eventloom.clouds import ROOT
from eventloom.errors import UserError
from eventloom.scaffold.new_function import FUNCTIONS_TF, function_paths, with_functions

# Matches the declarations of modules, resources and data sources
DECLARED = re.compile(r'^(module|resource|data) "(\w+)"(?: "(\w+)")?', re.MULTILINE)


def find(name: str, root: Path) -> list[str]:
    """Return the existing paths of a function.

    Raises UserError if there is no such function, or if other Terraform files refer to it.
    """
    handlers = sorted(path.parent.name for path in (root / "functions").glob("*/handler.py"))
    if name not in handlers:
        raise UserError(f"there is no function {name}; functions/ has: {', '.join(handlers) or 'none'}")
    if users := references(name, root):
        raise UserError(f"other Terraform refers to {name}; change these lines first: {', '.join(users)}")
    return [path for path in function_paths(name) if (root / path).exists()]


def references(name: str, root: Path) -> list[str]:
    """Return the lines, as file:line, that refer to declarations in terraform/NAME.tf.

    The function's line in the map of terraform/functions.tf is left out.
    """
    file = root / "terraform" / f"{name}.tf"
    declared = DECLARED.findall(file.read_text()) if file.exists() else []
    addresses = {f"module.{name}"}
    for kind, first, second in declared:
        addresses.add(f"module.{first}" if kind == "module" else f"{'data.' * (kind == 'data')}{first}.{second}")
    pattern = re.compile(rf"(?<![\w.])(?:{'|'.join(map(re.escape, sorted(addresses)))})(?!\w)")
    lines = []
    for other in sorted({*(root / "terraform").glob("*.tf")} - {file}):
        text = other.read_text()
        if f"terraform/{other.name}" == FUNCTIONS_TF:
            text = re.sub(rf"^    {name} += module\.{name}$", "", text, flags=re.MULTILINE)
        lines += [
            f"terraform/{other.name}:{number}"
            for number, line in enumerate(text.splitlines(), 1)
            if pattern.search(line)
        ]
    return lines


def unsaved(paths: list[str], root: Path) -> list[str]:
    """Return the changed and untracked files below these paths, which git cannot restore."""
    command = ["git", "status", "--porcelain", "--untracked-files=all", "-z", "--", *paths]
    done = subprocess.run(command, cwd=root, check=False, text=True, capture_output=True)
    if done.returncode:
        return paths
    return [entry[3:] for entry in done.stdout.split("\0") if entry]


def delete(name: str, paths: list[str], root: Path) -> None:
    """Delete the paths, and the function's line in the map of terraform/functions.tf."""
    functions_tf = root / FUNCTIONS_TF
    text = with_functions(functions_tf.read_text(), remove=name)
    for path in paths:
        if (root / path).is_dir() and not (root / path).is_symlink():
            shutil.rmtree(root / path)
        else:
            (root / path).unlink()
    functions_tf.write_text(text)


def remove(name: str, root: Path, *, agreed: bool, dry_run: bool) -> list[str]:
    """Delete a function's files and return their paths. With `dry_run`, only return the paths.

    Raises UserError if git cannot restore some files and the user does not agree to lose them.
    """
    paths = find(name, root)
    if not dry_run:
        if not agreed and (files := unsaved(paths, root)) and not _agree(files):
            raise UserError(f"nothing was removed; commit {files[0]} and the other files, or add --yes to lose them")
        delete(name, paths, root)
    return [*paths, f"{FUNCTIONS_TF} (its line)"]


def _agree(files: list[str]) -> bool:
    """Ask the user whether to delete files that are not in git. Returns False if stdin is not a terminal."""
    shown = "\n".join(f"  {terminal.printable(file)}" for file in files)
    terminal.note(f"not committed, so git cannot restore:\n{shown}")
    return sys.stdin.isatty() and click.confirm("Delete them?", err=True)


@arguments.command("remove-function")
@click.argument("name")
@arguments.yes_option
@arguments.dry_run_option
@arguments.json_option
def remove_function(name: str, yes: bool, dry_run: bool, as_json: bool) -> None:
    """Delete a function's code, test and Terraform.

    It asks before it deletes files that are not committed. The next deployment then removes the function from the
    cloud.

    \b
    Examples:
      ./eventloom remove-function hello --dry-run
      ./eventloom remove-function hello
    """
    paths = remove(name, ROOT, agreed=yes, dry_run=dry_run)
    lines = ["would remove" if dry_run else "removed", *(f"  {path}" for path in paths)]
    lines += (
        []
        if dry_run
        else ["", "Next: ./eventloom deploy removes it from the embedded LocalStack; --env NAME from AWS."]
    )
    terminal.report({"function": name, "removed": [] if dry_run else paths, "found": paths}, as_json, "\n".join(lines))
