"""Every damaged picture of a long run gets a verdict, and none ends the function. SEED and PICTURES change the run."""

import os

import pytest

from tests.faults.run import random_seed
from tests.unit.thumbnailer.fuzzing import table, verdicts
from thumbnailer.imaging.rejections import REASONS

SEEDS = [int(seed) for seed in os.environ.get("SEED", "").split()] or [random_seed()]
PICTURES = int(os.environ.get("PICTURES", "10000"))


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", SEEDS)
def test_every_damaged_picture_of_a_long_run_gets_a_verdict(seed: int) -> None:
    counts = verdicts(seed, PICTURES)
    print(f"\n{PICTURES:,} damaged pictures, seed {seed}\n{table(counts)}")
    assert sum(counts.values()) == PICTURES
    assert {code for _, code in counts} <= {"READY", *REASONS}
