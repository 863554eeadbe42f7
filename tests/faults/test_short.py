"""Nothing is lost in a short run with faults, and the checker notices a removed safeguard."""

import json
from collections.abc import Iterator

import pytest

from eventloom import clouds
from tests.faults.mutations import DEADLY, KILLING, MUTATIONS, play
from tests.faults.proxy import Proxy, running
from tests.faults.run import Scale, run
from tests.faults.stage import IMPATIENT, Stage, staged, visibility
from tests.integration.photos import photo
from tests.integration.support import Deployment, unique

pytestmark = [
    pytest.mark.skipif(
        clouds.chosen_cloud().name != "embedded", reason="needs functions that are processes of this machine"
    ),
    pytest.mark.timeout(600),
]


def test_nothing_is_lost_in_a_short_run(deployment: Deployment) -> None:
    report = run(deployment, 1, Scale(40, 40, pause_s=0.3, settle_s=240))
    print(report)
    assert not report.violations, "\n".join(report.violations[:20])


def test_a_file_that_kills_its_process_is_rejected_and_the_rest_of_its_batch_succeeds(
    deployment: Deployment,
) -> None:
    """The queue hides a message for six minutes: only the thumbnailer's lease brings it back in time."""
    with staged(deployment, "thumbnailer") as (thumbnailer,):
        thumbnailer.perform(DEADLY.package(), LEASE_S="3")
        _kill_by_a_file(deployment)


def _kill_by_a_file(deployment: Deployment) -> None:
    deadly, mates = unique("deadly.jpg"), [unique("mate.jpg") for _ in range(6)]
    # The function receives nothing until all of them are in the queue, so that they form one batch.
    with deployment.outage("thumbnailer", "sqs:ReceiveMessage"):
        for key in (*mates[:3], deadly, *mates[3:]):
            deployment.put(key, photo() + (KILLING if key == deadly else b""))
    rejected = deployment.wait_for(deadly, status="REJECTED", timeout_s=120)
    assert rejected["reason"] == DEADLY.shows
    for key in mates:
        assert deployment.wait_for(key, status="READY", timeout_s=120)
    deployment.wait_until_settled()
    assert not deployment.dlq_messages()
    logs = [json.loads(line) for key in mates for line in deployment.log_lines("thumbnailer", key) if '"done"' in line]
    assert any(entry["deliveries"] > 1 for entry in logs), "none of them was in the batch of the killed process"


@pytest.fixture(scope="module")
def proxy() -> Iterator[Proxy]:
    """A proxy between the functions and the emulator."""
    with running(clouds.chosen_cloud()) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def stages(deployment: Deployment, proxy: Proxy) -> Iterator[dict[str, Stage]]:
    """A stage for each deployed function, by its name."""
    names = ("thumbnailer", "notifier")
    with (
        staged(deployment, *names) as staged_functions,
        deployment.outage("recoverer", "sqs:StartMessageMoveTask"),
        visibility(deployment, 2),
    ):
        yield dict(zip(names, staged_functions, strict=True))


def test_the_checker_reports_nothing_with_all_safeguards(
    deployment: Deployment,
    stages: dict[str, Stage],
    proxy: Proxy,
) -> None:
    stages["thumbnailer"].perform(AWS_ENDPOINT_URL=proxy.endpoint, **IMPATIENT)
    assert play(deployment, proxy) == []


@pytest.mark.parametrize("name", MUTATIONS)
def test_the_checker_notices_a_removed_safeguard(
    name: str,
    deployment: Deployment,
    stages: dict[str, Stage],
    proxy: Proxy,
) -> None:
    mutation = MUTATIONS[name]
    for function, stage in stages.items():
        package = mutation.package() if function == mutation.function else None
        delays = IMPATIENT if function == "thumbnailer" else {}
        stage.perform(package, AWS_ENDPOINT_URL=proxy.endpoint, **delays)
    problems = play(deployment, proxy)
    assert any(mutation.shows in problem for problem in problems), problems
