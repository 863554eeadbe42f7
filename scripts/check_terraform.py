"""Run `terraform fmt`, and `terraform test` for the root and every module, with provider 5 and with provider 6.

The lock files pin provider 5. Of provider 6, only the schema is used (scripts/provider6). --provider newest uses the
newest real provider and needs access to Terraform's registry. Terraform records the provider in the lock file, so the
last two work on a copy under build/terraform.

The root is tested once per environment, because the plan depends on the workspace. Examples have no tests and are
validated. A warning counts as a failure. The last line is the total of all test runs: "N passed, N failed".
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from eventloom.clouds import BUILD, ROOT, chosen_cloud
from eventloom.errors import UserError
from scripts.provider6 import schema

MODULES = "terraform/modules"
EXAMPLES = "examples"
# The workspace and test folder of each test of the root. The root only plans in the workspace of an environment.
ROOT_TESTS = (
    ("local", "tests"),
    ("dev", "tests"),
    ("staging", "tests"),
    ("prod", "tests"),
    ("dev", "tests/switches"),
    ("prod", "tests/prod"),
    ("default", "tests/refused"),
)
# The arguments that a provider accepts don't depend on the environment, so two environments suffice.
ROOT_TESTS_OF_SCHEMA = (("prod", "tests"), ("dev", "tests/switches"))
SUMMARY = re.compile(r"(\d+) passed, (\d+) failed")
WARNING = re.compile(r"^\W*Warning: ", re.MULTILINE)
REATTACH = re.compile(r"TF_REATTACH_PROVIDERS='(.+)'")
PROVIDERS = ("5", "6", "newest")


@dataclass(frozen=True)
class Provider:
    """One version of the AWS provider.

    Attributes:
        name: one of PROVIDERS. root: the folder with terraform/ and examples/. variables: the environment variables
        that make Terraform use this version. root_tests: like ROOT_TESTS. is_installed: whether `terraform init`
        installs the provider, and compares it with the lock file.
    """

    name: str
    root: Path = ROOT
    variables: dict[str, str] = field(default_factory=dict)
    root_tests: tuple[tuple[str, str], ...] = ROOT_TESTS
    is_installed: bool = True

    def data(self, folder: Path) -> Path:
        """Return the data folder of Terraform for `folder`, which `terraform init` writes to."""
        return BUILD / "terraform" / "test" / f"{self.name}-{folder.name}"

    def terraform(self, folder: Path, *arguments: str, workspace: str = "default") -> subprocess.CompletedProcess[str]:
        """Run Terraform in `folder`, with a separate data folder under build/."""
        variables = {} if arguments[0] == "init" and self.is_installed else self.variables
        environment = chosen_cloud("embedded").environment() | variables
        return subprocess.run(
            ["terraform", f"-chdir={folder}", *arguments],
            env=environment | {"TF_DATA_DIR": str(self.data(folder)), "TF_WORKSPACE": workspace},
            check=False,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def folder(self, name: str) -> Path:
        """Return the folder of a module, of an example, or of the root."""
        paths = ("terraform",) if name == "root" else (f"{MODULES}/{name}", f"{EXAMPLES}/{name}")
        return next(self.root / path for path in paths if (self.root / path).is_dir())


@dataclass(frozen=True)
class Verdict:
    """The result of one folder with one provider: the counts of test runs and warnings, and Terraform's output."""

    provider: str
    name: str
    passed: int
    failed: int
    warnings: int
    output: str

    @property
    def faults(self) -> int:
        """Return the failures and warnings.

        Warnings of the newest provider don't count. It deprecates arguments such as hash_key of a DynamoDB index, and
        the locked provider lacks their successors.
        """
        return self.failed + (self.warnings if self.provider != "newest" else 0)


def wrong_version(provider: Provider, folder: Path) -> str:
    """Return an error if the installed provider must be the newest major version and is not, or else ""."""
    if provider.name != "newest":
        return ""
    selections = json.loads(provider.terraform(folder, "version", "-json").stdout)["provider_selections"]
    version: str = selections.get(schema.ADDRESS, "none")
    return (
        "" if version.startswith("6.") else f"Terraform installed provider {version} instead of 6: check the registry"
    )


def check(provider: Provider, name: str) -> Verdict:
    """Run the tests of one folder, which also validate it, or validate an example.

    A failed step counts as one failure.
    """
    folder, names = provider.folder(name), (provider.name, name)
    begun = provider.terraform(folder, "init", "-backend=false", "-input=false", "-no-color")
    fault = begun.stdout if begun.returncode else wrong_version(provider, folder)
    if fault:
        return Verdict(*names, 0, 1, 0, fault)
    if folder.parent.name == EXAMPLES:
        validated = provider.terraform(folder, "validate", "-no-color")
        failed = int(validated.returncode != 0)
        return Verdict(*names, 1 - failed, failed, len(WARNING.findall(validated.stdout)), validated.stdout)
    passed, failed, output = 0, 0, ""
    for workspace, tests in provider.root_tests if name == "root" else (("default", "tests"),):
        result = provider.terraform(folder, "test", "-no-color", f"-test-directory={tests}", workspace=workspace)
        output += f"workspace {workspace}\n{result.stdout}"
        counts = SUMMARY.search(result.stdout)
        if not counts or (result.returncode and counts[2] == "0"):
            return Verdict(*names, passed, failed + 1, 0, output + "\nterraform test printed no complete result")
        passed, failed = passed + int(counts[1]), failed + int(counts[2])
    return Verdict(*names, passed, failed, len(WARNING.findall(output)), output)


def copy_of_terraform(name: str) -> Path:
    """Return a folder with a copy of terraform/ and examples/, without temporary files of Terraform and editors."""
    copy = BUILD / "terraform" / f"provider-{name}"
    shutil.rmtree(copy, ignore_errors=True)
    for folder in ("terraform", EXAMPLES):
        ignored = shutil.ignore_patterns(".terraform", "*.tfstate*", "environments.override.json", "photos")
        shutil.copytree(ROOT / folder, copy / folder, ignore=ignored)
    return copy


@contextmanager
def served_schema(file: Path) -> Iterator[dict[str, str]]:
    """Serve the schema of a provider, and yield the environment variables that make Terraform use it.

    Raises UserError if the server does not start.
    """
    with tempfile.TemporaryDirectory(prefix="provider-") as folder:
        server = [str(BUILD / "venv/localstack/bin/python"), str(ROOT / "scripts/provider6/server.py")]
        command = [*server, str(file), f"{folder}/socket"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            reattach = process.stdout.readline().strip() if process.stdout else ""
            if not reattach:
                raise UserError(f"the server of {file} did not start: its error is above")
            yield {"TF_REATTACH_PROVIDERS": reattach}


@contextmanager
def provider6() -> Iterator[Provider]:
    """Yield a provider that only has the schema of provider 6."""
    with served_schema(schema.schema_file()) as variables:
        yield Provider("6", copy_of_terraform("6"), variables, ROOT_TESTS_OF_SCHEMA, is_installed=False)


@contextmanager
def newest_provider() -> Iterator[Provider]:
    """Yield the newest provider of the registry, which no lock file pins."""
    copy = copy_of_terraform("newest")
    for file in copy.rglob(".terraform.lock.hcl"):
        file.unlink()
    yield Provider("newest", copy)


@contextmanager
def locked_provider() -> Iterator[Provider]:
    """Yield the provider that the lock files pin.

    One process of the provider serves all tests. Otherwise each run of Terraform would hash the provider's 700 MB and
    start it, which takes more CPU time than the tests themselves.

    Raises UserError if the provider cannot be installed, or does not start.
    """
    installed = Provider("5")
    folder = installed.folder("root")
    begun = installed.terraform(folder, "init", "-backend=false", "-input=false", "-no-color")
    binaries = sorted((installed.data(folder) / "providers").glob(f"{schema.ADDRESS}/*/*/terraform-provider-aws*"))
    if begun.returncode or len(binaries) != 1:
        raise UserError(f"{begun.stdout}\nTerraform did not install one version of its provider: {binaries}")
    environment = chosen_cloud("embedded").environment()
    # The flag is for debuggers: the provider prints how Terraform connects to it, and runs until it is stopped.
    # https://developer.hashicorp.com/terraform/plugin/debugging
    command = [str(binaries[0]), "-debug"]
    with subprocess.Popen(
        command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        try:
            matches = (REATTACH.search(line) for line in process.stdout or ())
            address = next((match[1] for match in matches if match), None)
            if not address:
                raise UserError(f"{command} did not say how Terraform reaches it")
            yield Provider("5", variables={"TF_REATTACH_PROVIDERS": address})
        finally:
            process.terminate()


OPENED = {"5": locked_provider, "6": provider6, "newest": newest_provider}


def check_all(names: list[str], providers: list[str]) -> list[Verdict]:
    """Check the folders with each provider, two at a time, and return the verdicts.

    The root takes longest, so it is first.
    """
    with ExitStack() as stack:
        opened = [stack.enter_context(OPENED[name]()) for name in providers]
        pairs = [(provider, name) for name in names for provider in opened]
        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(check, *zip(*pairs, strict=True)))


def main() -> None:
    """Check the folders that the command line names. Exit with 1 if anything failed or warned."""
    folders = [file.parent for parent in (MODULES, EXAMPLES) for file in (ROOT / parent).glob("*/variables.tf")]
    everything = ["root", *sorted(folder.name for folder in folders)]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="a module, an example or root; default: all")
    parser.add_argument("--provider", action="append", choices=PROVIDERS, help="default: 5 and 6; repeatable")
    given = parser.parse_args()
    formatted = Provider("5").terraform(
        ROOT, "fmt", "-check", "-recursive", "-diff", "-no-color", "terraform", EXAMPLES
    )
    if formatted.returncode:
        print(formatted.stdout + "run `terraform fmt -recursive terraform examples` to fix this")
    try:
        verdicts = check_all(given.names or everything, given.provider or ["5", "6"])
    except UserError as error:
        sys.exit(f"{error.message}\n0 passed, 1 failed")
    for verdict in verdicts:
        counts = f"{verdict.passed} passed, {verdict.failed} failed, {verdict.warnings} warnings"
        print(f"  provider {verdict.provider}, {verdict.name}: {counts}")
        if verdict.failed or verdict.warnings:  # the output contains their messages
            print(verdict.output)
    failed = sum(verdict.faults for verdict in verdicts) + bool(formatted.returncode)
    print(f"{sum(verdict.passed for verdict in verdicts)} passed, {failed} failed")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
