"""The simulation agrees with results that can be calculated by hand."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from eventloom import cli
from eventloom.clouds import ROOT
from eventloom.errors import UserError
from eventloom.monitoring import aws_limits, item_sizes, service_times
from eventloom.monitoring import simulate as tool
from eventloom.monitoring.load_model import (
    ADVICE,
    BUCKET,
    CONCURRENCY,
    INDEX,
    STEP_S,
    TABLE,
    Shape,
    simulate,
    usd_per_photo,
)
from eventloom.monitoring.simulation_page import page
from scripts.bench import costs
from thumbnailer.settings import Settings

SHAPE = Shape(service_s=(0.4, 0.6), maximum_concurrency=5)  # 5 invocations of 0.5 s: 10 uploads a second


def test_utilisation_is_rate_times_service_time() -> None:
    outcome = simulate(SHAPE, 6, 600)
    assert outcome.utilisation == pytest.approx(6 * 0.5)
    assert outcome.backlog.max() == pytest.approx(0)
    assert outcome.first is None


def test_below_saturation_an_upload_takes_its_own_time() -> None:
    latency = simulate(SHAPE, 6, 600).latency
    assert latency["p50"] == pytest.approx(0.5, abs=0.11)
    assert latency["p99"] == pytest.approx(0.6, abs=0.01)


def test_a_saturated_queue_grows_by_the_uploads_that_cannot_be_processed() -> None:
    outcome = simulate(SHAPE, 25, 600)
    assert outcome.backlog[-1] == pytest.approx((25 - 10) * 600)
    assert outcome.finished[-1] == pytest.approx(10 * 600)
    assert outcome.first == CONCURRENCY
    # Upload n arrives at n / 25 and departs at n / 10. The median of the 6,000 that departed is n = 3,000.
    assert outcome.latency["p50"] == pytest.approx(3000 / 10 - 3000 / 25 + 0.5, abs=1)


def test_pollers_start_at_five_and_grow_by_300_a_minute() -> None:
    shape = dataclasses.replace(
        SHAPE, service_s=(1.0,), maximum_concurrency=1250, account_concurrency=1000, index_keys=10
    )
    outcome = simulate(shape, 1_000, 600)
    at = {seconds: outcome.busy[round(seconds / STEP_S) - 1] for seconds in (10, 60, 120, 300)}
    assert at[10] == pytest.approx(5 + 5 * 10, abs=3)
    assert at[60] == pytest.approx(5 + 300, abs=3)
    assert at[120] == pytest.approx(5 + 600, abs=3)
    assert at[300] == pytest.approx(1_000), "the account's concurrency"


@pytest.mark.parametrize(
    ("rate", "first", "ceiling"),
    [(3_000, BUCKET, 3_500 / 3), (1_100, BUCKET, 1_100)],
)
def test_the_limit_that_is_reached_first_bounds_the_finished_photos(rate: float, first: str, ceiling: float) -> None:
    shape = Shape(service_s=(0.1,), index_keys=10)
    outcome = simulate(shape, rate, 3_600)
    assert outcome.first == first, "also below the limit, while the backlog of the start is processed"
    assert np.diff(outcome.finished)[-1] / STEP_S == pytest.approx(ceiling)
    assert outcome.throttled > 0


@pytest.mark.parametrize(("item_bytes", "ceiling"), [(985, 1_000), (1_024, 1_000), (1_025, 500)])
def test_one_key_of_an_index_takes_a_thousand_write_units_a_second(item_bytes: int, ceiling: float) -> None:
    shape = Shape(service_s=(0.1,), write_units=item_sizes.write_units(item_bytes))
    outcome = simulate(shape, 2_000, 600)
    assert outcome.first == INDEX
    assert "by_taken" in ADVICE[INDEX]
    assert np.diff(outcome.finished)[-1] / STEP_S == pytest.approx(ceiling)
    spread = simulate(dataclasses.replace(shape, index_keys=10), 2_000, 600)
    assert np.diff(spread.finished)[-1] > np.diff(outcome.finished)[-1]


@pytest.mark.parametrize("rate", [10, 500, 990, 1_000, 1_001, 2_000, 10_000])
def test_a_limit_that_throttles_is_named(rate: float) -> None:
    outcome = simulate(Shape(service_s=(0.25,), maximum_concurrency=500), rate, 900)
    assert (outcome.throttled > 0) <= (outcome.first is not None)


def test_two_workers_double_the_throughput() -> None:
    outcome = simulate(dataclasses.replace(SHAPE, workers=2), 25, 600)
    assert outcome.finished[-1] == pytest.approx(20 * 600)


def test_a_new_table_is_the_limit_once_the_bucket_has_split() -> None:
    shape = Shape(service_s=(0.1,), bucket_prefixes=16, index_keys=100)
    outcome = simulate(shape, 10_000, 1_800)
    assert outcome.first == TABLE
    assert np.diff(outcome.finished)[-1] / STEP_S == pytest.approx(2_000)


def test_a_table_accepts_twice_the_load_of_half_an_hour_before_up_to_its_quota() -> None:
    shape = Shape(service_s=(0.02,), bucket_prefixes=100, index_keys=100)
    outcome = simulate(shape, 30_000, 4.1 * 1_800)
    rates = np.diff(outcome.finished) / STEP_S
    at = {hours: rates[round(hours * 3_600 / STEP_S) - 1] for hours in (0.49, 0.6, 1.1, 1.6, 2.04)}
    assert list(at.values()) == pytest.approx([2_000, 4_000, 8_000, 16_000, 20_000])


def test_uploads_are_finished_or_waiting() -> None:
    for rate in (10, 100, 1_000, 10_000):
        outcome = simulate(SHAPE, rate, 60)
        assert outcome.finished + outcome.backlog == pytest.approx(outcome.arrived)


def test_cost_is_the_sum_of_its_parts() -> None:
    shape = Shape(service_s=(1.0,), memory_mb=1024, batch=1)
    expected = 0.0000166667 + 0.0000002 + 4 * 0.0000004 + 3 * 0.000005 + 0.0000004 + 4 * 0.000000625 + 0.000000125
    assert usd_per_photo(shape) == pytest.approx(expected)


def test_every_limit_has_its_source_and_its_advice() -> None:
    named = [limit for limit in vars(aws_limits).values() if isinstance(limit, aws_limits.Limit)]
    assert all(limit.source.startswith(("https://docs.aws.amazon.com/", "https://aws.amazon.com/")) for limit in named)
    assert set(ADVICE) == set(SHAPE.ceilings())


def test_settings_are_those_of_the_table_of_environments() -> None:
    assert tool.setting("thumbnailer_maximum_concurrency", "prod") > tool.setting(
        "thumbnailer_maximum_concurrency", "local"
    )
    with pytest.raises(UserError, match="nosuch"):
        tool.setting("thumbnailer_maximum_concurrency", "nosuch")


def test_the_simulation_uses_the_deployed_settings() -> None:
    shape = tool.shape_of({"seconds": [0.4], "item_bytes": [900, 1_100]}, "prod")
    assert shape.workers == Settings.workers == costs.WORKERS
    assert shape.write_units == 1.5
    assert shape.maximum_concurrency == tool.setting("thumbnailer_maximum_concurrency", "prod")
    assert "WORKERS" not in (ROOT / "terraform/thumbnailer.tf").read_text(), "Terraform does not change the setting"


def test_the_overlap_is_that_of_full_batches() -> None:
    batches = {"full": [200.0] * 9 + [300.0], "part": [100.0] * 9, "cut off": [100.0] * 10}
    photos = [{"function_request_id": batch, "duration_ms": time} for batch, times in batches.items() for time in times]
    reports = [
        {"type": "platform.report", "record": {"requestId": batch, "metrics": {"durationMs": duration}}}
        for batch, duration in (("full", 1_200.0), ("part", 900.0), ("another's", 50.0))
    ]
    assert service_times.overlap(photos, [*reports, {"type": "platform.start"}]) == pytest.approx(2_100 / 1_200)
    assert service_times.overlap(photos, reports[1:]) is None
    shape = tool.shape_of({"seconds": [0.35], "at_once": 1.75, "item_bytes": [900]}, "prod")
    assert shape.mean_s == pytest.approx(0.2)


def test_the_page_shows_every_rate_and_source() -> None:
    text = page([simulate(SHAPE, rate, 60) for rate in tool.RATES], "about")
    assert text.count("<svg") == 2 * len(tool.RATES)
    assert aws_limits.BUCKET_PUTS.source in text


def test_the_shortest_load_is_one_step() -> None:
    assert len(simulate(SHAPE, 10, 0.01).backlog) == 1


def run(folder: Path, *arguments: str) -> Result:
    """Run `simulate` with the times and the results in a folder."""
    return CliRunner().invoke(
        cli.main, ["simulate", "--times", str(folder / "times.json"), "--out", str(folder), *arguments]
    )


@pytest.fixture
def measured(tmp_path: Path) -> Path:
    """Provide a folder with measured times."""
    (tmp_path / "times.json").write_text('{"cloud": "aws", "seconds": [0.5], "item_bytes": [900]}')
    return tmp_path


@pytest.mark.parametrize("content", [None, "", "{", "[]", '{"seconds": [1]}'])
def test_missing_and_damaged_times_are_answered_with_the_command_that_measures_them(
    content: str | None, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / "times.json").write_text(content)
    result = run(tmp_path)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "./eventloom simulate measure" in result.stderr


def test_the_table_is_whole_in_a_terminal_of_80_columns(measured: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    result = run(measured)
    assert result.exit_code == 0, result.output
    assert "\u2026" not in result.stdout
    assert f"{CONCURRENCY}: {ADVICE[CONCURRENCY]}" in result.stdout
    assert (measured / "simulation.html").read_text().count("<svg") == 2 * len(tool.RATES)


def test_json_has_an_object_for_each_rate(measured: Path) -> None:
    result = run(measured, "--json", "--shape", "dev", "--minutes", "1")
    outcomes = [json.loads(line) for line in result.stdout.splitlines()]
    assert [outcome["uploads_per_s"] for outcome in outcomes] == [*tool.RATES]
    document = json.loads((measured / "simulation.json").read_text())
    assert document["outcomes"] == outcomes
    assert "1 minutes" in document["about"]
    assert "'dev'" in document["about"]


@pytest.mark.parametrize("minutes", ["0", "-1", "nan", "inf", "1e9", "x"])
def test_a_load_without_a_sensible_length_is_refused(minutes: str, measured: Path) -> None:
    result = run(measured, "--minutes", minutes)
    assert (result.exit_code, result.stdout) == (2, "")


def test_options_of_the_simulation_are_not_ignored_when_measuring(measured: Path) -> None:
    result = run(measured, "measure")
    assert result.exit_code == 2
    assert "after it" in result.stderr


class FakeClients:
    """A log with photos, and a catalog without items."""

    def __init__(self, photos: int) -> None:
        line = {"result": "READY", "duration_ms": 200.0, "function_request_id": "r"}
        report = {
            "type": "platform.report",
            "record": {"requestId": "r", "metrics": {"durationMs": 200.0 * photos / 2}},
        }
        self._lines = {'"READY"': ["START", *[json.dumps(line)] * photos], '"platform.report"': [json.dumps(report)]}

    def __call__(self, service: str) -> "FakeClients":
        return self

    def get_paginator(self, _: str) -> "FakeClients":
        return self

    def paginate(self, logGroupName: str, filterPattern: str) -> list[dict[str, object]]:
        return [{"events": [{"message": line} for line in self._lines[filterPattern]]}]

    def query(self, **_: object) -> dict[str, object]:
        return {"Items": []}


OUTPUTS = {"environment": "test", "functions": {"thumbnailer": {"log_group": "group"}}, "catalog_table": "table"}


def test_times_are_measured_from_the_log() -> None:
    facts = service_times.measure(OUTPUTS, FakeClients(10))
    assert facts["seconds"] == [0.2] * 10
    assert (facts["at_once"], facts["item_bytes"]) == (2.0, [item_sizes.BYTES])


def test_too_few_photos_are_an_error_that_says_what_to_do() -> None:
    with pytest.raises(UserError, match=r"has 4 photos and 5 are needed; upload some"):
        service_times.measure(OUTPUTS, FakeClients(4))
