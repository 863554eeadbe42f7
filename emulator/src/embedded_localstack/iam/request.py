"""An API call and the permissions that it needs."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

Keys = Mapping[str, str | list[str]]


@dataclass(frozen=True)
class Check:
    """One permission that a call needs. `keys` are condition keys in lower case."""

    action: str
    resource: str
    keys: Keys = field(default_factory=dict)
    anywhere: bool = False
    """Whether the resource is not known: then only an allow on every resource counts, and a deny on any resource."""


class Facts(Protocol):
    """Lookup of state that an operation depends on beyond its parameters."""

    def redrive_sources(self, dead_letter_arn: str) -> list[str]:
        """Return the ARNs of the queues that use this dead-letter queue."""

    def hash_key(self, table_arn: str, index: str | None = None) -> str | None:
        """Return the name of the partition key of a table, or of an index of the table."""

    def mapping_function(self, uuid: str) -> str | None:
        """Return the ARN of the function of an event source mapping."""

    def identity(self, address: str) -> str:
        """Return the verified SES identity of a sender's address."""

    def has_tags(self, bucket: str, key: str, version: str) -> bool:
        """Return whether an object has tags."""

    def key_arn(self, key_id: str) -> str:
        """Return the ARN of a KMS key, given as key ID, key ARN, alias name or alias ARN."""

    def secret_arn(self, secret_id: str) -> str:
        """Return the ARN of a secret, given as name, ARN or ARN without its six random characters."""


@dataclass(frozen=True)
class Request:
    """One API call."""

    operation: str
    params: Mapping[str, Any]
    account: str
    region: str
    facts: Facts

    def arn(self, service: str, rest: str) -> str:
        """Return an ARN in this account and region."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{rest}"


class UnmappedError(Exception):
    """The tables have no row for the operation; the message says what to do."""


Row = Callable[[Request], list[Check]]
Resource = Callable[[Request], str]


def needs(action: str, resource: Resource, keys: Callable[[Request], Keys] | None = None) -> Row:
    """Return a row with one action on one resource."""
    return lambda request: [Check(action, resource(request), keys(request) if keys else {})]


def each(prefix: str, operations: Iterable[str], resource: Resource) -> dict[str, Row]:
    """Return the rows of operations that have the same name as their action."""
    return {operation: needs(f"{prefix}:{operation}", resource) for operation in operations}


def anything(_: Request) -> str:
    """Return "*", the resource of actions that have no resource type."""
    return "*"


def text(value: Any) -> str:
    """Return a parameter as text, empty if it is missing."""
    return "" if value is None else str(value)


def request_tags(tags: Any) -> dict[str, str | list[str]]:
    """Return the condition keys of the tags in a request: a list of keys and values, or a mapping."""
    if isinstance(tags, Mapping):
        pairs = {text(key): text(value) for key, value in tags.items()}
    else:
        items = tags or []
        pairs = {text(tag.get("Key") or tag.get("key")): text(tag.get("Value") or tag.get("value")) for tag in items}
    if not pairs:
        return {}
    return {"aws:tagkeys": [*pairs], **{f"aws:requesttag/{name}".lower(): value for name, value in pairs.items()}}
