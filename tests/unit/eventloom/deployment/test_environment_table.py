"""Terraform and ./eventloom read the same values of terraform/environments.json, and name mistakes in it."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from eventloom.clouds import ROOT, chosen_cloud
from eventloom.deployment import environments
from eventloom.errors import UserError

OVERRIDE = {"allowed_account_ids": {"dev": ["111122223333"]}, "vpc": {"prod": True}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Provide a copy of the table with an override, and of the Terraform that reads them."""
    for name in ("environments.tf", "environments.json"):
        shutil.copy(ROOT / "terraform" / name, tmp_path)
    shutil.copytree(ROOT / "terraform/modules/environments", tmp_path / "modules/environments")
    (tmp_path / "environments.override.json").write_text(json.dumps(OVERRIDE))
    (tmp_path / "outputs.tf").write_text('output "settings" { value = module.environments.settings }\n')
    return tmp_path


def change(folder: Path, **rows: dict[str, Any] | None) -> None:
    """Change rows of the copied table; None removes a row."""
    file = folder / "environments.json"
    table = json.loads(file.read_text()) | rows
    file.write_text(json.dumps({name: row for name, row in table.items() if row is not None}))


def terraform(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Terraform in the copy."""
    variables = chosen_cloud("embedded").environment() | {
        "TF_DATA_DIR": str(folder / "data"),
        "TF_WORKSPACE": "default",
    }
    command = ["terraform", f"-chdir={folder}", *arguments]
    return subprocess.run(command, env=os.environ | variables, check=False, text=True, capture_output=True)


def apply(folder: Path) -> str:
    """Apply the copy; returns the messages, with single spaces."""
    assert terraform(folder, "init", "-input=false").returncode == 0
    done = terraform(folder, "apply", "-input=false", "-auto-approve", "-no-color")
    return re.sub(r"[\s│╷╵]+", " ", done.stdout + done.stderr)


def test_terraform_and_the_command_read_the_same_values_with_the_override(folder: Path) -> None:
    assert "Apply complete" in apply(folder)
    settings = json.loads(terraform(folder, "output", "-json", "settings").stdout)
    assert set(environments.names(folder)) == settings.keys() == {"local", "dev", "staging", "prod"}
    for environment, values in settings.items():
        assert {name: environments.setting(environment, name, folder) for name in values} == values
    assert settings["dev"]["allowed_account_ids"] == ["111122223333"]
    assert [settings[name]["vpc"] for name in ("staging", "prod")] == [False, True]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"tracing": None, "traicing": {"dev": True}}, 'does not have an attribute named "tracing"'),
        (
            {"tracing": {"local": "yes", "dev": True, "staging": True, "prod": True}},
            r"environments_table.tracing .*a bool is required",
        ),
        (
            {"thumbnailer_ceiling": {"local": 1, "dev": 20, "staging": 100, "prod": 400}},
            "thumbnailer_ceiling must be at least",
        ),
        ({"traicing": {"local": True, "dev": True, "staging": True, "prod": True}}, "Unknown settings: traicing"),
        ({"vpc": {"local": True}}, "Correct vpc"),
    ],
)
def test_a_mistake_in_the_table_fails_the_plan_and_is_named(folder: Path, rows: dict[str, Any], message: str) -> None:
    change(folder, **rows)
    assert re.search(message, apply(folder))


def test_the_rows_are_sorted() -> None:
    names = [*json.loads((ROOT / "terraform/environments.json").read_text())]
    assert names == sorted(names)


def test_an_environment_must_be_in_the_table(folder: Path) -> None:
    with pytest.raises(UserError, match=r"there is no environment .dve.; terraform/environments\.json has: local, dev"):
        environments.check("dve", "123456789012", folder)


def test_an_environment_belongs_to_its_accounts(folder: Path) -> None:
    environments.check("dev", "111122223333", folder)
    environments.check("prod", "123456789012", folder)
    with pytest.raises(
        UserError, match="'dev' may only be in account 111122223333, and these credentials are of account 1234"
    ):
        environments.check("dev", "123456789012", folder)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "terraform/environments.override.json is not valid JSON: Expecting property name .*line 1"),
        ("[]", "terraform/environments.override.json must hold rows such as"),
        ('{"vpc": true}', "terraform/environments.override.json must hold rows such as"),
        (
            '{"allowed_acount_ids": {"dev": []}}',
            "has a setting that terraform/environments.json does not have: allowed_acount_ids",
        ),
    ],
)
def test_a_malformed_override_is_named(folder: Path, text: str, message: str) -> None:
    (folder / "environments.override.json").write_text(text)
    with pytest.raises(UserError, match=message):
        environments.check("dev", "111122223333", folder)


def test_a_setting_that_does_not_exist_is_named(folder: Path) -> None:
    with pytest.raises(UserError, match="has no setting named traicing"):
        environments.setting("dev", "traicing", folder)
    with pytest.raises(UserError, match="has no 'dve' for vpc; it has: local, dev"):
        environments.setting("dve", "vpc", folder)
