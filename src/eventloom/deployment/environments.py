"""Read the table of environments, terraform/environments.json, as terraform/environments.tf does.

Terraform checks types and values. This module reads settings for commands that need them before they run Terraform, or
that never run it.
"""

import json
from pathlib import Path
from typing import Any

from eventloom.clouds import ROOT
from eventloom.errors import UserError

TERRAFORM = ROOT / "terraform"
TABLE = "environments.json"
OVERRIDE = "environments.override.json"

type Table = dict[str, dict[str, Any]]


def names(folder: Path = TERRAFORM) -> list[str]:
    """Return the names of the environments, in the order of the table. Raises UserError if a file is malformed."""
    return [*_row("log_level", folder)]


def setting(environment: str, name: str, folder: Path = TERRAFORM) -> Any:
    """Return a setting of an environment. Raises UserError if the table has no such setting or environment."""
    row = _row(name, folder)
    if environment not in row:
        raise UserError(f"terraform/{TABLE} has no '{environment}' for {name}; it has: {', '.join(row)}")
    return row[environment]


def check(environment: str, account: str, folder: Path = TERRAFORM) -> None:
    """Raise UserError if an environment is not in the table, or may not be deployed to this account."""
    if environment not in names(folder):
        raise UserError(f"there is no environment '{environment}'; terraform/{TABLE} has: {', '.join(names(folder))}")
    allowed = setting(environment, "allowed_account_ids", folder)
    if allowed and account not in allowed:
        raise UserError(
            f"'{environment}' may only be in account {' or '.join(allowed)}, and these credentials are of account "
            f"{account}; "
            f"use other credentials, or change allowed_account_ids in terraform/{TABLE}"
        )


def _row(name: str, folder: Path) -> dict[str, Any]:
    """Return the values of a setting by environment."""
    table = _read(folder / TABLE)
    override = _read(folder / OVERRIDE) if (folder / OVERRIDE).exists() else {}
    if unknown := [*override.keys() - table.keys()]:
        raise UserError(
            f"terraform/{OVERRIDE} has a setting that terraform/{TABLE} does not have: {', '.join(sorted(unknown))}"
        )
    if name not in table:
        raise UserError(f"terraform/{TABLE} has no setting named {name}")
    return table[name] | override.get(name, {})


def _read(file: Path) -> Table:
    """Return the rows of a file. Raises UserError if it is not a JSON object of objects."""
    try:
        table = json.loads(file.read_text())
    except ValueError as error:
        raise UserError(f"terraform/{file.name} is not valid JSON: {error}") from error
    if not isinstance(table, dict) or not all(isinstance(row, dict) for row in table.values()):
        raise UserError(f'terraform/{file.name} must hold rows such as "vpc": {{ "dev": true, "prod": true }}')
    return table
