"""backfill can send photos of the catalog: rejected photos, and photos with thumbnails of earlier settings."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from boto3.dynamodb.types import TypeSerializer
from click.testing import Result
from moto import mock_aws

from eventloom.errors import UserError
from eventloom.operations.thumbnail_settings import PASSING_REASONS, ThumbnailSettings, deployed_settings
from shared.identity import image_id
from tests.unit.eventloom.operations.support import json_lines, make_target, run
from thumbnailer import events
from thumbnailer.imaging.rejections import REASONS

OUTPUTS = {
    "uploads_bucket": "uploads",
    "catalog_table": "catalog",
    "functions": {"thumbnailer": {"alias_arn": "arn:thumbnailer:live"}},
}


class Environment:
    """The catalog and a queue of moto, and a thumbnailer with settings."""

    def __init__(self, folder: Path) -> None:
        self.dynamodb: Any = boto3.client("dynamodb", region_name="us-east-1")
        self.sqs = boto3.client("sqs", region_name="us-east-1")
        self.url = self.sqs.create_queue(QueueName="uploads")["QueueUrl"]
        self.variables = {"THUMBNAIL_SIZES": "640,128", "OUTPUT_FORMAT": "jpeg", "MAX_BYTES": "1000"}
        names = ("image_id", "status", "uploaded_at")
        self.dynamodb.create_table(
            TableName="catalog",
            KeySchema=[{"AttributeName": "image_id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "by_status",
                    "KeySchema": [
                        {"AttributeName": "status", "KeyType": "HASH"},
                        {"AttributeName": "uploaded_at", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        self.target = make_target(folder, OUTPUTS | {"uploads_queue_url": self.url}, self.client)

    def client(self, service: str) -> Any:
        return self if service == "lambda" else getattr(self, service)

    def get_function(self, FunctionName: str) -> dict[str, Any]:
        assert FunctionName == "arn:thumbnailer:live"
        return {"Configuration": {"Environment": {"Variables": self.variables}}}

    def item(self, key: str, day: int, bucket: str = "uploads", **facts: Any) -> None:
        identity = {"image_id": image_id(bucket, key), "bucket": bucket, "key": key}
        item = identity | {"uploaded_at": f"2026-11-{day:02}T12:00:00.000Z"} | facts
        typed = {name: TypeSerializer().serialize(value) for name, value in item.items()}
        self.dynamodb.put_item(TableName="catalog", Item=typed)

    def ready(self, key: str, day: int, sizes: str = "640 128", content_type: str = "image/jpeg") -> None:
        thumbnails = {size: {"key": f"t/{size}", "content_type": content_type} for size in sizes.split()}
        self.item(key, day, status="READY", format="PNG", thumbnails=thumbnails)

    def run(self, *arguments: str) -> Result:
        return run(self.target, "backfill", "--rate", "1e9", *arguments)

    def sent(self, *arguments: str) -> dict[str, str]:
        """Run the command, and return the keys that it sent, each with the name of its event."""
        result = self.run(*arguments)
        assert result.exit_code == 0, result.stderr
        messages = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages", [])
        for message in messages:
            self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        parsed = [events.parse(message["Body"])[0][0] for message in messages]
        return {event.key: event.name for event in parsed}


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[Environment]:
    """Provide an environment with photos of each status."""
    with mock_aws():
        filled = Environment(tmp_path)
        filled.item("2025/large.jpg", 1, status="REJECTED", reason="too_large", bytes=900)
        filled.item("2025/archived é.jpg", 2, status="REJECTED", reason="archived")
        filled.item("2026/corrupt.jpg", 3, status="REJECTED", reason="corrupt")
        filled.item("2025/other.jpg", 3, "other", status="REJECTED", reason="corrupt")
        filled.item("2026/deleted.jpg", 4, status="DELETED")
        filled.ready("2025/current.jpg", 1)
        filled.ready("2025/sizes.jpg", 2, "1280 128")
        filled.ready("2026/webp.jpg", 3, content_type="image/webp")
        yield filled


RETRY, REMAKE = "ObjectCreated:Retry", "ObjectCreated:Remake"


@pytest.mark.parametrize(
    ("arguments", "keys"),
    [
        ("--rejected", {"2025/large.jpg", "2025/archived é.jpg", "2026/corrupt.jpg"}),
        ("--rejected --reason archived", {"2025/archived é.jpg"}),
        ("--rejected --reason archived --reason corrupt", {"2025/archived é.jpg", "2026/corrupt.jpg"}),
        ("--rejected --reason empty", set()),
        ("--rejected --prefix 2026/", {"2026/corrupt.jpg"}),
        ("--rejected --bucket other", {"2025/other.jpg"}),
        ("--rejected --since 2026-11-02T12:00:00", {"2025/archived é.jpg", "2026/corrupt.jpg"}),
        ("--rejected --until 2026-11-02T12:00:00", {"2025/large.jpg"}),
        ("--rejected --since 2026-11-02 --until 2026-11-03T12:00:00", {"2025/archived é.jpg"}),
    ],
)
def test_rejected_photos_are_sent_again(environment: Environment, arguments: str, keys: set[str]) -> None:
    assert environment.sent(*arguments.split()) == dict.fromkeys(keys, RETRY)


@pytest.mark.parametrize(
    ("arguments", "keys"),
    [
        ("--remake", {"2025/sizes.jpg", "2026/webp.jpg"}),
        ("--remake --prefix 2025/", {"2025/sizes.jpg"}),
        ("--remake --until 2026-11-03", {"2025/sizes.jpg"}),
        ("--remake --all", {"2025/current.jpg", "2025/sizes.jpg", "2026/webp.jpg"}),
    ],
)
def test_photos_with_thumbnails_of_earlier_settings_are_sent_again(
    environment: Environment, arguments: str, keys: set[str]
) -> None:
    assert environment.sent(*arguments.split()) == dict.fromkeys(keys, REMAKE)


def test_a_dry_run_says_how_many_and_what_they_cost(environment: Environment) -> None:
    result = environment.run("--rejected", "--dry-run")
    assert result.stdout.startswith("3 objects of uploads would be sent, in 0 s. At list prices, ")
    (facts,) = json_lines(environment.run("--remake", "--dry-run", "--json"))
    assert (facts["would_send"], facts["dry_run"]) == (2, True)
    # Two photos at the 20.75 USD a million of docs/performance.md, and a hundredth of a cent for rounding
    assert facts["usd"] == pytest.approx(2 * 20.75e-6, abs=1e-4)
    assert environment.sent("--rejected", "--reason", "empty") == {}


def test_a_limited_run_continues_after_the_last_photo(environment: Environment) -> None:
    parts = [environment.sent("--rejected", "--limit", "1") for _ in range(3)]
    assert [len(part) for part in parts] == [1, 1, 1]
    assert set().union(*parts) == {"2025/large.jpg", "2025/archived é.jpg", "2026/corrupt.jpg"}


@pytest.mark.parametrize(
    "wrong",
    [
        "--rejected --remake",
        "--reason archived",
        "--all",
        "--rejected --all",
        "--since 2026-01-01",
        "--rejected --inventory x",
        "--remake --distributed",
    ],
)
def test_options_that_do_not_belong_together_are_usage_errors(environment: Environment, wrong: str) -> None:
    assert environment.run(*wrong.split()).exit_code == 2


@pytest.mark.parametrize(
    "variables",
    [{}, {"THUMBNAIL_SIZES": "x", "OUTPUT_FORMAT": "jpeg", "MAX_BYTES": "1"}, {"THUMBNAIL_SIZES": "1"}],
)
def test_a_function_without_valid_settings_says_what_to_do(environment: Environment, variables: dict[str, str]) -> None:
    environment.variables = variables
    with pytest.raises(UserError, match=r"set them in terraform/thumbnailer\.tf"):
        deployed_settings(environment, OUTPUTS)
    with pytest.raises(UserError, match="no function 'thumbnailer'"):
        deployed_settings(environment, {"functions": {}})


@pytest.mark.parametrize(
    ("output_format", "photo_format", "content_type", "differs"),
    [
        ("jpeg", "PNG", "image/jpeg", False),
        ("jpeg", "PNG", "image/webp", True),
        ("webp", "JPEG", "image/jpeg", True),
        ("auto", "JPEG", "image/jpeg", False),
        ("auto", "JPEG", "image/webp", True),
        ("auto", "PNG", "image/jpeg", False),
        ("auto", "PNG", "image/webp", False),
    ],
)
def test_the_format_of_thumbnails_is_compared(
    output_format: str, photo_format: str, content_type: str, differs: bool
) -> None:
    settings = ThumbnailSettings(frozenset({"128"}), output_format, 1)
    item = {"format": photo_format, "thumbnails": {"128": {"content_type": content_type}}}
    assert settings.differ(item) == differs


def test_the_reasons_that_may_pass_are_reasons_of_the_thumbnailer() -> None:
    assert set(REASONS) > PASSING_REASONS
