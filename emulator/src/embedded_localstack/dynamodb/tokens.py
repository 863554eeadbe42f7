"""Recognize repeated transactions by their tokens. A repetition within ten minutes changes nothing.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
"""

import hashlib
import json
from typing import Any

from embedded_localstack.dynamodb.errors import TokenMismatchError, broken_constraint

SECONDS = 600
LONGEST = 36
REPEATED = "x-embedded-repeated"
"""The header of the answer to a repeated transaction, which makes no records in streams."""

Tokens = dict[str, tuple[float, str]]
"""For each token, the time of the transaction and the digest of its actions."""


def digest(actions: list[dict[str, Any]]) -> str:
    """Return a digest of the actions of a transaction."""
    return hashlib.sha256(json.dumps(actions, sort_keys=True).encode()).hexdigest()


def is_repeated(tokens: Tokens, token: str, actions: str, now: float) -> bool:
    """Return whether a transaction with this token and digest was executed before. Remove expired tokens.

    Raises:
        InvalidRequestError: the token is too long, or was used for other actions.
    """
    if not 1 <= len(token) <= LONGEST:
        limit = f"less than or equal to {LONGEST}" if token else "greater than or equal to 1"
        raise broken_constraint(token, "clientRequestToken", f"Member must have length {limit}")
    for known, (done, _) in list(tokens.items()):
        if done + SECONDS > now:
            break  # tokens are ordered by time
        del tokens[known]
    if token not in tokens:
        return False
    if tokens[token][1] != actions:
        raise TokenMismatchError("The request uses the same client token as a previous, but non-identical request.")
    return True
