"""The benchmark's figures: ours have one name everywhere, and the report shows each once."""

import pytest

from bench import coldstart, costs, report
from prices import PRICES

STARTS = {
    "digest": {"cpu_ms": 170.0, "ratio_naive": 0.2},
    "thumbnailer": {"cpu_ms": 300.0, "ratio_naive": 0.3},
    "naive": {"cpu_ms": 1000.0, "ratio_naive": 1.0},
}
FIGURES = {"cold_start": coldstart.named(STARTS), "engines": {}, "photos": {"classes": {}}, "pipeline": {}, "cost": {}}


def test_our_start_is_there_by_our_name_beside_those_of_the_functions() -> None:
    assert FIGURES["cold_start"]["eventloom"] == STARTS["thumbnailer"]
    assert FIGURES["cold_start"].items() >= STARTS.items()
    ((measured, verdict),) = [row[1::2] for row in report.targets(FIGURES) if row[0].startswith("INIT")]
    assert (measured, verdict) == ("0.3", "met")


def test_every_target_is_a_figure_of_ours_or_of_the_machine() -> None:
    ours = {"eventloom", "eventloom-pillow", "thumbnailer"}
    assert all(path.startswith("floor.") or path.split(".")[1] in ours for _, path, _, _ in report.TARGETS)


def test_each_function_has_one_row() -> None:
    (starts,) = [rows for title, _, rows in report.tables(FIGURES) if title.startswith("Start")]
    assert [row[0] for row in starts] == list(STARTS)


def test_a_photo_costs_its_item_in_the_table_and_in_the_index(monkeypatch: pytest.MonkeyPatch) -> None:
    def usd() -> float:
        return float(costs.run({"x86_64": 40.0}, 240.0, 3e6, {"x86_64": 4.0})["x86_64"]["usd_per_million"])

    small = usd()
    monkeypatch.setattr("catalog_items.BYTES", 1025)
    assert usd() - small == pytest.approx(2e6 * PRICES["dynamodb_write"], abs=0.011)
