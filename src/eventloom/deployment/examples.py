"""Build and apply one of examples/, or destroy it again, in the cloud that CLOUD names; its state lies in the state bucket there.

Usage: example.py apply|destroy NAME [--var NAME=VALUE ...]
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from rich.console import Console

from eventloom import errors
from eventloom.clouds import BUILD, ROOT, chosen_cloud, client
from eventloom.deployment import build, state_bucket
from eventloom.errors import UserError

EXAMPLES = ROOT / "examples"
console = Console(highlight=False)


def example_names() -> list[str]:
    """The folders of examples/ that Terraform can apply."""
    return sorted(path.parent.name for path in EXAMPLES.glob("*/main.tf"))


def packages(name: str) -> Path:
    """Where the zips of an example go."""
    return BUILD / "examples" / name


def terraform(name: str, *arguments: str) -> str:
    """Run Terraform in an example's folder; what it printed. Exits with its messages when it fails."""
    environment = chosen_cloud().environment() | {"TF_DATA_DIR": str(packages(name) / f"terraform-{chosen_cloud().key}")}
    command = ["terraform", f"-chdir={EXAMPLES / name}", *arguments]
    done = subprocess.run(command, env=environment, check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        sys.exit(f"{done.stdout}\nexample {name}: terraform {arguments[0]} failed (messages above)")
    return done.stdout


def init(name: str) -> None:
    """Have Terraform find an example's state in the state bucket."""
    terraform(
        name, "init", "-input=false", "-no-color", "-lockfile=readonly", "-reconfigure", *state_bucket.backend(f"examples/{name}.tfstate")
    )


def package(name: str) -> None:
    """Bring the zips of an example's functions up to date."""
    functions = EXAMPLES / name / "functions"
    build.build_all(build.function_names(functions), chosen_cloud().architecture, packages(name), functions)


def apply(name: str, *options: str) -> dict[str, Any]:
    """Deploy an example whose packages are built; returns its outputs."""
    state_bucket.ensure()
    init(name)
    terraform(name, "apply", "-input=false", "-no-color", "-auto-approve", *options)
    return outputs(name)


def outputs(name: str) -> dict[str, Any]:
    """The outputs of a deployed example."""
    return {output: found["value"] for output, found in json.loads(terraform(name, "output", "-json")).items()}


def destroy(name: str, *options: str) -> None:
    """Remove an example. Raises UserError where none was ever deployed."""
    if not state_bucket.exists(bucket := state_bucket.bucket_name()):
        raise UserError(f"{name} is not deployed ({chosen_cloud().about}): there is no bucket {bucket}")
    init(name)
    terraform(name, "destroy", "-input=false", "-no-color", "-auto-approve", *options)


def main() -> None:
    """Parse the command line and act."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["apply", "destroy"])
    parser.add_argument("name", help=", ".join(example_names()))
    parser.add_argument("--var", action="append", default=[], metavar="NAME=VALUE", help="a variable of the example")
    options = parser.parse_args()
    if options.name not in example_names():
        parser.error(f"no example named {options.name or 'NAME=...'}; there are: {', '.join(example_names())}")
    variables = [f"-var={pair}" for pair in options.var]
    client("sts").get_caller_identity()  # or packages are made, and then Terraform finds no cloud
    with console.status(f"{options.action} {options.name} ({chosen_cloud().about})"):
        package(options.name)  # Terraform hashes the zips whatever it does, so a fresh clone needs them to destroy, too
        if options.action == "apply":
            for output, value in apply(options.name, *variables).items():
                console.print(f"  {output} = {value}", soft_wrap=True)
        else:
            destroy(options.name, *variables)
            console.print(f"  {options.name} is gone")


if __name__ == "__main__":
    errors.run("example", main)
