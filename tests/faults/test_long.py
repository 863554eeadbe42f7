"""Nothing is lost with thousands of objects and hundreds of faults. SEED, OBJECTS and FAULTS change the run."""

import os

import pytest

from tests.faults.run import Scale, random_seed, run
from tests.integration.support import Deployment

SEEDS = [int(seed) for seed in os.environ.get("SEED", "").split()] or [random_seed()]
SCALE = Scale(int(os.environ.get("OBJECTS", "2000")), int(os.environ.get("FAULTS", "500")), pause_s=2.5, settle_s=300)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_lost_in_a_long_run(deployment: Deployment, seed: int) -> None:
    report = run(deployment, seed, SCALE)
    print(report)
    assert not report.violations, "\n".join(report.violations[:40])
