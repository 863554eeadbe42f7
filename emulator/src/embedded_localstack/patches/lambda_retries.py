"""Limit the age of asynchronous events as on AWS, although LAMBDA_RETRY_BASE_DELAY shortens the waits for retries.

On AWS the first retry comes after one minute and the second after two more. With a shorter delay, an event still gets
as many attempts as on AWS: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
"""
# mypy: disable-error-code="import-not-found"

from datetime import datetime
from typing import Any

DELAY_SECONDS = 60  # the delay before the first retry on AWS
MAXIMUM_AGE_SECONDS = 6 * 60 * 60


def install() -> None:
    """Replace the check of the age."""
    from localstack import config  # noqa: PLC0415 - only a running server has it
    from localstack.services.lambda_.invocation import event_manager  # noqa: PLC0415
    from localstack.utils.patch import Patch  # noqa: PLC0415

    def has_enough_time_for_retry(sqs_invocation: Any, event_invoke_config: Any) -> bool:
        passed = datetime.now() - sqs_invocation.invocation.invoke_time
        limit = event_invoke_config.maximum_event_age_in_seconds if event_invoke_config else None
        age = age_on_aws(passed.total_seconds(), sqs_invocation.retries, config.LAMBDA_RETRY_BASE_DELAY_SECONDS)
        next_delay = DELAY_SECONDS * (sqs_invocation.retries + 1)
        return bool(age + next_delay <= (MAXIMUM_AGE_SECONDS if limit is None else limit))

    Patch(event_manager, "has_enough_time_for_retry", has_enough_time_for_retry).apply()


def age_on_aws(seconds: float, retries: int, base_delay: float) -> float:
    """Return the age that an event would have on AWS, in seconds.

    Args:
        seconds: its age here.
        retries: how often it was retried. Before the nth retry there was a wait of n base delays.
        base_delay: LAMBDA_RETRY_BASE_DELAY in seconds.
    """
    waits = retries * (retries + 1) / 2
    return seconds + waits * (DELAY_SECONDS - base_delay)
