"""An operation as IAM sees it: what is asked for, on what."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

Keys = Mapping[str, str | list[str]]


@dataclass(frozen=True)
class Check:
    """One permission that is needed. `keys` are condition keys in lower case."""

    action: str
    resource: str
    keys: Keys = field(default_factory=dict)


class Facts(Protocol):
    """What some operations need to know beyond their parameters."""

    def redrive_sources(self, dead_letter_arn: str) -> list[str]:
        """ARNs of the queues whose dead-letter queue it is."""

    def hash_key(self, table_arn: str, index: str | None = None) -> str | None:
        """The name of the partition key of a table, or of its index."""

    def mapping_function(self, uuid: str) -> str | None:
        """The function of an event source mapping."""

    def identity(self, address: str) -> str:
        """The verified SES identity that a mail address is sent by."""

    def key_arn(self, key_id: str) -> str:
        """The ARN of a KMS key named in any of the ways that KMS takes."""


@dataclass(frozen=True)
class Request:
    """One API call."""

    operation: str
    params: Mapping[str, Any]
    account: str
    region: str
    facts: Facts

    def arn(self, service: str, rest: str) -> str:
        """An ARN in this account and region."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{rest}"


class UnmappedError(Exception):
    """There is no row for the operation; the message says what to do."""


Row = Callable[[Request], list[Check]]
Resource = Callable[[Request], str]


def needs(action: str, resource: Resource, keys: Callable[[Request], Keys] | None = None) -> Row:
    """A row: one action on one resource."""
    return lambda request: [Check(action, resource(request), keys(request) if keys else {})]


def each(prefix: str, operations: Iterable[str], resource: Resource) -> dict[str, Row]:
    """Rows of operations whose action has their own name."""
    return {operation: needs(f"{prefix}:{operation}", resource) for operation in operations}


def anything(_: Request) -> str:
    """For actions that know no resource."""
    return "*"


def text(value: Any) -> str:
    """A parameter that may be missing."""
    return "" if value is None else str(value)
