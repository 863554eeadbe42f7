"""Deploy a folder of Terraform as its user does."""

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
        """Write an override of runtimes and of the versions of providers. The project's files stay as they are.

        Args:
            runtimes: the runtime of each resource of type aws_lambda_function, because provider 5.100 does not know the
                newest ones.
            versions: the versions of each provider of hashicorp.
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
        """Plan again, and expect that no resource differs. Outputs may: provider 5.100 reads an empty text as null."""
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
