"""Stand-ins for the small providers that examples use, for machines that have only the AWS provider in a mirror.

Usage: stand_ins.py NAME, started by Terraform     (with an environment that has `tf`: requirements/providers.txt)

The stand-ins have the arguments and attributes that the tested projects use:
https://registry.terraform.io/providers/hashicorp/random, and archive, external, local and null
"""

import base64
import hashlib
import json
import random
import subprocess
import sys
import uuid
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tf import iface, runner, schema, types

HOST = "registry.terraform.io"
ADJECTIVES = ("able", "brave", "calm", "eager", "fair", "glad", "keen", "loyal", "neat", "proud")
ANIMALS = ("ant", "bear", "crow", "deer", "eel", "finch", "goat", "heron", "ibis", "jay")
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
TEXT, NUMBER, BOOL = types.String(), types.Number(), types.Bool()
TEXTS, MAP = types.List(TEXT), types.Map(TEXT)
State = dict[str, Any]
EMPTY_ZIP_TIME = (2049, 1, 1, 0, 0, 0)


def given(**attributes: types.TfType) -> list[schema.Attribute]:
    """Return optional arguments. A change of any of them replaces the resource."""
    return [schema.Attribute(name, kind, optional=True, requires_replace=True) for name, kind in attributes.items()]


def made(**attributes: types.TfType) -> list[schema.Attribute]:
    """Return attributes that the provider sets."""
    return [schema.Attribute(name, kind, computed=True) for name, kind in attributes.items()]


class Resource(iface.Resource):
    """A resource that is created once and never updated."""

    name = ""
    attributes: tuple[schema.Attribute, ...] = ()

    def __init__(self, _: iface.Provider) -> None: ...

    @classmethod
    def get_name(cls) -> str:
        return cls.name

    @classmethod
    def get_schema(cls) -> schema.Schema:
        return schema.Schema(attributes=[*cls.attributes, *made(id=TEXT)])

    def make(self, _: State) -> State:
        """Return the attributes that the provider sets."""
        return {"id": str(uuid.uuid4())}

    def create(self, _: iface.CreateContext, planned: State) -> State:
        return {**planned, **self.make(planned)}

    def read(self, _: iface.ReadContext, current: State) -> State:
        return current

    def update(self, _: iface.UpdateContext, current: State, planned: State) -> State:
        return {**current, **{name: value for name, value in planned.items() if value is not types.Unknown}}

    def delete(self, _: iface.DeleteContext, current: State) -> None: ...


class Null(Resource):
    name, attributes = "resource", tuple(given(triggers=MAP))


class Pet(Resource):
    name, attributes = "pet", tuple(given(length=NUMBER, prefix=TEXT, separator=TEXT, keepers=MAP))

    def make(self, planned: State) -> State:
        words = [planned["prefix"]] if planned["prefix"] else []
        adjectives = [random.choice(ADJECTIVES) for _ in range(int(planned["length"] or 2) - 1)]
        return {"id": (planned["separator"] or "-").join([*words, *adjectives, random.choice(ANIMALS)])}


class Text(Resource):
    name = "string"
    attributes = (
        *given(length=NUMBER, special=BOOL, upper=BOOL, lower=BOOL, numeric=BOOL, number=BOOL, keepers=MAP),
        *given(min_lower=NUMBER, min_upper=NUMBER, min_numeric=NUMBER, override_special=TEXT),
        *made(result=TEXT),
    )

    def make(self, planned: State) -> State:
        result = "".join(random.choices(DIGITS[10:], k=int(planned["length"])))
        return {"result": result, "id": result}


class Password(Text):
    name = "password"


class Id(Resource):
    name = "id"
    attributes = (*given(byte_length=NUMBER, prefix=TEXT, keepers=MAP), *made(hex=TEXT, dec=TEXT, b64_url=TEXT))

    def make(self, planned: State) -> State:
        content = random.randbytes(int(planned["byte_length"]))
        prefix, text = planned["prefix"] or "", base64.urlsafe_b64encode(content).decode().rstrip("=")
        decimal = str(int.from_bytes(content))
        return {"id": text, "hex": prefix + content.hex(), "dec": prefix + decimal, "b64_url": prefix + text}


class Uuid(Resource):
    name, attributes = "uuid", (*given(keepers=MAP), *made(result=TEXT))

    def make(self, _: State) -> State:
        result = str(uuid.uuid4())
        return {"result": result, "id": result}


class LocalFile(Resource):
    name = "file"
    attributes = tuple(given(content=TEXT, filename=TEXT, file_permission=TEXT, directory_permission=TEXT))

    def make(self, planned: State) -> State:
        file = Path(planned["filename"])
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(planned["content"])
        return {"id": hashlib.sha1(planned["content"].encode()).hexdigest()}

    def delete(self, _: iface.DeleteContext, current: State) -> None:
        Path(current["filename"]).unlink(missing_ok=True)


class Data(iface.DataSource):
    """A data source."""

    name = ""
    attributes: tuple[schema.Attribute, ...] = ()

    def __init__(self, _: iface.Provider) -> None: ...

    @classmethod
    def get_name(cls) -> str:
        return cls.name

    @classmethod
    def get_schema(cls) -> schema.Schema:
        return schema.Schema(attributes=[*cls.attributes, *made(id=TEXT)], block_types=list(cls.blocks()))

    @classmethod
    def blocks(cls) -> tuple[schema.NestedBlock, ...]:
        return ()


class External(Data):
    attributes = (*given(program=TEXTS, query=MAP, working_dir=TEXT), *made(result=MAP))

    def read(self, ctx: iface.ReadDataContext, config: State) -> State | None:
        query = {name: value for name, value in (config["query"] or {}).items() if value is not None}
        program, folder = config["program"], config["working_dir"]
        done = subprocess.run(program, input=json.dumps(query), cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            ctx.diagnostics.add_error("External Program Execution Failed", done.stderr)
            return None
        return {**config, "result": json.loads(done.stdout), "id": "-"}


class ReadFile(Data):
    name = "file"
    attributes = (*given(filename=TEXT), *made(content=TEXT, content_base64=TEXT))

    def read(self, _: iface.ReadDataContext, config: State) -> State:
        content = Path(config["filename"]).read_bytes()
        encoded = base64.b64encode(content).decode()
        return {**config, "content": content.decode(errors="replace"), "content_base64": encoded, "id": encoded[:40]}


class Archive(Data):
    name = "file"
    attributes = (
        *given(type=TEXT, source_file=TEXT, source_dir=TEXT, source_content=TEXT, source_content_filename=TEXT),
        *given(output_path=TEXT, excludes=types.Set(TEXT), output_file_mode=TEXT),
        *made(output_base64sha256=TEXT, output_sha256=TEXT, output_md5=TEXT, output_sha=TEXT, output_size=NUMBER),
    )

    @classmethod
    def blocks(cls) -> tuple[schema.NestedBlock, ...]:
        block = schema.Block(attributes=given(content=TEXT, filename=TEXT))
        return (schema.NestedBlock("source", schema.NestMode.Set, block),)

    def read(self, _: iface.ReadDataContext, config: State) -> State:
        target = Path(config["output_path"])
        target.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in sorted(_contents(config)):
                archive.writestr(zipfile.ZipInfo(name, EMPTY_ZIP_TIME), content)
        content = target.read_bytes()
        sha256 = hashlib.sha256(content)
        return {
            **config,
            "output_base64sha256": base64.b64encode(sha256.digest()).decode(),
            "output_sha256": sha256.hexdigest(),
            "output_md5": hashlib.md5(content).hexdigest(),
            "output_sha": hashlib.sha1(content).hexdigest(),
            "output_size": len(content),
            "id": hashlib.sha1(content).hexdigest(),
        }


def _contents(config: State) -> list[tuple[str, bytes]]:
    """Return the name and content of each file of an archive."""
    if config["source_file"]:
        file = Path(config["source_file"])
        return [(file.name, file.read_bytes())]
    if config["source_dir"]:
        folder, excluded = Path(config["source_dir"]), set(config["excludes"] or ())
        names = [(file, file.relative_to(folder).as_posix()) for file in folder.rglob("*") if file.is_file()]
        return [(name, file.read_bytes()) for file, name in names if name not in excluded]
    if config["source_content"] is not None:
        return [(config["source_content_filename"], config["source_content"].encode())]
    return [(source["filename"], source["content"].encode()) for source in config["source"]]


TYPES: dict[str, tuple[list[type[Resource]], list[type[Data]]]] = {
    "archive": ([], [Archive]),
    "external": ([], [External]),
    "local": ([LocalFile], [ReadFile]),
    "null": ([Null], []),
    "random": ([Id, Password, Pet, Text, Uuid], []),
}


class Provider(iface.Provider):
    """The stand-in for a provider without settings."""

    def __init__(self, name: str) -> None:
        self.name = name

    def get_model_prefix(self) -> str:
        """Return the prefix of the resource types. The only type of `external` has the same name as the provider."""
        return self.name if self.name == "external" else f"{self.name}_"

    def get_provider_schema(self, _: Any) -> schema.Schema:
        return schema.Schema()

    def full_name(self) -> str:
        return f"{HOST}/hashicorp/{self.name}"

    def validate_config(self, *_: Any) -> None: ...

    def configure_provider(self, *_: Any) -> None: ...

    def get_data_sources(self) -> list[type[iface.DataSource]]:
        return list(TYPES[self.name][1])

    def get_resources(self) -> list[type[iface.Resource]]:
        return list(TYPES[self.name][0])


def main(name: str, serve: Callable[[iface.Provider, list[str]], None] = runner.run_provider) -> None:
    """Serve a provider until Terraform ends it."""
    serve(Provider(name), [name])


if __name__ == "__main__":
    main(sys.argv[1])
