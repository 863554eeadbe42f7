"""The benchmark uses one name for our engine, and its report shows each figure once."""

from typing import Any

import pytest

from eventloom.monitoring.prices import PRICES
from scripts.bench import coldstart, costs, report

STARTS = {
    "digest": {"cpu_ms": 170.0, "ratio_naive": 0.2},
    "thumbnailer": {"cpu_ms": 300.0, "ratio_naive": 0.3},
    "naive": {"cpu_ms": 1000.0, "ratio_naive": 1.0},
}
FIGURES: dict[str, Any] = {
    "cold_start": coldstart.named(STARTS),
    "engines": {},
    "photos": {"classes": {}},
    "pipeline": {},
    "cost": {},
    "versions": {"cykooz.resizer": "4.0.1"},
    "missing": {},
}
PEAKS = {"x86_64": 4.0, "naive": 130.0}


def test_the_start_of_the_thumbnailer_is_also_that_of_our_engine() -> None:
    assert FIGURES["cold_start"]["eventloom"] == STARTS["thumbnailer"]
    assert FIGURES["cold_start"].items() >= STARTS.items()
    ((measured, verdict),) = [row[1::2] for row in report.targets(FIGURES) if row[0].startswith("INIT")]
    assert (measured, verdict) == ("0.3", "met")


def test_every_target_is_about_our_engine_or_the_lower_bound() -> None:
    ours = {"eventloom", "eventloom-pillow", "thumbnailer"}
    assert all(path.startswith("floor.") or path.split(".")[1] in ours for _, path, _, _ in report.TARGETS)


def test_a_missed_target_fails_the_command_and_is_named() -> None:
    assert report.failures(FIGURES) == []
    slow = FIGURES | {"cold_start": {"eventloom": {"ratio_naive": 0.51}}}
    assert report.failures(slow) == ["INIT of the thumbnailer, CPU / naive stack is 0.51, wanted <= 0.5"]


def test_the_command_passes_without_sharp_but_fails_without_the_pipeline() -> None:
    assert report.failures(FIGURES | {"missing": {"sharp": "npm and node are not installed"}}) == []
    without_pipeline = FIGURES | {"missing": {"pipeline": "RuntimeError: no"}}
    assert report.failures(without_pipeline) == ["the pipeline was not measured: RuntimeError: no"]


def test_an_inner_loop_that_did_not_run_fails_the_command() -> None:
    without = FIGURES | {"missing": {"inner loop": "RuntimeError: no"}}
    assert report.failures(without) == ["the inner loop was not measured: RuntimeError: no"]


def test_the_report_has_the_seconds_of_the_inner_loop() -> None:
    loop = {"digest": 0.5, "thumbnailer": 0.8, "deploy_unchanged": 12.5, "deploy_only": 6.0, "edits": 9}
    titles = {title: rows for title, _, rows in report.tables(FIGURES | {"inner_loop": loop})}
    rows = titles["Inner loop on the embedded LocalStack"]
    assert [row[1] for row in rows] == ["0.5", "0.8", "12.5", "6"]
    assert "Inner loop on the embedded LocalStack" not in {title for title, _, _ in report.tables(FIGURES)}


def test_without_the_simd_resizer_only_the_targets_of_pillow_apply() -> None:
    engines = {name: {"jpeg_12mp": {"ratio_naive": 0.25}} for name in ("eventloom", "eventloom-pillow")}
    rows = report.targets(FIGURES | {"engines": engines, "versions": {}})
    verdicts = {
        path.split(".")[1]: row[3]
        for row, (_, path, _, _) in zip(rows, report.TARGETS, strict=True)
        if path.endswith("jpeg_12mp.ratio_naive")
    }
    assert verdicts == {"eventloom": "needs SIMD", "eventloom-pillow": "met"}


def test_each_function_has_one_row_in_the_table_of_starts() -> None:
    (starts,) = [rows for title, _, rows in report.tables(FIGURES) if title.startswith("Start")]
    assert [row[0] for row in starts] == list(STARTS)


def test_each_item_is_written_to_the_table_and_to_its_indexes(monkeypatch: pytest.MonkeyPatch) -> None:
    def usd() -> float:
        return float(costs.run({"x86_64": 40.0}, 240.0, 3e6, PEAKS)["x86_64"]["usd_per_million"])

    small = usd()
    monkeypatch.setattr("eventloom.monitoring.item_sizes.BYTES", 1025)
    assert usd() - small == pytest.approx(3e6 * PRICES["dynamodb_write"], abs=0.011)


def test_the_naive_function_pays_for_its_waiting_but_not_for_lookups_and_an_index() -> None:
    estimate = costs.run({"x86_64": 40.0}, 0.0, 0.0, PEAKS)["x86_64"]
    waits_ms = costs.ASSUMED["s3_get_ms"] + 3 * costs.ASSUMED["s3_put_ms"] + costs.ASSUMED["dynamodb_ms"]
    computing = 1e6 * PRICES["lambda_gb_s"]["x86_64"] * 1769 / 1024 * waits_ms / 1000
    requests = PRICES["s3_get"] + 3 * PRICES["s3_put"] + PRICES["dynamodb_write"]
    requests += 1.3 * PRICES["sqs_request"] + 0.1 * PRICES["lambda_request"]
    assert estimate["naive_usd_per_million"] == pytest.approx(computing + 1e6 * requests, abs=0.01)


def test_the_naive_function_is_also_estimated_with_its_cheapest_memory() -> None:
    """The naive function waits more, so it is cheaper with less memory."""
    naive = costs.run({"x86_64": 40.0}, 200.0, 3e6, PEAKS)["x86_64"]["naive"]
    assert [estimate["memory_mb"] for estimate in naive.values()] == [1769, 512]
    assert naive["naive at 512, its cheapest"]["usd_per_million"] < naive["naive at 1769"]["usd_per_million"]
