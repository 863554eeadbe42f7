"""Deploy the examples. Each example is a root module whose state is in the state bucket."""

import json
import re
from pathlib import Path
from typing import Any

from eventloom import terminal
from eventloom.clouds import BUILD, ROOT, chosen_cloud
from eventloom.deployment import build, interruptions, state_bucket
from eventloom.deployment.terraform import Interrupted, Terraform
from eventloom.errors import UserError

EXAMPLES = ROOT / "examples"


def example_names() -> list[str]:
    """Return the names of the folders in examples/ that contain a main.tf."""
    return sorted(path.parent.name for path in EXAMPLES.glob("*/main.tf"))


def packages(name: str) -> Path:
    """Return the folder for the zips of an example."""
    return BUILD / "examples" / name


def _terraform(name: str) -> Terraform:
    return Terraform(EXAMPLES / name, packages(name) / f"terraform-{chosen_cloud().key}")


def _owner(name: str) -> str:
    """Return the owner's name for notes about an interrupted apply: see `interruptions`."""
    return f"examples/{name}"


def init(name: str) -> None:
    """Connect Terraform to an example's state in the state bucket."""
    _terraform(name)(
        "init", "-input=false", "-lockfile=readonly", "-reconfigure", *state_bucket.backend(f"examples/{name}.tfstate")
    )


def package(name: str) -> None:
    """Build the outdated zips of an example's functions. Terraform hashes the zips in every run, even to destroy."""
    functions = EXAMPLES / name / "functions"
    if functions.is_dir():
        build.build_all(build.function_names(functions), chosen_cloud().architecture, packages(name), functions)
        return
    # An example without a functions/ folder deploys functions of this repository. Their packages are in build/.
    used = re.findall(r"/(\w+)\.zip\"", (EXAMPLES / name / "main.tf").read_text(encoding="utf-8"))
    build.build_all(used, chosen_cloud().architecture, BUILD)


def apply(name: str, *options: str) -> dict[str, Any]:
    """Deploy an example and return its outputs. Its packages must be built."""
    state_bucket.ensure()
    init(name)
    terraform, plan = _terraform(name), packages(name) / f"{chosen_cloud().key}.tfplan"
    creations, lines = interruptions.Creations(), list[str]()
    with interruptions.imports(terraform, _owner(name)):
        terraform("plan", "-input=false", f"-out={plan}", *options)
    try:
        terraform("apply", "-input=false", str(plan), on_line=creations.before(lines.append))
    except Interrupted:
        interruptions.remember(_owner(name), json.loads(terraform("show", "-json", str(plan))), creations.unfinished)
        raise
    except UserError:
        terminal.note("".join(lines))
        raise
    interruptions.forget(_owner(name))
    return outputs(name)


def outputs(name: str) -> dict[str, Any]:
    """Return the outputs of a deployed example."""
    content = json.loads(_terraform(name)("output", "-json"))
    return {output: facts["value"] for output, facts in content.items()}


def destroy(name: str, *options: str) -> None:
    """Remove an example. Raises UserError if no example was ever deployed in this account."""
    bucket = state_bucket.bucket_name()
    if not state_bucket.exists(bucket):
        raise UserError(f"{name} is not deployed ({chosen_cloud().about}): there is no bucket {bucket}")
    init(name)
    interruptions.adopt(_terraform(name), _owner(name), *options)
    _terraform(name)("destroy", "-input=false", "-auto-approve", *options)
    interruptions.forget(_owner(name))
