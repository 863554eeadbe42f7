"""The environments of terraform/environments.tf, read by Terraform itself before anything is made for one: no cloud is asked."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from eventloom.clouds import BUILD, ROOT, tool_environment
from eventloom.errors import UserError

TERRAFORM = ROOT / "terraform"
# The table, and what may override it: https://developer.hashicorp.com/terraform/language/values/variables#variable-definition-precedence
FILES = ("environments.tf", "terraform.tfvars", "terraform.tfvars.json", "*.auto.tfvars", "*.auto.tfvars.json")
OUTPUT = 'output "accounts" { value = var.environments.allowed_account_ids }\n'


def accounts(folder: Path = TERRAFORM) -> dict[str, list[str]]:
    """The ids of the accounts that each environment may be in, [] for any. Exits with Terraform's messages when the table is wrong."""
    BUILD.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=BUILD, prefix=".table-") as scratch:
        for file in [file for pattern in FILES for file in folder.glob(pattern)]:
            shutil.copy(file, scratch)
        Path(scratch, "accounts.tf").write_text(OUTPUT)
        environment = os.environ | tool_environment() | {"TF_DATA_DIR": ".terraform", "TF_WORKSPACE": "default"}
        command = ["terraform", f"-chdir={scratch}", "apply", "-input=false", "-auto-approve", "-compact-warnings"]
        done = subprocess.run(command, env=environment, check=False, text=True, stdout=subprocess.PIPE)
        if done.returncode:
            sys.exit(f"the table of environments in {folder.name}/ is wrong (messages above)")
        found: dict[str, list[str]] = json.loads(Path(scratch, "terraform.tfstate").read_text())["outputs"]["accounts"]["value"]
        return found


def check(environment: str, account: str) -> None:
    """Raises UserError for an environment that is not in the table, or belongs to other accounts."""
    table = accounts()
    if environment not in table:
        raise UserError(f"'{environment}' is no environment; terraform/environments.tf has {', '.join(table)}")
    if table[environment] and account not in table[environment]:
        allowed = " or ".join(table[environment])
        raise UserError(f"'{environment}' belongs to account {allowed} (allowed_account_ids), and these credentials to {account}")
