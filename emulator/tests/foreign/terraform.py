"""Deploy a Terraform configuration as a user does."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foreign.workspace import Workspace


@dataclass
class Terraform:
    """A folder with a configuration."""

    space: Workspace
    folder: Path

    def __post_init__(self) -> None:
        """Find the program, and record its version."""
        self.program = self.space.tools.terraform()
        self.settings = self.space.tools.provider_settings()
        self.space.version("Terraform", self.program, "version")

    def override(self, runtimes: dict[str, str], **versions: str) -> None:
        """Write an override file for runtimes and provider versions. The project's files stay unchanged.

        Args:
            runtimes: the runtime of each aws_lambda_function, because provider 5.100 rejects the newest runtimes.
            versions: the version of each HashiCorp provider.
        """
        providers = {name: {"source": f"hashicorp/{name}", "version": version} for name, version in versions.items()}
        content: dict[str, Any] = {"terraform": {"required_providers": providers}} if providers else {}
        changes = [f"{name} `{version}`" for name, version in versions.items()]
        if runtimes:
            content["resource"] = {
                "aws_lambda_function": {name: {"runtime": runtime} for name, runtime in runtimes.items()}
            }
            changes += [f"the runtime `{runtime}`" for runtime in sorted(set(runtimes.values()))]
        if content:
            (self.folder / "override.tf.json").write_text(json.dumps(content))
            self.space.facts["changed"] = f"`override.tf.json` sets {', '.join(changes)}"

    def run(self, *arguments: str) -> str:
        """Run a command of Terraform."""
        return self.space.run(
            self.program, *arguments, cwd=self.folder, TF_CLI_CONFIG_FILE=str(self.settings), TF_IN_AUTOMATION="1"
        )

    def apply(self) -> None:
        """Initialize the folder, and apply it."""
        self.run("init", "-no-color", "-input=false")
        self.run("apply", "-no-color", "-auto-approve", "-input=false")

    def expect_no_changes(self) -> None:
        """Plan again, and expect no change of a resource. Outputs may change: provider 5.100 reads "" as null."""
        self.run("plan", "-no-color", "-input=false", "-out=second.plan")
        plan = json.loads(self.run("show", "-json", "second.plan").splitlines()[-1])
        changes = {each["address"]: each["change"]["actions"] for each in plan.get("resource_changes", [])}
        assert {name: actions for name, actions in changes.items() if actions not in (["no-op"], ["read"])} == {}

    def outputs(self) -> dict[str, Any]:
        """Return the outputs."""
        return {name: output["value"] for name, output in json.loads(self.run("output", "-json")).items()}

    def destroy(self) -> None:
        """Destroy everything."""
        self.run("destroy", "-no-color", "-auto-approve", "-input=false")
