"""An image can be shared by a link. The link is a secret, expires and can be revoked."""

import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from catalog_api.settings import SETTINGS

from .conftest import DYNAMODB


def share(api: Any, image_id: str, **body: Any) -> str:
    answer = api.send("POST", f"/images/{image_id}/share", body=body)
    assert answer.status == 201, answer.text
    path: str = answer.json["path"]
    return f"/{path}"


def test_a_link_shows_the_largest_thumbnail(api: Any, put_image: Any) -> None:
    image_id = put_image(1)
    answer = api.send("GET", share(api, image_id))
    assert answer.status == 302
    url = urlsplit(answer.headers["location"])
    assert url.path.endswith(f"{image_id}/0123456789ab/1280.jpg")
    assert parse_qs(url.query)["X-Amz-Expires"] == ["60"]


def test_a_link_may_download_the_original(api: Any, put_image: Any) -> None:
    answer = api.send("GET", share(api, put_image(1), original=True, hours=168))
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    assert query["response-content-disposition"] == ["attachment; filename=\"photo1.jpg\"; filename*=UTF-8''photo1.jpg"]
    assert query["X-Amz-Expires"] == ["60"]


def test_a_new_link_replaces_the_old_one_and_a_link_can_be_revoked(api: Any, put_image: Any) -> None:
    image_id = put_image(1)
    first = share(api, image_id)
    second = share(api, image_id)
    assert [api.send("GET", path).status for path in (first, second)] == [404, 302]
    for _ in range(2):
        assert api.send("DELETE", f"/images/{image_id}/share").status == 204
    assert api.send("GET", second).status == 404


def test_a_link_ends_with_its_time_or_its_image(api: Any, put_image: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    image_id = put_image(1)
    path = share(api, image_id, hours=1)
    now = time.time()
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: now + 3601)
        assert api.send("GET", path).status == 404
    assert api.send("GET", path).status == 302
    api.send("DELETE", f"/images/{image_id}")
    assert api.send("GET", path).status == 404


def test_a_guess_learns_nothing(api: Any, put_image: Any) -> None:
    image_id = put_image(1)
    path = share(api, image_id)
    wrong = [f"/shared/{image_id}{'0' * 32}", f"/shared/{'0' * 64}", path[:-1] + ("0" if path[-1] != "0" else "1")]
    answers = [api.send("GET", guess) for guess in wrong]
    assert {(answer.status, answer.text) for answer in answers} == {(404, answers[0].text)}


def test_the_table_holds_no_link(api: Any, put_image: Any) -> None:
    path = share(api, put_image(1))
    items = DYNAMODB.scan(TableName=SETTINGS.state_table)["Items"]
    assert path[-32:] not in str(items)


def test_only_an_image_that_is_shown_can_be_shared(api: Any, put_image: Any) -> None:
    assert api.send("POST", f"/images/{'0' * 32}/share", body={}).status == 404
    path = share(api, put_image(1, "REJECTED"))
    assert api.send("GET", path).status == 404


@pytest.mark.parametrize("body", [{"hours": 0}, {"hours": 169}, {"hours": "1"}, {"original": 1}, {"forever": True}])
def test_wrong_share_requests_are_refused(api: Any, put_image: Any, body: dict[str, Any]) -> None:
    assert api.send("POST", f"/images/{put_image(1)}/share", body=body).status == 422
