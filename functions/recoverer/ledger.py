"""Keep the actions on each target in the state table.

The ledger is written before acting, and only if it has not changed since it was read.
"""

from typing import Any

from botocore.exceptions import ClientError

from recoverer.decisions import State
from recoverer.rules import Rule
from shared.dynamodb import is_conditional_failure

# Longer than the time after which anyone would deploy a rolled-back version again
_KEEP_S = 400 * 86_400


class Ledger:
    """The states of all targets, as items of the state table. Botocore's errors pass through."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        """`dynamodb` is a low-level client."""
        self._dynamodb = dynamodb
        self._table = table

    def read(self, rule: Rule) -> State:
        """Return the stored state of the rule's target with a consistent read."""
        item = self._dynamodb.get_item(TableName=self._table, Key=_key(rule), ConsistentRead=True).get("Item", {})
        numbers = {name: int(value["N"]) for name, value in item.items() if "N" in value}
        return State(
            revision=numbers.get("revision", 0),
            acted_at=tuple(int(moment["N"]) for moment in item.get("acted_at", {}).get("L", ())),
            baseline=numbers.get("baseline"),
            raised_from=numbers.get("raised_from"),
            raised_to=numbers.get("raised_to"),
            abandoned=frozenset(int(version) for version in item.get("abandoned", {}).get("NS", ())),
        )

    def write(self, rule: Rule, state: State, now: float) -> bool:
        """Replace the revision on which `state` is based.

        Returns False without writing if another invocation has written meanwhile.
        """
        item: dict[str, Any] = _key(rule) | {
            "revision": {"N": str(state.revision + 1)},
            "acted_at": {"L": [{"N": str(moment)} for moment in state.acted_at]},
            "expires_at": {"N": str(int(now) + _KEEP_S)},
        }
        for name, value in (
            ("baseline", state.baseline),
            ("raised_from", state.raised_from),
            ("raised_to", state.raised_to),
        ):
            if value is not None:
                item[name] = {"N": str(value)}
        if state.abandoned:
            item["abandoned"] = {"NS": [str(version) for version in sorted(state.abandoned)]}
        try:
            self._dynamodb.put_item(
                TableName=self._table,
                Item=item,
                ConditionExpression="attribute_not_exists(pk) OR revision = :revision",
                ExpressionAttributeValues={":revision": {"N": str(state.revision)}},
            )
        except ClientError as error:
            if is_conditional_failure(error):
                return False
            raise
        return True


def _key(rule: Rule) -> dict[str, Any]:
    return {"pk": {"S": f"recoverer#{rule.kind}#{rule.target}"}}
