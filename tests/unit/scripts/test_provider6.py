"""The schema of provider 6 is made from the pinned package, and Terraform's warnings about it are counted."""

import json
import subprocess
from pathlib import Path

import pytest

from eventloom.clouds import ROOT
from eventloom.errors import UserError
from scripts import check_terraform
from scripts.provider6 import package, schema
from scripts.provider6.bindings import Bindings

THING = """
export interface ThingConfig extends cdktn.TerraformMetaArguments {
    /** Docs url */
    readonly kept: string;
    readonly relaxed?: number;
    readonly brandNew?: string[];
    readonly rule: ThingRule[] | cdktn.IResolvable;
    readonly extra?: ThingExtra;
}
export interface ThingRule {
    readonly days: number;
}
export interface ThingExtra {
    readonly size?: number;
}
export declare class ThingRuleOutputReference extends cdktn.ComplexObject {
    get days(): number;
}
export declare class Thing extends cdktn.TerraformResource {
    static readonly tfResourceType = "aws_thing";
    get kept(): string;
    get keptInput(): string | undefined;
    get nowComputed(): string;
    get fingerprint(): string;
}
"""


def test_the_schema_is_the_locked_one_changed_to_what_the_bindings_have() -> None:
    attributes = {
        "id": {"type": "string", "computed": True},
        "kept": {"type": "string", "required": True},
        "relaxed": {"type": "number", "required": True},
        "removed": {"type": "string", "optional": True},
        "now_computed": {"type": "string", "optional": True},
    }
    blocks = {
        "rule": {"nesting_mode": "set", "block": {"attributes": {"days": {"type": "number", "optional": True}}}},
        "gone": {"nesting_mode": "list", "block": {}},
    }
    locked = {
        "provider": {"block": {}},
        "resource_schemas": {"aws_thing": {"block": {"attributes": attributes, "block_types": blocks}}},
    }
    made = schema.make_schema(locked, {("resource", "aws_thing"): Bindings(THING)})
    block = made["resource_schemas"]["aws_thing"]["block"]
    assert set(block["attributes"]) == {"id", "kept", "relaxed", "now_computed", "brand_new", "fingerprint"}
    assert block["attributes"]["relaxed"] == {"type": "number", "required": False, "optional": True}
    assert block["attributes"]["brand_new"]["type"] == ["list", "string"]
    assert block["attributes"]["now_computed"]["computed"]
    assert not block["attributes"]["now_computed"]["optional"]
    assert set(block["block_types"]) == {"rule", "extra"}
    assert block["block_types"]["rule"]["nesting_mode"] == "set"
    assert block["block_types"]["rule"]["min_items"] == 1
    assert block["block_types"]["rule"]["block"]["attributes"]["days"]["required"]
    assert block["block_types"]["extra"]["block"]["attributes"]["size"]["type"] == "number"


def test_what_a_deployed_state_loses_in_version_6_is_refused_until_it_is_described() -> None:
    """Attributes and nested blocks count. Those in DROPPED are known, and the how-to page names them."""

    def schemas(name: str, *fields: str) -> schema.Block:
        block: schema.Block = {"attributes": {field: {} for field in fields}, "block_types": {"rule": {"block": {}}}}
        return {"resource_schemas": {name: {"block": block}}}

    locked, made = schemas("aws_thing", "kept", "gone"), schemas("aws_thing", "kept", "region")
    locked["resource_schemas"]["aws_thing"]["block"]["block_types"]["rule"]["block"] = {"attributes": {"days": {}}}
    with pytest.raises(UserError, match=r"lacks aws_thing\.gone, aws_thing\.rule\.days, which deployed states have"):
        schema.check_upgrade(locked, made)
    known = schemas("aws_api_gateway_deployment", "id", "invoke_url")
    schema.check_upgrade(known, schemas("aws_api_gateway_deployment", "id"))
    page = (ROOT / "docs/how-to/upgrade.md").read_text(encoding="utf-8")
    names = [name for kind, fields in schema.DROPPED.items() for name in (kind, *fields)]
    assert [name for name in names if f"`{name}`" not in page] == []


def test_bindings_without_a_resource_are_refused() -> None:
    with pytest.raises(UserError, match="pin a package that has it"):
        Bindings("export interface Empty {\n}\n")


def test_every_type_of_the_modules_is_covered() -> None:
    kinds = schema.used_types()
    assert ("resource", "aws_lambda_function") in kinds
    assert ("data", "aws_service") in kinds


def test_a_package_with_other_bytes_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    npm = tmp_path / "bin" / "npm"
    npm.parent.mkdir()
    npm.write_text(f'#!/bin/sh\nprintf other >"{tmp_path}/{package.FILE}"\n')
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{npm.parent}:/usr/bin:/bin")
    with pytest.raises(UserError, match="does not have the pinned integrity"):
        package.package(tmp_path)
    assert not (tmp_path / package.FILE).exists()


def test_an_unreachable_registry_fails_with_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    npm = tmp_path / "bin" / "npm"
    npm.parent.mkdir()
    npm.write_text("#!/bin/sh\necho 'npm error ECONNREFUSED' >&2\nexit 1\n")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{npm.parent}:/usr/bin:/bin")
    with pytest.raises(UserError, match=r"cannot run: check that npm's registry is reachable(.|\n)*ECONNREFUSED"):
        package.package(tmp_path)


def test_a_warning_of_terraform_counts(tmp_path: Path) -> None:
    """Serve a data source with a deprecated attribute, and check an example that reads it and one that doesn't."""
    attributes = {
        "name": {"type": "string", "computed": True, "deprecated": True},
        "region": {"type": "string", "computed": True},
    }
    content = {
        "provider": {"block": {}},
        "resource_schemas": {},
        "data_source_schemas": {"aws_region": {"block": {"attributes": attributes}}},
    }
    file = tmp_path / "schema.json"
    file.write_text(json.dumps(content))
    required = 'terraform {\n  required_providers {\n    aws = { source = "hashicorp/aws" }\n  }\n}\n'
    for attribute in ("name", "region", "wrong"):
        folder = tmp_path / "examples" / f"reads-{attribute}"
        folder.mkdir(parents=True)
        output = f'data "aws_region" "r" {{}}\noutput "r" {{\n  value = data.aws_region.r.{attribute}\n}}\n'
        (folder / "main.tf").write_text(required + output)
    with check_terraform.served_schema(file) as variables:
        provider = check_terraform.Provider("tests", tmp_path, variables)
        verdicts = {name: check_terraform.check(provider, f"reads-{name}") for name in ("name", "region", "wrong")}
    counts = {
        name: (verdict.passed, verdict.failed, verdict.warnings, verdict.faults) for name, verdict in verdicts.items()
    }
    assert counts == {"name": (1, 0, 1, 1), "region": (1, 0, 0, 0), "wrong": (0, 1, 0, 1)}
    assert "Deprecated attribute" in verdicts["name"].output


def test_a_server_that_cannot_start_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="did not start"), check_terraform.served_schema(tmp_path / "missing.json"):
        pass


def test_the_newest_provider_must_be_version_6(tmp_path: Path) -> None:
    """A mirror that only has provider 5 must not count as a test of provider 6."""

    class Mirror(check_terraform.Provider):
        def terraform(self, folder: Path, *arguments: str, workspace: str = "") -> subprocess.CompletedProcess[str]:
            selections = {schema.ADDRESS: "5.100.0"} if arguments[0] == "version" else {}
            return subprocess.CompletedProcess([], 0, json.dumps({"provider_selections": selections}))

    (tmp_path / "examples" / "one").mkdir(parents=True)
    verdict = check_terraform.check(Mirror("newest", tmp_path), "one")
    assert (verdict.passed, verdict.faults) == (0, 1)
    assert "installed provider 5.100.0 instead of 6" in verdict.output
