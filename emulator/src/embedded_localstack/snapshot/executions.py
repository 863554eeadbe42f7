"""Abort the Step Functions executions of the previous server, which cannot continue without its threads."""
# mypy: disable-error-code="import-not-found"

from datetime import UTC, datetime


def load() -> None:
    """Abort the running executions after the store is restored, because they would never end."""
    from localstack.services.stepfunctions.backend.store import sfn_stores  # noqa: PLC0415 - only a running server has it

    for _account, _region, store in sfn_stores.iter_stores():
        for execution in store.executions.values():
            if execution.exec_status == "RUNNING":
                execution.exec_status, execution.stop_date = "ABORTED", datetime.now(UTC)
                execution.error, execution.cause = (
                    "EmbeddedLocalStack.Restarted",
                    "the server was restarted; start it again",
                )
