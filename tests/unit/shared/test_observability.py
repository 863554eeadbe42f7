"""Each invocation writes its own metrics."""

import importlib
import json
import warnings
from pathlib import Path
from typing import Any, NoReturn

import pytest

from shared.observability import MetricUnit, metrics, with_metrics

FUNCTIONS = Path(__file__).parents[3] / "functions"
WITH_METRICS = sorted(
    {path.parent.name for path in FUNCTIONS.glob("*/*.py") if "metrics.add_metric(" in path.read_text()}
)


class Context:
    aws_request_id = "request"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


class FailingEvent(dict[str, Any]):
    """An event that counts a metric and fails as soon as a handler reads it."""

    def _fail(self, *_: object) -> NoReturn:
        metrics.add_metric("Begun", MetricUnit.Count, 1)
        raise RuntimeError("the invocation fails")

    __contains__ = __getitem__ = get = _fail  # type: ignore[assignment]


def written(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Return the metrics that were written to standard output since the last call."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]


@pytest.mark.parametrize("function", WITH_METRICS)
def test_a_failed_invocation_writes_its_own_metrics(function: str, capsys: pytest.CaptureFixture[str]) -> None:
    handler = importlib.import_module(f"{function}.handler")
    for _ in range(2):
        with pytest.raises(RuntimeError, match="the invocation fails"):
            handler.lambda_handler(FailingEvent(), Context())
        (line,) = written(capsys)
        assert line["Begun"] == [1.0]


def test_every_function_with_metrics_is_covered() -> None:
    assert WITH_METRICS == ["activity", "converter", "digest", "notifier", "recoverer", "thumbnailer"]


def test_an_invocation_without_metrics_writes_nothing_and_does_not_warn(capsys: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert with_metrics(lambda event: event)("event") == "event"
    assert written(capsys) == []
