"""Faults in small: a hundred of them and nothing lost; and the check itself is checked. In large: test_long.py."""

import json
from collections.abc import Iterator

import pytest

from eventloom import clouds
from tests.faults.mutations import DEADLY, KILLING, MUTATIONS, play
from tests.faults.proxy import Proxy, running
from tests.faults.run import Scale, run
from tests.faults.stage import Stage, staged, visibility
from tests.integration.photos import photo
from tests.integration.support import Deployment, unique

pytestmark = [
    pytest.mark.skipif(clouds.chosen_cloud().name != "embedded", reason="needs functions that are processes of this machine"),
    pytest.mark.timeout(600),
]


def test_nothing_is_lost_in_small(deployment: Deployment) -> None:
    report = run(deployment, 1, Scale(40, 40, pause_s=0.3, settle_s=240))
    print(report)
    assert not report.violations, "\n".join(report.violations[:20])


@pytest.fixture(scope="module")
def proxy() -> Iterator[Proxy]:
    """Between the thumbnailer and the emulator."""
    with running(clouds.chosen_cloud()) as started:
        yield started


@pytest.fixture(scope="module")
def stages(deployment: Deployment, proxy: Proxy) -> Iterator[dict[str, Stage]]:
    """The deployed functions, to be replaced by others."""
    names = ("thumbnailer", "notifier")
    with (
        staged(deployment, *names) as found,
        deployment.outage("recoverer", "sqs:StartMessageMoveTask"),
        visibility(deployment, 2),
    ):
        yield dict(zip(names, found, strict=True))


def test_nothing_wrong_is_found_where_nothing_is_wrong(deployment: Deployment, stages: dict[str, Stage], proxy: Proxy) -> None:
    stages["thumbnailer"].perform(AWS_ENDPOINT_URL=proxy.endpoint)
    assert play(deployment, proxy) == []


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_removed_safeguard_is_found(name: str, deployment: Deployment, stages: dict[str, Stage], proxy: Proxy) -> None:
    mutation = MUTATIONS[name]
    for function, stage in stages.items():
        stage.perform(mutation.package() if function == mutation.function else None, AWS_ENDPOINT_URL=proxy.endpoint)
    found = play(deployment, proxy)
    assert any(mutation.shows in what for what in found), found


def test_a_file_that_kills_its_process_takes_nobody_with_it(deployment: Deployment, stages: dict[str, Stage], proxy: Proxy) -> None:
    """It is recorded as the culprit; its batch mates, which died with it, come through."""
    stages["thumbnailer"].perform(DEADLY.package())
    deadly, mates = unique("deadly.jpg"), [unique("mate.jpg") for _ in range(6)]
    # All of them are there when the function looks again: one batch.
    with deployment.outage("thumbnailer", "sqs:ReceiveMessage"):
        for key in (*mates[:3], deadly, *mates[3:]):
            deployment.put(key, photo() + (KILLING if key == deadly else b""))
    rejected = deployment.wait_for(deadly, status="REJECTED", timeout_s=120)
    assert rejected["reason"] == DEADLY.shows
    for key in mates:
        assert deployment.wait_for(key, status="READY", timeout_s=120)
    deployment.wait_until_settled()
    assert not deployment.dlq_messages()
    done = [json.loads(line) for key in mates for line in deployment.log_lines("thumbnailer", key) if '"done"' in line]
    assert any(line["deliveries"] > 1 for line in done), "none of them was in the batch that died"
