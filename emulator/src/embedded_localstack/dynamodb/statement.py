"""Represent a PartiQL statement by the expressions of DynamoDB's other operations."""

from dataclasses import dataclass, field

from embedded_localstack.dynamodb.values import Item, Value


@dataclass
class Statement:
    """A statement. `sections` are parts of an update expression; `returning` is a value for ReturnValues."""

    kind: str
    table: str
    index: str | None = None
    item: Item = field(default_factory=dict)
    projection: str = ""
    condition: str = ""
    sections: dict[str, list[str]] = field(default_factory=dict)
    returning: str = "NONE"
    descending: bool = False
    names: dict[str, str] = field(default_factory=dict)
    values: dict[str, Value] = field(default_factory=dict)

    @property
    def update(self) -> str:
        """The update expression."""
        return " ".join(f"{section} {', '.join(actions)}" for section, actions in self.sections.items())

    def name(self, attribute: str) -> str:
        """Return a placeholder for the name of an attribute."""
        for placeholder, known in self.names.items():
            if known == attribute:
                return placeholder
        placeholder = f"#n{len(self.names)}"
        self.names[placeholder] = attribute
        return placeholder

    def value(self, value: Value) -> str:
        """Return a placeholder for a value."""
        placeholder = f":v{len(self.values)}"
        self.values[placeholder] = value
        return placeholder
