"""The API requires its key, a presigned upload allows only that upload, and answers reveal no secrets.

docs/threat-model.md names the threat that each test covers.
"""

import base64
import json
import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
import requests

from eventloom.clouds import client
from tests.integration.photos import photo
from tests.integration.support import Deployment, eventually, unique
from tests.integration.test_catalog_api import Api, api, is_problem, upload

__all__ = ["api"]

Post = dict[str, Any]
# Everybody may read the page and its files, but the data on the page needs a key. A shared link is itself a secret.
OPEN = re.compile(r"GET /(health|page/.*|shared/.*)?|OPTIONS .*")
BODY = photo()
ANNOUNCED = len(BODY)


# -- Who may call


def test_every_deployed_method_except_the_page_and_health_needs_authentication(deployment: Deployment) -> None:
    resources = client("apigateway").get_resources(restApiId=deployment["api_id"], limit=500, embed=["methods"])[
        "items"
    ]
    methods = {
        f"{name} {resource['path']}": method
        for resource in resources
        for name, method in resource.get("resourceMethods", {}).items()
    }
    unauthenticated = {
        name
        for name, method in methods.items()
        if method["authorizationType"] == "NONE" and not method["apiKeyRequired"]
    }
    assert not [name for name in unauthenticated if not OPEN.fullmatch(name)]
    assert {"ANY /", "ANY /{proxy+}"} <= set(methods) - unauthenticated


def test_every_documented_operation_needs_the_key(api: Api) -> None:
    operations = [
        (method.upper(), path.replace("{image_id}", "0" * 32).replace("{report_id}", "0" * 32))
        for path, methods in api("GET", "/openapi.json").json()["paths"].items()
        for method in methods
        if path not in {"/health", "/shared/{token}"}
    ]
    assert len(operations) >= 6
    for method, path in [*operations, ("GET", "/openapi.json"), ("POST", "/health")]:
        assert api(method, path, key=False, json={}).status_code == 403, f"{method} {path}"


def test_a_preflight_needs_no_key_and_reveals_nothing(api: Api) -> None:
    for path in ("/images", f"/images/{'0' * 32}", "/nowhere"):
        answer = api(
            "OPTIONS",
            path,
            key=False,
            headers={"Origin": "https://photos.example.com", "Access-Control-Request-Method": "GET"},
        )
        assert answer.status_code in {200, 204, 404}
        assert "images" not in answer.text


@pytest.mark.parametrize(
    "change",
    [
        lambda key: key[:-1],
        lambda key: f"{key}x",
        str.swapcase,
        lambda key: f"x, {key}",
        lambda key: "",
        lambda key: "*",
    ],
    ids=["shorter", "longer", "other case", "one of a list", "empty", "wildcard"],
)
def test_only_the_complete_key_is_accepted(api: Api, change: Callable[[str], str]) -> None:
    assert api("GET", "/images", key=False, headers={"X-Api-Key": change(api.key)}).status_code == 403


@pytest.mark.parametrize("name", ["x-api-key", "api_key", "apikey", "key"])
def test_a_key_in_the_url_is_refused(api: Api, name: str) -> None:
    assert api("GET", "/images", key=False, params={name: api.key}).status_code == 403


def test_a_key_is_accepted_only_while_it_is_in_the_usage_plan(api: Api, deployment: Deployment) -> None:
    gateway = client("apigateway")
    (plan,) = [entry for entry in gateway.get_usage_plans()["items"] if entry["name"].startswith(deployment["prefix"])]
    key = gateway.create_api_key(name=f"test-{uuid.uuid4().hex}", value=uuid.uuid4().hex, enabled=True)

    def status() -> int:
        return api("GET", "/images", key=False, headers={"X-Api-Key": key["value"]}).status_code

    try:
        assert status() == 403, "a key outside of any usage plan"
        gateway.create_usage_plan_key(usagePlanId=plan["id"], keyId=key["id"], keyType="API_KEY")
        eventually(lambda: status() == 200, "the plan's key is accepted")
        gateway.delete_usage_plan_key(usagePlanId=plan["id"], keyId=key["id"])
        eventually(lambda: status() == 403, "the removed key is refused")
    finally:
        gateway.delete_api_key(apiKey=key["id"])


# -- Uploads


@pytest.fixture
def post(api: Api) -> Post:
    """Request a presigned POST for BODY."""
    created = api("POST", "/uploads", json={"filename": "a.jpg", "content_type": "image/jpeg", "bytes": ANNOUNCED})
    assert created.status_code == 201, created.text
    form: Post = created.json()
    return form


def post_form(url: str, fields: dict[str, str], body: bytes = BODY) -> int:
    return requests.post(url, data=fields, files={"file": body}, timeout=30, allow_redirects=False).status_code


def extend_expiry(policy: str) -> str:
    """Return the policy with another expiry."""
    return change_policy(policy, lambda document: document | {"expiration": "2099-01-01T00:00:00Z"})


def allow_any_size(policy: str) -> str:
    """Return the policy without its limit of size, the only condition that is a list."""
    any_size = ["content-length-range", 0, 10**9]
    return change_policy(
        policy,
        lambda document: (
            document
            | {"conditions": [any_size if isinstance(entry, list) else entry for entry in document["conditions"]]}
        ),
    )


def change_policy(policy: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> str:
    return base64.b64encode(json.dumps(change(json.loads(base64.b64decode(policy)))).encode()).decode()


def test_the_form_allows_one_upload_to_the_web_folder_for_minutes(post: Post) -> None:
    fields = post["fields"]
    policy = json.loads(base64.b64decode(fields["policy"]))
    assert re.fullmatch(r"web/\d{4}/\d{2}/\d{2}/[0-9a-f]{32}-a\.jpg", fields["key"])
    remaining_s = (datetime.fromisoformat(policy["expiration"]) - datetime.now(UTC)).total_seconds()
    assert 0 < remaining_s <= post["expires_in_s"] <= 900
    assert ["content-length-range", ANNOUNCED, ANNOUNCED] in policy["conditions"]
    assert post_form(post["url"], fields) == 204


@pytest.mark.parametrize("size", [0, 1, ANNOUNCED - 1, ANNOUNCED + 1, 1_000_000])
def test_another_size_is_refused(post: Post, deployment: Deployment, size: int) -> None:
    assert post_form(post["url"], post["fields"], b"\0" * size) in {400, 403}
    assert not exists(deployment["uploads_bucket"], post["fields"]["key"])


@pytest.mark.parametrize(
    "change",
    [
        {"key": "web/2026/01/01/another.jpg"},
        {"key": "elsewhere.jpg"},
        {"key": "web/../elsewhere.jpg"},
        {"Content-Type": "text/html"},
        {"Content-Type": ""},
    ],
    ids=lambda change: " ".join(f"{name}={value}" for name, value in change.items()),
)
def test_another_key_or_type_is_refused(post: Post, deployment: Deployment, change: dict[str, str]) -> None:
    assert post_form(post["url"], post["fields"] | change) == 403
    assert not exists(deployment["uploads_bucket"], change.get("key", post["fields"]["key"]))


@pytest.mark.needs("session_signatures")
@pytest.mark.parametrize(
    "change",
    [
        lambda fields: fields | {"policy": extend_expiry(fields["policy"])},
        lambda fields: fields | {"policy": allow_any_size(fields["policy"])},
        lambda fields: fields | {"x-amz-signature": "0" * 64},
        lambda fields: {name: value for name, value in fields.items() if name != "x-amz-signature"},
        lambda fields: {name: value for name, value in fields.items() if name != "policy"},
        lambda fields: fields | {"acl": "public-read"},
        lambda fields: fields | {"success_action_redirect": "https://evil.example"},
        lambda fields: fields | {"x-amz-meta-owner": "me"},
    ],
    ids=["later", "looser", "signature made up", "no signature", "no policy", "public", "redirect", "metadata"],
)
def test_a_changed_form_is_refused(
    post: Post, deployment: Deployment, change: Callable[[dict[str, str]], dict[str, str]]
) -> None:
    assert post_form(post["url"], change(post["fields"])) in {400, 403}
    assert not exists(deployment["uploads_bucket"], post["fields"]["key"])


def test_a_form_is_valid_only_for_its_bucket(post: Post, deployment: Deployment) -> None:
    url = post["url"].replace(deployment["uploads_bucket"], deployment["thumbnails_bucket"])
    assert post_form(url, post["fields"]) == 403
    assert not exists(deployment["thumbnails_bucket"], post["fields"]["key"])


def test_a_form_expires(deployment: Deployment) -> None:
    bucket, key = deployment["uploads_bucket"], f"web/{unique('late.jpg')}"
    expired = client("s3").generate_presigned_post(bucket, key, ExpiresIn=-1)
    assert post_form(expired["url"], expired["fields"]) == 403
    assert not exists(bucket, key)


def exists(bucket: str, key: str) -> bool:
    return bool(client("s3").list_objects_v2(Bucket=bucket, Prefix=key).get("KeyCount"))


# -- Links


@pytest.mark.needs("session_signatures")
@pytest.mark.parametrize(
    "change",
    [
        lambda url: url._replace(path=url.path.rpartition("/")[0] + "/another.jpg"),
        lambda url: url._replace(query=re.sub(r"X-Amz-Expires=\d+", "X-Amz-Expires=604800", url.query)),
        lambda url: url._replace(query=re.sub(r"response-content-disposition=[^&]*&?", "", url.query)),
        lambda url: url._replace(query=re.sub(r"X-Amz-Date=\d{4}", "X-Amz-Date=2020", url.query)),
        lambda url: url._replace(query=""),
    ],
    ids=["another object", "longer", "shown instead of downloaded", "of another day", "unsigned"],
)
def test_a_changed_link_is_refused(api: Api, deployment: Deployment, change: Callable[[Any], Any]) -> None:
    key = unique("linked.jpg")
    deployment.put(key, photo())
    image = api("GET", f"/images/{deployment.wait_for(key, status='READY')['image_id']}").json()
    assert requests.get(image["original_url"], timeout=10).status_code == 200
    changed = urlunsplit(change(urlsplit(image["original_url"])))
    assert changed != image["original_url"]
    assert requests.get(changed, timeout=10).status_code == 403


# -- What answers reveal


def test_answers_for_deleted_and_unknown_ids_are_the_same(api: Api, deployment: Deployment) -> None:
    image_id, accepted = upload(api, photo())
    assert accepted.status_code == 204
    eventually(lambda: api("GET", f"/images/{image_id}").status_code == 200, "the image")
    assert api("DELETE", f"/images/{image_id}").status_code == 202
    for path in ("/images", "/reports"):
        deleted, unknown = api("GET", f"{path}/{image_id}"), api("GET", f"{path}/{uuid.uuid4().hex}")
        assert is_problem(deleted, 404)
        assert [answer.json() | {"request_id": ""} for answer in (deleted, deleted)] == [
            unknown.json() | {"request_id": ""}
        ] * 2
    assert (
        api("DELETE", f"/images/{uuid.uuid4().hex}").status_code
        == api("DELETE", f"/images/{image_id}").status_code
        == 204
    )


def test_equal_names_get_unrelated_ids(api: Api) -> None:
    body = {"filename": "same.jpg", "content_type": "image/jpeg", "bytes": 1}
    ids = [api("POST", "/uploads", json=body).json()["image_id"] for _ in range(5)]
    assert len(set(ids)) == len({image_id[:8] for image_id in ids}) == 5


@pytest.mark.needs("iam_enforcement")
@pytest.mark.parametrize("path", ["/images", f"/images/{'1' * 32}", f"/reports/{'1' * 32}"])
def test_an_internal_error_reveals_nothing(api: Api, deployment: Deployment, path: str) -> None:
    with deployment.outage("catalog_api", "dynamodb:*"):
        answer = api("GET", path)
    assert is_problem(answer, 500)
    secrets = [
        "Traceback",
        "arn:",
        "boto",
        ".py",
        "AccessDenied",
        "dynamodb",
        deployment["catalog_table"],
        deployment["state_table"],
    ]
    assert not [secret for secret in secrets if secret.lower() in answer.text.lower()]
    request_id = answer.json()["request_id"]
    eventually(lambda: deployment.log_lines("catalog_api", request_id), "the log line with the request id")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ('{"filename": "a.jpg", "content_type": "image/jpeg", "bytes": 1, "bytes": 999999999}', 400),
        ('{"filename": "a.jpg", "content_type": "image/jpeg", "bytes": 1, "key": "elsewhere"}', 422),
        ('{"filename": "a.jpg", "content_type": "image/svg+xml", "bytes": 1}', 422),
        ('{"filename": "a.jpg", "content_type": "image/jpeg", "bytes": "1"}', 422),
        ('{"filename": "a.jpg", "content_type": "image/jpeg", "bytes": 104857601}', 422),
        ('{"filename": "a.jpg", "content_type": "image/jpeg", "bytes": -1}', 422),
        ('[{"filename": "a.jpg"}]', 422),
    ],
)
def test_ambiguous_upload_requests_are_refused(api: Api, body: str, status: int) -> None:
    answer = api("POST", "/uploads", data=body, headers={"Content-Type": "application/json"})
    assert is_problem(answer, status), answer.text
    assert "elsewhere" not in answer.text
