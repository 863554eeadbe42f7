"""Write a plan of every environment in which all values are known, for the scans and static checks.

A plan of a new environment lacks all values that AWS assigns, such as ARNs, and every policy that contains such a
value. Therefore the values come from an apply with a mocked provider (terraform/tests). The configuration, which has
the references between blocks, comes from a real plan against an emulator.
"""

import json
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from eventloom import clouds
from tests.embedded import launch
from tests.kept_deployments import SOURCES, current_key

TERRAFORM = clouds.ROOT / "terraform"
FOLDER = clouds.BUILD / "plans"
# The name, workspace and test file of each environment. "everything" turns every switch on.
ENVIRONMENTS = (
    ("local", "local", "tests/environments.tftest.hcl"),
    ("dev", "dev", "tests/environments.tftest.hcl"),
    ("staging", "staging", "tests/environments.tftest.hcl"),
    ("prod", "prod", "tests/environments.tftest.hcl"),
    ("everything", "dev", "tests/switches/switches.tftest.hcl"),
)
PORT = 4597
# The files that determine the plans, besides the inputs of a deployment
MADE_BY = ("tests/iam/environments.py", "scripts/requirements/dev.txt")


def resources(module: dict[str, Any]) -> list[dict[str, Any]]:
    """Return all resources of a module and of its child modules."""
    children = module.get("child_modules", [])
    return [*module.get("resources", []), *(resource for child in children for resource in resources(child))]


def apply_mocked(workspace: str, file: str) -> dict[str, Any]:
    """Return the root module's values, as in `terraform show -json`, after the first run of a test file."""
    variables = {"TF_DATA_DIR": str(FOLDER / "data"), "TF_WORKSPACE": workspace}
    environment = clouds.chosen_cloud("embedded").environment() | variables
    folder = str(Path(file).parent)
    command = [
        "terraform",
        f"-chdir={TERRAFORM}",
        "test",
        "-json",
        "-verbose",
        f"-test-directory={folder}",
        f"-filter={file}",
    ]
    with subprocess.Popen(
        command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        messages = []
        for line in process.stdout or []:
            message = json.loads(line)
            if message["type"] == "test_state":
                process.kill()  # the provider is mocked, so there is nothing to destroy
                root: dict[str, Any] = message["test_state"]["root_module"]
                return root
            messages.append(message["@message"])
    raise AssertionError("\n".join(messages))


def configuration() -> dict[str, Any]:
    """Return the configuration of a real plan."""
    script = f"""
import json
from eventloom.deployment.apply import prepare
from eventloom.deployment.terraform import root_module
prepare("local")
plan = {str(FOLDER / "local.tfplan")!r}
root_module()("plan", "-input=false", "-lock=false", "-refresh=false", "-out=" + plan)
print(json.dumps(json.loads(root_module()("show", "-json", plan))["configuration"]))
"""
    variables = {"EMBEDDED_PORT": str(PORT), "CLOUD": "embedded", "TF_VAR_packages": "tests/packages"}
    environment = clouds.tool_environment() | variables
    launch("up", PORT, quiet=True)
    try:
        python = clouds.BUILD / "venv/dev/bin/python"
        process = subprocess.run([python, "-c", script], env=environment, check=False, capture_output=True, text=True)
        assert process.returncode == 0, process.stdout + process.stderr
        plan_configuration: dict[str, Any] = json.loads(process.stdout)
        return plan_configuration
    finally:
        launch("down", PORT, "--forget", quiet=True)


def remove_invented_prefixes(resource: dict[str, Any]) -> None:
    """Remove the prefix of a lifecycle rule for the whole bucket, which the mocked provider invents."""
    if resource["type"] == "aws_s3_bucket_lifecycle_configuration":
        for rule in resource["values"]["rule"]:
            rule["filter"] = [entry for entry in rule["filter"] if not re.fullmatch("[a-z0-9]{8}", entry["prefix"])]


def plan(root: dict[str, Any], configured: dict[str, Any]) -> dict[str, Any]:
    """Return a plan, as in `terraform show -json`, that creates everything."""
    changes = []
    for resource in resources(root):
        if resource["mode"] == "managed":
            remove_invented_prefixes(resource)
            names = ("address", "mode", "type", "name", "provider_name", "index")
            identity = {name: resource[name] for name in names if name in resource}
            change = {"actions": ["create"], "before": None, "after": resource["values"], "after_unknown": {}}
            changes.append(identity | {"change": change})
    return {
        "format_version": "1.2",
        "terraform_version": "1.11.4",
        "planned_values": {"root_module": root},
        "resource_changes": changes,
        "configuration": configured,
    }


def plan_all() -> dict[str, Path]:
    """Write the plan of each environment, and return the files by name.

    Plans are reused if their inputs have not changed, so `make test-policies` and `make test-iam` share them.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    files, mark = {name: FOLDER / f"{name}.json" for name, _, _ in ENVIRONMENTS}, FOLDER / "made-from"
    key = current_key(clouds.chosen_cloud("embedded"), TERRAFORM / "tests" / "packages", (*SOURCES, *MADE_BY))
    if mark.exists() and mark.read_text() == key and all(file.exists() for file in files.values()):
        return files
    mark.unlink(missing_ok=True)
    environment = clouds.chosen_cloud("embedded").environment() | {"TF_DATA_DIR": str(FOLDER / "data")}
    command = ["terraform", f"-chdir={TERRAFORM}", "init", "-backend=false", "-input=false"]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    with ThreadPoolExecutor(2) as pool:
        configured = pool.submit(configuration)
        roots = {name: pool.submit(apply_mocked, workspace, file) for name, workspace, file in ENVIRONMENTS}
        for name, root in roots.items():
            files[name].write_text(json.dumps(plan(root.result(), configured.result())))
    mark.write_text(key)
    return files
