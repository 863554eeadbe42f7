"""Photos are READY soon although the function is killed 30 times as they arrive. OBJECTS and KILLS change the run."""

import os

import pytest

from tests.faults.kills import BATCH, run
from tests.faults.stage import Stage
from tests.integration.support import Deployment

OBJECTS, KILLS = int(os.environ.get("OBJECTS", "1000")), int(os.environ.get("KILLS", "30"))
LATEST_S = 60


@pytest.mark.timeout(3600)
def test_the_last_photo_is_ready_within_a_minute_of_the_last_kill(deployment: Deployment) -> None:
    with deployment.outage("recoverer", "sqs:StartMessageMoveTask"):
        report = run(deployment, Stage(deployment, "thumbnailer"), OBJECTS, KILLS, settle_s=600)
    print(report)
    assert not report.violations, "\n".join(report.violations[:20])
    assert report.dead_letters == 0
    assert report.again, "no process was killed while it handled a batch"
    assert report.early_deaths <= KILLS // 4, report
    late = [seconds for seconds in report.late if seconds > LATEST_S]
    assert len(late) <= BATCH * report.early_deaths, report
