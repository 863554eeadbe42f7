"""Each example works when it is deployed as its README says, and can be destroyed. All of them run at the same time."""

import hashlib
import hmac
import io
import json
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import duckdb
import pytest
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from PIL import Image

from eventloom import clouds
from eventloom.clouds import ROOT, client
from eventloom.deployment import examples
from scripts import capabilities
from tests.integration.checkouts import command, environment
from tests.integration.photos import photo
from tests.integration.support import TIMEOUT_S, eventually

SECRET = "only-for-the-test"
VARIABLES = {"TF_VAR_schedule": "rate(1 minute)"}


def use_cron_job(outputs: dict[str, Any]) -> dict[str, Any]:
    """Upload files, and wait for a scheduled report about them."""
    for key, size in {"photos/a.jpg": 10, "photos/b.jpg": 20, "readme.txt": 5}.items():
        client("s3").put_object(Bucket=outputs["bucket"], Key=key, Body=b"x" * size)

    def report() -> dict[str, Any] | None:
        entries = client("s3").list_objects_v2(Bucket=outputs["bucket"], Prefix="reports/").get("Contents", [])
        report = json.loads(content(outputs["bucket"], entries[-1]["Key"])) if entries else {}
        return report if len(report.get("folders", {})) == 2 else None  # an earlier report may lack some of the files

    return eventually(report, "a report of the files", 150)


def use_webhook(outputs: dict[str, Any]) -> dict[str, Any]:
    """Send a delivery with a valid signature and one with an invalid signature.

    Returns the answers and what the worker archived.
    """
    client("ssm").put_parameter(Name=outputs["secret"], Type="SecureString", Value=SECRET, Overwrite=True)
    url = outputs["webhook_url"]
    if clouds.chosen_cloud().port:
        url = f"{clouds.chosen_cloud().endpoint}/restapis/{outputs['api_id']}/v1/_user_request_/webhook"
    body = json.dumps({"action": "opened", "title": "Grüße"}).encode()
    right = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    headers = {"X-GitHub-Event": "issues", "X-GitHub-Delivery": "7d1f", "Content-Type": "application/json"}
    answers = [
        requests.post(url, body, headers=headers | {"X-Hub-Signature-256": signature}, timeout=TIMEOUT_S).status_code
        for signature in (right, "sha256=" + "0" * 64)
    ]
    other_path = requests.post(url.removesuffix("/webhook") + "/other", data=body, timeout=30).status_code
    stage = client("apigateway").get_stage(restApiId=outputs["api_id"], stageName="v1")
    archive = outputs["archive"]
    eventually(lambda: client("s3").list_objects_v2(Bucket=archive).get("KeyCount"), "an archived delivery")
    keys = [entry["Key"] for entry in client("s3").list_objects_v2(Bucket=archive)["Contents"]]
    client("ssm").delete_parameter(Name=outputs["secret"])
    return {
        "answers": answers,
        "other_path": other_path,
        "stage": stage,
        "archived": {key: json.loads(content(archive, key)) for key in keys},
    }


def use_parquet(outputs: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Upload a CSV file and return the rows of its Parquet file."""
    text = "day,shop,sold\n2026-01-02,Köln,12\n2026-01-03,서울,7\n"
    client("s3").put_object(Bucket=outputs["incoming"], Key="sales/week 1.csv", Body=text.encode())
    tables, key = outputs["tables"], "sales/week 1.parquet"
    eventually(lambda: client("s3").list_objects_v2(Bucket=tables).get("KeyCount"), "a Parquet file")
    with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
        file.write(content(tables, key))
        file.flush()
        return duckdb.read_parquet(file.name).fetchall()


def use_thumbnails(outputs: dict[str, Any]) -> dict[str, Any]:
    """Upload a photo with a typical name, and return its item of the catalog and its thumbnails."""
    client("s3").put_object(Bucket=outputs["uploads"], Key="trip/à la mer 1.jpg", Body=photo(1600, 1200))

    def item() -> dict[str, Any] | None:
        items = client("dynamodb").scan(TableName=outputs["catalog_table"])["Items"]
        return next((item for item in items if item["status"]["S"] in {"READY", "REJECTED"}), None)

    catalogued = eventually(item, "an item of the catalog")
    entries = client("s3").list_objects_v2(Bucket=outputs["thumbnails"]).get("Contents", [])
    pictures = [Image.open(io.BytesIO(content(outputs["thumbnails"], entry["Key"]))) for entry in entries]
    return {"status": catalogued["status"]["S"], "sizes": sorted(picture.size for picture in pictures)}


def ask(url: str, path: str, content: str | None = None, *, signed: bool = False) -> requests.Response:
    """Send a request to an HTTP API: POST with content, GET without. An emulator serves the API at its own address."""
    method, body = ("POST", content.encode()) if content is not None else ("GET", None)
    request = AWSRequest(method, f"{url}{path}", data=body, headers={"Host": urlsplit(url).netloc})
    if signed:
        SigV4Auth(client("s3")._get_credentials(), "execute-api", clouds.REGION).add_auth(request)
    address, headers = (clouds.chosen_cloud().endpoint or url) + path, dict(request.headers.items())
    return requests.request(method, address, data=body, headers=headers, timeout=30, allow_redirects=False)


def use_http_api(outputs: dict[str, Any]) -> dict[str, Any]:
    """Add a link with and without a signature, follow it, and follow an unknown link. Return the answers."""
    url, body = outputs["url"], json.dumps({"url": "https://example.org/a?b=1"})
    added = ask(url, "/links", body, signed=True)
    link = urlsplit(added.json()["link"])
    wrong = ["no JSON", '["url"]', '{"url": "ftp://example.org"}', '{"url": "https://example.org/\\n"}', "{}"]
    return {
        "added": (added.status_code, link.hostname == urlsplit(url).hostname),
        "unsigned": ask(url, "/links", body),
        "wrong": [ask(url, "/links", content, signed=True).status_code for content in wrong],
        "followed": ask(url, link.path),
        "unknown": ask(url, "/nothing").status_code,
        "no_route": ask(url, link.path, body, signed=True).status_code,
    }


def content(bucket: str, key: str) -> bytes:
    """Return the bytes of an object."""
    read: bytes = client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return read


USES = {
    "cron-job": use_cron_job,
    "http-api": use_http_api,
    "s3-to-parquet": use_parquet,
    "thumbnails": use_thumbnails,
    "webhook-to-queue": use_webhook,
}


def try_example(name: str) -> Any:
    """Apply, use and destroy one example. The destroy runs without local files, as in a fresh clone."""
    variables = environment() | VARIABLES
    try:
        command(ROOT, "example", "deploy", name, variables=variables)
        return USES[name](examples.outputs(name))
    finally:
        shutil.rmtree(examples.packages(name), ignore_errors=True)
        command(ROOT, "example", "destroy", name, variables=variables)


@pytest.fixture(scope="module")
def results(cloud: clouds.Cloud) -> Iterator[dict[str, Any]]:
    """Return the result of each example, or its exception if it failed."""
    names = examples.example_names()
    if not capabilities.has_http_apis(cloud, {}):
        names.remove("http-api")
    with ThreadPoolExecutor(len(names)) as pool:
        futures = {name: pool.submit(try_example, name) for name in names}
        yield {name: future.exception() or future.result() for name, future in futures.items()}


def result(results: dict[str, Any], name: str) -> Any:
    """Return the result of an example, or raise its exception."""
    if isinstance(results[name], BaseException):
        raise results[name]
    return results[name]


def test_every_example_is_tested() -> None:
    assert examples.example_names() == sorted(USES)


def test_the_cron_job_writes_a_report(results: dict[str, Any]) -> None:
    report = result(results, "cron-job")
    assert report["folders"] == {"": {"objects": 1, "bytes": 5}, "photos": {"objects": 2, "bytes": 30}}


def test_a_signed_webhook_is_archived_and_an_unsigned_one_refused(results: dict[str, Any]) -> None:
    outcome = result(results, "webhook-to-queue")
    assert outcome["answers"] == [202, 401]
    assert outcome["other_path"] == 403
    assert "accessLogSettings" not in outcome["stage"], "an account without a role for access logs rejects them"
    assert outcome["archived"] == {"issues/7d1f.json": {"action": "opened", "title": "Grüße"}}


def test_a_csv_file_becomes_typed_parquet(results: dict[str, Any]) -> None:
    rows = result(results, "s3-to-parquet")
    assert [(str(day), shop, sold) for day, shop, sold in rows] == [
        ("2026-01-02", "Köln", 12),
        ("2026-01-03", "서울", 7),
    ]


def test_a_photo_becomes_thumbnails(results: dict[str, Any]) -> None:
    outcome = result(results, "thumbnails")
    assert outcome == {"status": "READY", "sizes": [(128, 96), (512, 384), (1280, 960)]}


@pytest.mark.needs("http_apis")
def test_a_signed_request_adds_a_link_that_everybody_follows(results: dict[str, Any]) -> None:
    outcome = result(results, "http-api")
    assert outcome["added"] == (201, True)
    assert (outcome["unsigned"].status_code, outcome["unsigned"].json()) == (403, {"message": "Forbidden"})
    assert outcome["wrong"] == [400, 400, 400, 400, 400]
    assert outcome["followed"].status_code == 302
    assert outcome["followed"].headers["Location"] == "https://example.org/a?b=1"
    assert (outcome["unknown"], outcome["no_route"]) == (404, 404)


def test_destroying_the_examples_leaves_nothing(results: dict[str, Any]) -> None:
    buckets = [entry["Name"] for entry in client("s3").list_buckets()["Buckets"]]
    functions = [entry["FunctionName"] for entry in client("lambda").list_functions()["Functions"]]
    queues = client("sqs").list_queues(QueueNamePrefix="eventloom-example").get("QueueUrls", [])
    assert not [name for name in [*buckets, *functions, *queues] if "eventloom-example" in name]
