"""Read the arguments and attributes of a resource type or data source from its TypeScript bindings (a .d.ts file)."""

import re
from dataclasses import dataclass

from eventloom.errors import UserError

# Arguments that Terraform or the bindings add
META_ARGUMENTS = {
    "connection",
    "count",
    "dependsOn",
    "forEach",
    "lifecycle",
    "provider",
    "provisioners",
    "timeouts",
}
SIMPLE_TYPES: dict[str, object] = {
    "string[]": ["list", "string"],
    "number[]": ["list", "number"],
    "string": "string",
    "number": "number",
    "boolean": "bool",
    "{": ["map", "string"],
}


def camel_case(name: str) -> str:
    """Return the name that the bindings give an argument: `key_schema` is `keySchema`."""
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


def snake_case(name: str) -> str:
    """Return the name that Terraform gives an argument: `keySchema` is `key_schema`."""
    return re.sub(r"([A-Z])", lambda letter: "_" + letter[1].lower(), name)


@dataclass(frozen=True)
class Argument:
    """An argument or nested block: its name in the bindings, whether it is required, and its TypeScript type."""

    name: str
    required: bool
    type: str

    @property
    def interface(self) -> str:
        """Return the name of the interface that describes the nested block."""
        return re.sub(r"\| cdktn\.IResolvable", "", self.type).replace("[]", "").strip()

    @property
    def terraform_type(self) -> object:
        """Return Terraform's type as in its JSON schema; None for a nested block."""
        written = re.sub(r"\| cdktn\.IResolvable", "", self.type).strip()
        return next((value for start, value in SIMPLE_TYPES.items() if written.startswith(start)), None)


class Bindings:
    """The bindings of one resource type or data source.

    Attributes:
        interfaces: the arguments of each interface, by the interface's lower-case name. getters: the readable
        attributes of each class. config: the interface of the resource itself. name: the class of the resource.
    """

    def __init__(self, text: str) -> None:
        """Parse the text of a .d.ts file. Raises UserError if it has no resource and no data source."""
        self.interfaces: dict[str, dict[str, Argument]] = {}
        for interface in re.finditer(r"export interface (\w+)(?: extends [\w.]+)? \{\n(.*?)\n\}", text, re.S):
            fields = re.finditer(r"readonly (\w+)(\??): ([^;]+);", interface[2], re.S)
            arguments = [Argument(field[1], not field[2], field[3]) for field in fields]
            self.interfaces[interface[1]] = {argument.name.lower(): argument for argument in arguments}
        self.getters: dict[str, set[str]] = {}
        for declared in re.finditer(r"export declare class (\w+) extends [\w.]+ \{\n(.*?)\n\}", text, re.S):
            self.getters[declared[1]] = set(re.findall(r"get (\w+)\(\)", declared[2]))
        self.config = self._match(r"export interface (\w+) extends cdktn\.TerraformMetaArguments", text)
        self.name = self._match(r"export declare class (\w+) extends cdktn\.Terraform(?:Resource|DataSource)", text)

    @staticmethod
    def _match(pattern: str, text: str) -> str:
        if not (match := re.search(pattern, text)):
            raise UserError(f"the bindings of provider 6 have no {pattern}; pin a package that has it")
        return match[1]

    def block_getters(self, interface: str) -> set[str]:
        """Return the readable attributes of a nested block."""
        return self.getters.get(f"{interface}OutputReference", set())
