"""The catalog works through API Gateway: who may call it, and how each operation affects the pipeline."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from eventloom import catalog, clouds
from scripts import capabilities
from tests.integration.photos import close, colour_of, photo
from tests.integration.support import Deployment, eventually, unique

ORIGIN = "https://photos.example.com"


@dataclass(frozen=True)
class Api:
    """The deployed API. Calls send its key unless `key` is false, and request uncompressed answers.

    Unmodified LocalStack returns compressed answers as base64.
    """

    url: str
    key: str

    def __call__(
        self, method: str, path: str, key: bool = True, headers: dict[str, str] | None = None, **more: Any
    ) -> requests.Response:
        defaults = {"Accept-Encoding": "identity"} | ({"X-Api-Key": self.key} if key else {})
        return requests.request(method, self.url + path, headers=defaults | (headers or {}), timeout=30, **more)


@pytest.fixture(scope="module")
def api(deployment: Deployment) -> Api:
    return Api(capabilities.api_url(clouds.chosen_cloud(), deployment.outputs), deployment["api_key"])


def upload(api: Api, body: bytes, announced: int | None = None) -> tuple[str, requests.Response]:
    """Request an upload and send the file. Returns the id of the image and the answer of S3."""
    request = {
        "filename": unique("sunset.jpg").replace("/", "-"),
        "content_type": "image/jpeg",
        "bytes": announced or len(body),
    }
    created = api("POST", "/uploads", json=request)
    assert created.status_code == 201, created.text
    post = created.json()
    return post["image_id"], requests.post(post["url"], data=post["fields"], files={"file": body}, timeout=30)


def wait_for_image(api: Api, image_id: str) -> dict[str, Any]:
    """Wait until the API shows an image, and return it."""
    answer = eventually(
        lambda: answer if (answer := api("GET", f"/images/{image_id}")).status_code == 200 else None,
        f"image {image_id}",
    )
    image: dict[str, Any] = answer.json()
    return image


def is_problem(answer: requests.Response, status: int) -> bool:
    """Return whether an answer is a problem document (RFC 9457) with a status.

    API Gateway's documents don't contain the status.
    """
    content_type = answer.headers["Content-Type"].partition(";")[0]
    return (answer.status_code, content_type, answer.json().get("status", status)) == (
        status,
        "application/problem+json",
        status,
    )


def test_health_is_public(api: Api) -> None:
    answer = api("GET", "/health", key=False)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/images"), ("POST", "/uploads"), ("DELETE", "/images/" + "0" * 32), ("GET", "/nowhere")],
)
@pytest.mark.parametrize("headers", [{}, {"X-Api-Key": "wrong" * 8}], ids=["without a key", "with a wrong key"])
def test_everything_else_needs_the_key(api: Api, method: str, path: str, headers: dict[str, str]) -> None:
    assert api(method, path, key=False, headers=headers).status_code == 403


@pytest.mark.needs("gateway_responses")
@pytest.mark.parametrize("headers", [{}, {"X-Api-Key": "wrong" * 8}], ids=["without a key", "with a wrong key"])
def test_a_web_page_may_read_the_problem_of_a_refusal(api: Api, headers: dict[str, str]) -> None:
    answer = api("GET", "/images", key=False, headers=headers | {"Origin": ORIGIN})
    assert is_problem(answer, 403)
    assert answer.headers["Access-Control-Allow-Origin"] in {"*", ORIGIN}


@pytest.mark.parametrize("path", ["/", "/page/any/main.js", "/page/any/config.json"])
def test_the_gallery_is_public_for_get_requests_only(api: Api, path: str) -> None:
    assert api("GET", path, key=False).status_code == 200
    assert api("POST", path, key=False).status_code == 403


def test_an_upload_becomes_an_image_with_thumbnails(api: Api, deployment: Deployment) -> None:
    body = photo(640, 480, (30, 160, 90))
    image_id, answer = upload(api, body)
    assert answer.status_code == 204, answer.text
    image = wait_for_image(api, image_id)
    assert (image["status"], image["width"], image["height"], image["bytes"]) == ("READY", 640, 480, len(body))
    assert close(colour_of(requests.get(image["thumbnails"]["128"]["url"], timeout=10).content), (30, 160, 90))
    original = requests.get(image["original_url"], timeout=10)
    assert original.content == body
    assert original.headers["Content-Disposition"].startswith("attachment")
    assert image_id in [entry["image_id"] for entry in api("GET", "/images", params={"limit": 5}).json()["images"]]


def test_an_upload_that_is_not_an_image_is_shown_as_rejected(api: Api) -> None:
    image_id, answer = upload(api, b"hello, I am no picture")
    assert answer.status_code == 204, answer.text
    image = wait_for_image(api, image_id)
    assert (image["status"], image["reason"], image["thumbnails"]) == ("REJECTED", "unsupported_format", {})
    assert image_id in [
        entry["image_id"] for entry in api("GET", "/images", params={"status": "REJECTED"}).json()["images"]
    ]


def test_s3_refuses_a_size_that_was_not_announced(api: Api) -> None:
    image_id, answer = upload(api, photo(), announced=10)
    assert answer.status_code in {400, 403}
    assert is_problem(api("GET", f"/images/{image_id}"), 404)


def test_s3_refuses_a_key_that_was_not_signed(api: Api, deployment: Deployment) -> None:
    body = photo()
    post = api("POST", "/uploads", json={"filename": "a.jpg", "content_type": "image/jpeg", "bytes": len(body)}).json()
    other_key = unique("stolen.jpg")
    answer = requests.post(post["url"], data=post["fields"] | {"key": other_key}, files={"file": body}, timeout=30)
    assert answer.status_code == 403
    assert deployment.item(other_key) is None


def test_a_deleted_image_disappears_at_once_and_does_not_return(api: Api, deployment: Deployment) -> None:
    key = unique("gone.jpg")
    deployment.put(key, photo())
    path = f"/images/{deployment.wait_for(key, status='READY')['image_id']}"
    assert api("DELETE", path).status_code == 202
    assert is_problem(api("GET", path), 404)
    assert api("DELETE", path).status_code == 204
    deployment.wait_for(key, status="DELETED")
    eventually(lambda: not deployment.thumbnails(key), "no thumbnails")


def test_pages_have_no_gaps_and_no_overlaps(api: Api, deployment: Deployment) -> None:
    keys = [unique(f"{number}.jpg") for number in range(5)]
    for key in keys:
        deployment.put(key, photo())
        deployment.wait_for(key, status="READY")
    image_ids: list[str] = []
    cursor: str | None = ""
    while cursor is not None and len(image_ids) < 5:
        page = api("GET", "/images", params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        image_ids += [image["image_id"] for image in page["images"]]
        cursor = page["next_cursor"]
    assert image_ids[:5] == [catalog.image_id(deployment["uploads_bucket"], key) for key in reversed(keys)]


def test_a_report_counts_the_images_and_is_stored(api: Api, deployment: Deployment) -> None:
    today = datetime.now(UTC).date().isoformat()

    def ready() -> int:
        answer = api("POST", "/reports", json={"first_day": today, "days": 1})
        assert answer.status_code == 201, answer.text
        report = answer.json()
        assert report["complete"]
        assert api("GET", f"/reports/{report['report_id']}").json() == report
        return sum(row["images"] for row in report["rows"] if row["status"] == "READY" and row["format"] == "JPEG")

    before, key = ready(), unique("counted.jpg")
    deployment.put(key, photo())
    deployment.wait_for(key, status="READY")
    assert ready() == before + 1


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/images?limit=0", None, 422),
        ("GET", "/images?colour=red", None, 422),
        ("GET", "/images?cursor=made-up", None, 400),
        ("GET", "/images/short", None, 422),
        ("GET", "/images/" + "0" * 32, None, 404),
        ("GET", "/reports/" + "0" * 32, None, 404),
        ("GET", "/nowhere", None, 404),
        ("PUT", "/images", "{}", 405),
        ("POST", "/uploads", "{not json", 400),
        ("POST", "/uploads", "{}".encode("utf-16"), 400),
        ("POST", "/uploads", '{"filename": "a.exe", "content_type": "text/html", "bytes": 1}', 422),
        ("POST", "/uploads", '{"filename": "' + "a" * 20_000 + '"}', 413),
    ],
)
def test_invalid_requests_are_answered_with_a_problem(
    api: Api, method: str, path: str, body: str | bytes | None, status: int
) -> None:
    answer = api(method, path, data=body, headers={"Content-Type": "application/json"} if body else {})
    assert is_problem(answer, status), answer.text
    assert answer.json()["request_id"]


def test_the_document_describes_every_operation(api: Api) -> None:
    document = api("GET", "/openapi.json").json()
    operations = {(method, path) for path, methods in document["paths"].items() for method in methods}
    assert {
        ("get", "/images"),
        ("delete", "/images/{image_id}"),
        ("post", "/uploads"),
        ("post", "/reports"),
    } <= operations


@pytest.mark.needs("binary_answers")
def test_answers_are_compressed_if_the_client_accepts_gzip(api: Api) -> None:
    packed = api("GET", "/openapi.json", headers={"Accept-Encoding": "gzip"})
    plain = api("GET", "/openapi.json", headers={"Accept-Encoding": "identity"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert packed.json() == plain.json()


def test_a_web_page_may_call_the_api(api: Api) -> None:
    origin = {"Origin": ORIGIN}
    asking = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key,content-type"}
    preflight = api("OPTIONS", "/uploads", key=False, headers=origin | asking)
    assert preflight.status_code in {200, 204}
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
    assert "x-api-key" in preflight.headers["Access-Control-Allow-Headers"].lower()
    for answer in (preflight, api("GET", "/images", headers=origin)):
        assert answer.headers["Access-Control-Allow-Origin"] in {"*", ORIGIN}
