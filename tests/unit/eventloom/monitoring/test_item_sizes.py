"""The sizes of items by DynamoDB's rules, and the size of the items that the thumbnailer writes."""

from typing import Any

import pytest

from eventloom.clouds import ROOT
from eventloom.monitoring import item_sizes
from tests.unit.thumbnailer.cloud import TABLE, Cloud, cloud
from thumbnailer.imaging.images import Output, render
from thumbnailer.imaging.limits import Limits

# Values as long as those on AWS
AS_DEPLOYED = {
    "bucket": {"S": "eventloom-prod-uploads-123456789012"},
    "version_id": {"S": "x" * 32},
    "sequencer": {"S": "0066F0A1B2C3D4E5F6"},
}


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": "é"}, 2),
        ({"N": "0"}, 1),
        ({"N": "276447"}, 4),
        ({"N": "-1.5"}, 2),
        ({"BOOL": True}, 1),
        ({"NULL": True}, 1),
        ({"M": {"a": {"S": "b"}}}, 6),
        ({"L": [{"S": "b"}, {"N": "100"}]}, 8),
    ],
)
def test_a_value_has_the_size_that_dynamodb_counts(value: dict[str, Any], size: int) -> None:
    assert item_sizes.size({"name": value}) == len("name") + size


def test_costs_and_limits_are_calculated_with_the_size_of_the_demos_largest_item() -> None:
    photos = [
        path
        for path in sorted((ROOT / "examples/photos").iterdir())
        if path.suffix != ".md" and "corrupt" not in path.name
    ]
    with cloud() as fake_cloud:
        sizes = {photo.name: size_of(fake_cloud, f"2026/11/28/{photo.name}", photo.read_bytes()) for photo in photos}
    assert max(sizes.values()) == pytest.approx(item_sizes.BYTES, abs=8), sizes


def size_of(fake_cloud: Cloud, key: str, data: bytes) -> int:
    event = fake_cloud.put(data, key)
    fake_cloud.handle(event, lambda content: render(content, Limits(), Output()))
    item = fake_cloud.dynamodb.get_item(TableName=TABLE, Key={"image_id": {"S": event.image_id}})["Item"]
    assert item["status"]["S"] == "READY"
    return item_sizes.size(item | AS_DEPLOYED)
