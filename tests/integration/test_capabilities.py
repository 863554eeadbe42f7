"""The table in scripts/capabilities.py is correct for this cloud."""

import pytest

from eventloom import clouds
from scripts import capabilities
from tests.integration.support import Deployment


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.needs(name)) for name in capabilities.TABLE])
def test_the_cloud_has_the_capabilities_that_the_table_lists(
    deployment: Deployment, cloud: clouds.Cloud, name: str
) -> None:
    assert capabilities.TABLE[name].probe(cloud, deployment.outputs)
