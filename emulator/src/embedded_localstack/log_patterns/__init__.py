"""Match CloudWatch Logs filter patterns: terms, regular expressions, JSON conditions and fields.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html

This package imports neither LocalStack nor moto.
"""

from functools import lru_cache

from embedded_localstack.log_patterns import documents, fields, terms
from embedded_localstack.log_patterns.values import InvalidPattern, Match, Pattern

__all__ = ["InvalidPattern", "Match", "Pattern", "parse"]
_LONGEST = (
    1024  # characters: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutMetricFilter.html
)


@lru_cache(maxsize=256)
def parse(text: str) -> Pattern:
    """Parse a filter pattern.

    Raises:
        InvalidPattern: AWS refuses the text too.
    """
    if len(text) > _LONGEST:
        raise InvalidPattern(f"The filter pattern is longer than {_LONGEST} characters")
    text = text.strip()
    if text.startswith("{"):
        return documents.parse(text)
    if text.startswith("["):
        return fields.parse(text)
    return terms.parse(text)
