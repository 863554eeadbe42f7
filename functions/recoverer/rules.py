"""The RULES setting, which says which action is allowed for which alarm. It is checked in Lambda's INIT phase."""

import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any

from recoverer.alarms import Alarm
from shared.settings import SettingsError


@dataclass(frozen=True)
class Redrive:
    """Move a dead-letter queue's messages back to their source queue."""

    dlq_arn: str
    per_second: int = 10
    dimensions: Mapping[str, str] = field(default_factory=dict, hash=False)

    kind = "redrive"

    @property
    def target(self) -> str:
        """Return the id of what the rule acts on."""
        return self.dlq_arn


@dataclass(frozen=True)
class Relieve:
    """Raise the concurrency of a queue's event source mapping step by step, and lower it when the backlog is gone."""

    mapping_id: str
    ceiling: int
    step: int = 10
    dimensions: Mapping[str, str] = field(default_factory=dict, hash=False)

    kind = "relieve"

    @property
    def target(self) -> str:
        """Return the id of what the rule acts on."""
        return self.mapping_id


@dataclass(frozen=True)
class Rollback:
    """Point a function's alias back to the version before the one that was just deployed."""

    function_name: str
    alias: str = "live"
    dimensions: Mapping[str, str] = field(default_factory=dict, hash=False)

    kind = "rollback"

    @property
    def target(self) -> str:
        """Return the id of what the rule acts on."""
        return f"{self.function_name}:{self.alias}"


type Rule = Redrive | Relieve | Rollback

_KINDS: dict[str, type[Redrive | Relieve | Rollback]] = {"redrive": Redrive, "relieve": Relieve, "rollback": Rollback}


def parse_rules(text: str, ceiling: int) -> dict[str, Rule]:
    """Return rules by alarm name, from `{"<alarm>": {"kind": "redrive|relieve|rollback", ...the fields of the kind}}`.

    `ceiling` is the default for relieve rules. Raises SettingsError, which names the rule and what is wrong with it.
    """
    try:
        definitions = json.loads(text)
    except ValueError as error:
        raise SettingsError(f"RULES is not JSON: {error}") from error
    if not isinstance(definitions, dict):
        raise SettingsError("RULES must be an object with a rule by alarm name")
    return {name: _rule(name, rule, ceiling) for name, rule in definitions.items()}


def rule_for(alarm: Alarm, rules: Mapping[str, Rule]) -> Rule | None:
    """Return the rule with the alarm's name, or None if there is none or its dimensions differ from the alarm's."""
    rule = rules.get(alarm.name)
    return rule if rule and rule.dimensions.items() <= alarm.dimensions.items() else None


def _rule(name: str, definition: Any, ceiling: int) -> Rule:
    if not isinstance(definition, dict) or definition.get("kind") not in _KINDS:
        raise SettingsError(f"RULES: the rule of {name} needs a kind: one of {', '.join(_KINDS)}")
    kind = _KINDS[definition["kind"]]
    values = {key: value for key, value in definition.items() if key != "kind"}
    if kind is Relieve:
        values.setdefault("ceiling", ceiling)
    needed = {entry.name for entry in fields(kind) if entry.default is MISSING and entry.default_factory is MISSING}
    unknown = values.keys() - {entry.name for entry in fields(kind)}
    if unknown or needed - values.keys():
        raise SettingsError(
            f"RULES: the rule of {name} lacks {sorted(needed - values.keys())}, and {sorted(unknown)} mean nothing"
        )
    for key, value in values.items():
        if not _CHECKS.get(key, _is_text)(value):
            raise SettingsError(f"RULES: {key} = {value!r} of the rule of {name} is not valid")
    return kind(**values)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _is_count(value: object) -> bool:
    return type(value) is int and value > 0


_CHECKS: dict[str, Callable[[object], bool]] = {
    "ceiling": _is_count,
    "dimensions": lambda value: isinstance(value, dict),
    "dlq_arn": lambda value: isinstance(value, str) and value.count(":") == 5 and value.startswith("arn:"),
    "mapping_id": lambda value: isinstance(value, str) and len(value) == 36,
    "per_second": _is_count,
    "step": _is_count,
}
