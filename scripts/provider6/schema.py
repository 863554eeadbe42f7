"""Make the schema of provider 6, for the types that this repository uses, and keep it under build/cache/provider6.

The bindings list every argument and every readable attribute, the required arguments and the nested blocks. They lack
the nesting mode, collection types and sensitivity. These come from the schema of the locked provider: the result is
that schema, with the differences of provider 6 applied.
"""

import copy
import hashlib
import json
import re
import subprocess
import tarfile
from pathlib import Path
from typing import Any

from eventloom.clouds import ROOT, chosen_cloud
from eventloom.errors import UserError
from scripts.provider6 import package
from scripts.provider6.bindings import META_ARGUMENTS, Argument, Bindings, camel_case, snake_case

ADDRESS = "registry.terraform.io/hashicorp/aws"
LOCK_FILE = ROOT / "terraform" / ".terraform.lock.hcl"
# The bindings list no deprecations, and only the real provider warns of deprecated arguments. Source:
# https://registry.terraform.io/providers/hashicorp/aws/latest/docs/guides/version-6-upgrade
DEPRECATED_ATTRIBUTES = {("data", "aws_region"): ("id", "name")}
# Attributes in states of the locked provider that version 6 drops when it upgrades a state. No code here sets or reads
# them; otherwise `terraform validate` would fail. docs/how-to/upgrade.md lists them.
DROPPED = {
    "aws_api_gateway_account": {"reset_on_delete"},
    "aws_api_gateway_deployment": {"canary_settings", "execution_arn", "invoke_url", "stage_description", "stage_name"},
}

Block = dict[str, Any]
Kind = tuple[str, str]  # "resource" or "data", and the type


def used_types(root: Path = ROOT) -> list[Kind]:
    """Return the kind and type of every resource and data source in terraform/ and examples/."""
    used = set()
    for folder in ("terraform", "examples"):
        for file in (root / folder).rglob("*.tf"):
            used |= set(re.findall(r'^\s*(resource|data) "(aws_\w+)"', file.read_text(encoding="utf-8"), re.M))
    return sorted(used)


def locked_version() -> str:
    """Return the provider's version in the lock file."""
    versions: list[str] = re.findall(r'^  version *= "(.+)"', LOCK_FILE.read_text(encoding="utf-8"), re.M)
    return versions[0]


def locked_schema(folder: Path) -> Block:
    """Return the schema of the locked provider, as `terraform providers schema -json` prints it."""
    folder.mkdir(parents=True, exist_ok=True)
    provider = f'{{ source = "hashicorp/aws", version = "{locked_version()}" }}'
    (folder / "main.tf").write_text(f"terraform {{\n  required_providers {{\n    aws = {provider}\n  }}\n}}\n")
    environment = chosen_cloud("embedded").environment()
    command = ["terraform", f"-chdir={folder}"]
    for arguments in (["init", "-input=false", "-no-color"], ["providers", "schema", "-json"]):
        process = subprocess.run([*command, *arguments], env=environment, check=False, capture_output=True, text=True)
        if process.returncode:
            raise UserError(f"Terraform cannot print the schema of provider {locked_version()}: {process.stderr}")
    schema: Block = json.loads(process.stdout)["provider_schemas"][ADDRESS]
    return schema


def read_bindings(file: Path, kinds: list[Kind]) -> dict[Kind, Bindings]:
    """Return the bindings of the given types from the npm package.

    Raises UserError if the package lacks one, because provider 6 has removed it.
    """
    paths = {
        f"package/lib/{'data-' if kind == 'data' else ''}{folder.replace('_', '-')}/index.d.ts": (kind, name)
        for kind, name in kinds
        for folder in (name, name.removeprefix("aws_"))
    }
    bindings = {}
    with tarfile.open(file) as archive:
        for member in archive:
            if member.name in paths and (content := archive.extractfile(member)):
                text = content.read().decode()
                if f'tfResourceType = "{paths[member.name][1]}"' in text:
                    bindings[paths[member.name]] = Bindings(text)
    if missing := [f"{kind} {name}" for kind, name in kinds if (kind, name) not in bindings]:
        raise UserError(f"provider {package.PROVIDER} has no {', '.join(missing)}: use types that both versions have")
    return bindings


def adapt_attributes(block: Block, arguments: dict[str, Argument], getters: set[str]) -> None:
    """Remove the attributes that version 6 lacks, and update which ones are required or can be set."""
    attributes = block.setdefault("attributes", {})
    for name in list(attributes):
        rule, argument = attributes[name], arguments.get(camel_case(name).lower())
        if argument:
            optional = not argument.required
            attributes[name] = {**rule, "required": argument.required, "optional": optional}
        elif name != "id" and camel_case(name) not in getters:
            del attributes[name]
        elif name != "id":
            attributes[name] = {**rule, "required": False, "optional": False, "computed": True}


def adapt_block(block: Block, interface: str, bindings: Bindings, getters: set[str]) -> None:
    """Change a block of the locked provider, with all nested blocks, to match an interface of the bindings."""
    arguments = bindings.interfaces[interface]
    blocks = block.setdefault("block_types", {})
    known = {camel_case(name).lower() for name in (*block.get("attributes", {}), *blocks)}
    adapt_attributes(block, arguments, getters)
    for name in list(blocks):
        argument = arguments.get(camel_case(name).lower())
        if argument:
            adapt_nested(blocks[name], argument, bindings)
        elif name != "timeouts":
            del blocks[name]
    for key, argument in arguments.items():
        if key not in known and argument.name not in META_ARGUMENTS:
            add_argument(block, argument, bindings)


def adapt_nested(nested: Block, argument: Argument, bindings: Bindings) -> None:
    """Change a nested block that both versions have."""
    if argument.required:
        nested["min_items"] = max(1, nested.get("min_items", 0))
    if argument.interface in bindings.interfaces:
        adapt_block(nested["block"], argument.interface, bindings, bindings.block_getters(argument.interface))


def add_argument(block: Block, argument: Argument, bindings: Bindings) -> None:
    """Add an argument or nested block that only version 6 has."""
    name, required = snake_case(argument.name), argument.required
    if simple := argument.terraform_type:
        rule = {"type": simple, "optional": not required, "required": required, "computed": not required}
        block["attributes"][name] = rule
        return
    nested: Block = {"nesting_mode": "list", "block": {}, "min_items": int(required)}
    adapt_nested(nested, argument, bindings)
    block["block_types"][name] = nested


def add_computed(block: Block, bindings: Bindings) -> None:
    """Add the attributes that are readable only in version 6. The bindings lack their types; a string is enough."""
    known = {camel_case(name).lower() for part in ("attributes", "block_types") for name in block[part]}
    for getter in sorted(bindings.getters[bindings.name]):
        if getter.lower() not in known and not getter.endswith("Input") and getter != "timeouts":
            block["attributes"][snake_case(getter)] = {"type": "string", "computed": True}


def make_schema(locked: Block, bindings: dict[Kind, Bindings]) -> Block:
    """Return the schema of version 6, as in `terraform providers schema -json`."""
    schema: Block = {"provider": locked["provider"], "resource_schemas": {}, "data_source_schemas": {}}
    for (kind, name), binding in bindings.items():
        part = "data_source_schemas" if kind == "data" else "resource_schemas"
        block = locked[part][name]["block"]
        adapt_block(block, binding.config, binding, binding.getters[binding.name])
        add_computed(block, binding)
        for attribute in DEPRECATED_ATTRIBUTES.get((kind, name), ()):
            block["attributes"][attribute]["deprecated"] = True
        schema[part][name] = locked[part][name]
    return schema


def missing_names(old: Block, new: Block, path: str = "") -> set[str]:
    """Return the attributes and nested blocks that a block has in the old schema but not in the new one.

    A nested name includes its parents, such as "rule.days".
    """
    names = {
        path + name
        for part in ("attributes", "block_types")
        for name in old.get(part, {})
        if name not in new.get(part, {})
    }
    for name, nested in old.get("block_types", {}).items():
        if name in new.get("block_types", {}):
            names |= missing_names(nested["block"], new["block_types"][name]["block"], f"{path}{name}.")
    return names


def check_upgrade(locked: Block, made: Block) -> None:
    """Raise UserError if states of the locked provider have something that version 6 lacks and DROPPED doesn't name."""
    old = locked["resource_schemas"]
    lost = {name: missing_names(old[name]["block"], new["block"]) for name, new in made["resource_schemas"].items()}
    if unknown := [f"{name}.{field}" for name in lost for field in sorted(lost[name] - DROPPED.get(name, set()))]:
        raise UserError(
            f"provider {package.PROVIDER} lacks {', '.join(unknown)}, which deployed states have: check that nothing "
            "reads it, add it to DROPPED in scripts/provider6/schema.py, and name it in docs/how-to/upgrade.md"
        )


def schema_file(folder: Path = package.FOLDER) -> Path:
    """Return the file of the schema. Make it again only if the types, a version or this code has changed."""
    kinds = used_types()
    code = b"".join(file.read_bytes() for file in sorted(Path(__file__).parent.glob("*.py")))
    inputs = json.dumps([kinds, locked_version(), package.INTEGRITY]).encode() + code
    file = folder / f"schema-{hashlib.sha256(inputs).hexdigest()[:16]}.json"
    if not file.is_file():
        bindings = read_bindings(package.package(folder), kinds)
        locked = locked_schema(folder / "locked")
        made = make_schema(copy.deepcopy(locked), bindings)
        check_upgrade(locked, made)
        text = json.dumps(made)
        for old in folder.glob("schema-*.json"):
            old.unlink()
        file.write_text(text)
    return file
