"""The gallery's address has its key in the fragment, which browsers do not send to a server."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from eventloom import catalog, clouds, open_gallery
from eventloom.errors import UserError

OUTPUTS: dict[str, Any] = {
    "api_id": "abc",
    "api_stage": "v1",
    "api_key": "K+/=&ü",
    "gallery_url": "https://gallery.example.com/",
}


@pytest.fixture(autouse=True)
def same_cloud_afterwards() -> Iterator[None]:
    yield
    clouds.choose(None)


@pytest.mark.parametrize("cloud", ["embedded", "aws"])
def test_the_key_is_in_the_fragment_only(cloud: str) -> None:
    clouds.choose(cloud)
    link = urlsplit(catalog.gallery_link(OUTPUTS))
    assert link._replace(fragment="").geturl() == catalog.gallery_url(OUTPUTS)
    assert parse_qs(link.fragment) == {"key": ["K+/=&ü"]}
    assert link.query == ""


def test_an_emulator_serves_the_gallery_at_its_own_endpoint() -> None:
    clouds.choose("embedded")
    assert catalog.gallery_url(OUTPUTS) == f"{clouds.chosen_cloud().endpoint}/_aws/execute-api/abc/v1/"


def test_where_people_sign_in_there_is_no_key() -> None:
    clouds.choose("aws")
    facts = open_gallery.facts("prod", OUTPUTS | {"api_key": None})
    assert facts == {
        "environment": "prod",
        "url": "https://gallery.example.com/",
        "gallery_url": "https://gallery.example.com/",
    }


def test_the_browser_gets_the_address_with_the_key() -> None:
    opened = []

    def opens(link: str) -> bool:
        opened.append(link)
        return True

    open_gallery.show("https://gallery.example.com/#key=k", opens)
    assert opened == ["https://gallery.example.com/#key=k"]


def test_without_a_browser_the_message_says_what_to_do() -> None:
    with pytest.raises(UserError, match="copy the address"):
        open_gallery.show("https://gallery.example.com/", lambda _: False)
