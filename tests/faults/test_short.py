"""Faults in small: a hundred of them and nothing lost; and the check itself is checked. In large: test_long.py."""

from collections.abc import Iterator

import pytest
from support import Deployment

import clouds
from faults.mutations import MUTATIONS, play
from faults.proxy import Proxy, running
from faults.run import Scale, run
from faults.stage import Stage, staged, visibility

pytestmark = [
    pytest.mark.skipif(clouds.lane().name != "embedded", reason="needs functions that are processes of this machine"),
    pytest.mark.timeout(600),
]


def test_nothing_is_lost_in_small(deployment: Deployment) -> None:
    report = run(deployment, 1, Scale(40, 40, pause_s=0.3, settle_s=240))
    print(report)
    assert not report.violations, "\n".join(report.violations[:20])


@pytest.fixture(scope="module")
def proxy() -> Iterator[Proxy]:
    """Between the thumbnailer and the emulator."""
    with running(clouds.lane()) as started:
        yield started


@pytest.fixture(scope="module")
def thumbnailer(deployment: Deployment, proxy: Proxy) -> Iterator[Stage]:
    """The deployed function, to be replaced by others."""
    with (
        staged(deployment, "thumbnailer") as (stage,),
        deployment.outage("recoverer", "sqs:StartMessageMoveTask"),
        visibility(deployment, 2),
    ):
        yield stage


def test_nothing_wrong_is_found_where_nothing_is_wrong(deployment: Deployment, thumbnailer: Stage, proxy: Proxy) -> None:
    thumbnailer.perform(AWS_ENDPOINT_URL=proxy.endpoint)
    assert play(deployment, proxy) == []


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_removed_safeguard_is_found(name: str, deployment: Deployment, thumbnailer: Stage, proxy: Proxy) -> None:
    mutation = MUTATIONS[name]
    thumbnailer.perform(mutation.package(), AWS_ENDPOINT_URL=proxy.endpoint)
    found = play(deployment, proxy)
    assert any(mutation.shows in what for what in found), found
