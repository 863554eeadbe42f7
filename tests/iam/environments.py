"""Every environment as a plan whose values are all known: what scans and static checks read.

A plan of an environment that does not exist yet leaves out whatever AWS will name, such as ARNs, and with them every policy that
holds one. So the values are those of an apply with a mocked provider (terraform/tests), and the configuration, which says what
refers to what, is that of a real plan against an emulator.
"""

import json
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from eventloom import clouds
from tests.embedded import launch

TERRAFORM = clouds.ROOT / "terraform"
FOLDER = clouds.BUILD / "plans"
# Name, workspace and test file. "everything" has every switch on.
ENVIRONMENTS = (
    ("local", "local", "tests/environments.tftest.hcl"),
    ("dev", "dev", "tests/environments.tftest.hcl"),
    ("staging", "staging", "tests/environments.tftest.hcl"),
    ("prod", "prod", "tests/environments.tftest.hcl"),
    ("everything", "dev", "tests/switches/switches.tftest.hcl"),
)
PORT = 4597


def resources(module: dict[str, Any]) -> list[dict[str, Any]]:
    """All resources of a module and of those in it."""
    return [*module.get("resources", []), *(found for child in module.get("child_modules", []) for found in resources(child))]


def mocked(workspace: str, file: str) -> dict[str, Any]:
    """The root module's values (as of `terraform show -json`) after the first run of a test file."""
    environment = clouds.chosen_cloud("embedded").environment() | {"TF_DATA_DIR": str(FOLDER / "data"), "TF_WORKSPACE": workspace}
    folder = str(Path(file).parent)
    command = ["terraform", f"-chdir={TERRAFORM}", "test", "-json", "-verbose", f"-test-directory={folder}", f"-filter={file}"]
    with subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        said = []
        for line in process.stdout or []:
            message = json.loads(line)
            if message["type"] == "test_state":
                process.kill()  # nothing exists that would have to go
                root: dict[str, Any] = message["test_state"]["root_module"]
                return root
            said.append(message["@message"])
    raise AssertionError("\n".join(said))


def configuration() -> dict[str, Any]:
    """The configuration of a real plan."""
    script = f"""
import json
from eventloom.deployment.apply import prepare
from eventloom.deployment.terraform import root_module
prepare("local")
plan = {str(FOLDER / "local.tfplan")!r}
root_module()("plan", "-input=false", "-lock=false", "-refresh=false", "-out=" + plan)
print(json.dumps(json.loads(root_module()("show", "-json", plan))["configuration"]))
"""
    environment = clouds.tool_environment() | {"EMBEDDED_PORT": str(PORT), "CLOUD": "embedded", "TF_VAR_packages": "tests/packages"}
    launch("up", PORT, quiet=True)
    try:
        python = clouds.BUILD / "venv/dev/bin/python"
        done = subprocess.run([python, "-c", script], env=environment, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found
    finally:
        launch("down", PORT, "--forget", quiet=True)


def without_invented_prefixes(resource: dict[str, Any]) -> None:
    """A mocked provider gives a rule for the whole bucket a prefix, as it does to whatever only AWS knows."""
    if resource["type"] == "aws_s3_bucket_lifecycle_configuration":
        for rule in resource["values"]["rule"]:
            rule["filter"] = [found for found in rule["filter"] if not re.fullmatch("[a-z0-9]{8}", found["prefix"])]


def plan(root: dict[str, Any], configured: dict[str, Any]) -> dict[str, Any]:
    """A plan (`terraform show -json`) that creates everything."""
    changes = []
    for resource in resources(root):
        if resource["mode"] == "managed":
            without_invented_prefixes(resource)
            kept = {name: resource[name] for name in ("address", "mode", "type", "name", "provider_name", "index") if name in resource}
            changes.append(kept | {"change": {"actions": ["create"], "before": None, "after": resource["values"], "after_unknown": {}}})
    return {
        "format_version": "1.2",
        "terraform_version": "1.11.4",
        "planned_values": {"root_module": root},
        "resource_changes": changes,
        "configuration": configured,
    }


def plan_all() -> dict[str, Path]:
    """Write the plan of each environment. Returns the files by name."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    clouds.tool_environment()
    environment = clouds.chosen_cloud("embedded").environment() | {"TF_DATA_DIR": str(FOLDER / "data")}
    command = ["terraform", f"-chdir={TERRAFORM}", "init", "-backend=false", "-input=false"]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    with ThreadPoolExecutor(2) as pool:
        configured = pool.submit(configuration)
        roots = {name: pool.submit(mocked, workspace, file) for name, workspace, file in ENVIRONMENTS}
        found = {}
        for name, root in roots.items():
            found[name] = FOLDER / f"{name}.json"
            found[name].write_text(json.dumps(plan(root.result(), configured.result())))
    return found
