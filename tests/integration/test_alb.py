"""The load balancer returns the catalog's answers like API Gateway, if it may invoke the function."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from eventloom import clouds
from eventloom.clouds import client
from tests.integration.photos import photo
from tests.integration.support import Deployment, eventually, unique

pytestmark = pytest.mark.needs("load_balancer")


@dataclass(frozen=True)
class Front:
    """The load balancer. Requests have its name as host, and go to the emulator's port."""

    name: str

    def __call__(self, method: str, path: str, **more: Any) -> requests.Response:
        headers = {"Host": self.name} | more.pop("headers", {})
        return requests.request(method, f"{clouds.chosen_cloud().endpoint}{path}", headers=headers, timeout=30, **more)


@pytest.fixture(scope="module")
def front(deployment: Deployment) -> Front:
    return Front(urlsplit(deployment["alb_url"]).netloc)


def test_the_load_balancer_shows_an_uploaded_image(front: Front, deployment: Deployment) -> None:
    body = photo(320, 240)
    request = {"filename": unique("alb.jpg").replace("/", "-"), "content_type": "image/jpeg", "bytes": len(body)}
    created = front("POST", "/uploads", json=request)
    assert created.status_code == 201, created.text
    post = created.json()
    assert requests.post(post["url"], data=post["fields"], files={"file": body}, timeout=30).status_code == 204
    path = f"/images/{post['image_id']}"
    image = eventually(lambda: answer.json() if (answer := front("GET", path)).status_code == 200 else None, path)
    assert (image["status"], image["width"], image["height"]) == ("READY", 320, 240)
    assert front("DELETE", path).status_code == 202
    assert front("GET", path).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/images?limit=0", None, 422),
        ("GET", "/images?limit=1&limit=2", None, 422),
        ("GET", "/images?status=READ%59&limit=1", None, 200),
        ("GET", "/nowhere", None, 404),
        ("PUT", "/images", "{}", 405),
        ("POST", "/uploads", "{not json", 400),
        ("POST", "/uploads", '{"filename": "' + "a" * 20_000 + '"}', 413),
    ],
)
def test_the_load_balancer_answers_like_api_gateway(
    front: Front, method: str, path: str, body: str | None, status: int
) -> None:
    answer = front(method, path, data=body, headers={"Content-Type": "application/json"} if body else {})
    assert answer.status_code == status, answer.text
    kind = "application/json" if status == 200 else "application/problem+json"
    assert answer.headers["Content-Type"].partition(";")[0] == kind


def test_answers_are_compressed_if_the_client_accepts_gzip(front: Front) -> None:
    packed = front("GET", "/openapi.json", headers={"Accept-Encoding": "gzip"})
    plain = front("GET", "/openapi.json", headers={"Accept-Encoding": "identity"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.json() == plain.json()


def test_the_load_balancer_answers_502_without_the_permission_to_invoke(front: Front, deployment: Deployment) -> None:
    lambda_, function = client("lambda"), deployment["functions"]["catalog_api"]["function_name"]
    (group,) = [
        entry
        for entry in client("elbv2").describe_target_groups()["TargetGroups"]
        if "catalog" in entry["TargetGroupName"]
    ]
    lambda_.remove_permission(FunctionName=function, Qualifier="live", StatementId="alb-catalog")
    try:
        answer = front("GET", "/health")
    finally:
        lambda_.add_permission(
            FunctionName=function,
            Qualifier="live",
            StatementId="alb-catalog",
            Action="lambda:InvokeFunction",
            Principal="elasticloadbalancing.amazonaws.com",
            SourceArn=group["TargetGroupArn"],
        )
    assert answer.status_code == 502
    assert "502 Bad Gateway" in answer.text
    assert front("GET", "/health").json() == {"status": "ok"}
