"""The page refuses wrong keys, runs no injected scripts, stores little data, and signs in with Cognito."""

import base64
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests
from playwright.sync_api import Error, Page, Route, expect

from eventloom.clouds import ROOT
from tests.browser.views import Open
from tests.integration.checkouts import command
from tests.integration.support import ENVIRONMENT

STORED = """async () => ({
    session: Object.keys(sessionStorage), local: Object.keys(localStorage), cookies: document.cookie,
    databases: (await indexedDB.databases()).length, caches: (await caches.keys()).length,
    workers: (await navigator.serviceWorker.getRegistrations()).length, address: location.search + location.hash,
})"""
NOTHING = {"session": [], "local": [], "cookies": "", "databases": 0, "caches": 0, "workers": 0, "address": ""}


@pytest.mark.parametrize(
    "key", ["not-the-key", "열쇠"], ids=["unknown key", "key with characters that no header can hold"]
)
def test_a_wrong_key_is_refused_with_an_explanation(open_gallery: Open, key: str) -> None:
    gallery = open_gallery()
    page = gallery.page
    page.goto(gallery.address)
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_have_text("This API key is not valid. Check the key and sign in again.")
    expect(page.get_by_label("API key")).to_be_focused()
    expect(page.locator("#gallery")).to_be_hidden()
    assert page.evaluate(STORED) == NOTHING
    gallery.accessible()
    if key.isascii():
        gallery.shot("wrong-key")
        gallery.forgive("status of 403")
    page.get_by_label("API key").fill(gallery.key)
    page.keyboard.press("Enter")
    expect(page.locator("#gallery")).to_be_visible()
    expect(page.get_by_role("alert")).to_be_hidden()


def test_scripts_that_were_injected_do_not_run(open_gallery: Open) -> None:
    gallery = open_gallery()
    page = gallery.page
    served = requests.get(gallery.address, timeout=30)
    policy = {
        name: sources
        for name, *sources in (part.split() for part in served.headers["Content-Security-Policy"].split(";"))
    }
    assert policy["default-src"] == ["'none'"]
    assert policy["script-src"] == policy["style-src"] == ["'self'"]
    assert policy["require-trusted-types-for"] == ["'script'"]

    injected = (
        "<script>window.ran = 1</script><img src=page/x/icon.svg onload='window.ran = 2'><a id=trap "
        "href='javascript:window.ran = 3'>x</a>"
    )
    page.route(
        gallery.address,
        lambda route: route.fulfill(response=route.fetch(), body=served.text.replace("<main", f"{injected}<main")),
    )
    gallery.enter()
    page.locator("#trap").click()
    with pytest.raises(Error, match="TrustedHTML"):
        page.evaluate(
            "document.querySelector('#more').innerHTML = '<img src=page/x/icon.svg onload=\"window.ran = 4\">'"
        )
    with pytest.raises(Error, match="TrustedScript"):
        page.evaluate("() => { window.setTimeout('window.ran = 5', 0); }")
    page.wait_for_timeout(200)
    assert page.evaluate("window.ran ?? 'nothing'") == "nothing"
    gallery.forgive("inline script", "inline event handler", "JavaScript URL", "TrustedHTML", "TrustedScript")


def test_nothing_stays_but_the_session_s_key(open_gallery: Open) -> None:
    gallery = open_gallery()
    page = gallery.page
    page.goto(f"{gallery.address}#key={gallery.key}")
    expect(page.locator("#gallery")).to_be_visible()
    stored = page.evaluate(STORED)
    assert stored == NOTHING | {"session": ["eventloom.key"]}
    page.reload()
    expect(page.locator("#gallery")).to_be_visible()
    assert page.evaluate(STORED) == stored

    # Another tab of the same browser has no key.
    other = page.context.new_page()
    other.goto(gallery.address)
    expect(other.get_by_label("API key")).to_be_focused()
    assert other.evaluate(STORED) == NOTHING

    # The key stays on the device only if the user chooses this, until they sign out.
    other.get_by_label("Remember me on this device").check()
    other.get_by_label("API key").fill(gallery.key)
    other.keyboard.press("Enter")
    expect(other.locator("#gallery")).to_be_visible()
    assert other.evaluate(STORED) == NOTHING | {"local": ["eventloom.key"]}
    third = page.context.new_page()
    third.goto(gallery.address)
    expect(third.locator("#gallery")).to_be_visible()
    third.get_by_role("button", name="Sign out").click()
    expect(third.get_by_label("API key")).to_be_focused()
    assert third.evaluate(STORED) == NOTHING

    # Only the choice of language and theme is stored.
    page.get_by_role("button", name="한국어").click()
    page.get_by_role("button", name="테마 변경").click()
    page.get_by_role("button", name="로그아웃").click()
    expect(page.get_by_label("API 키")).to_be_focused()
    assert page.evaluate(STORED) == NOTHING | {"local": ["eventloom.language", "eventloom.theme"]}


def test_a_key_that_is_added_to_the_address_of_an_open_page_signs_in(open_gallery: Open) -> None:
    gallery = open_gallery()
    page = gallery.page
    page.goto(gallery.address)
    expect(page.get_by_label("API key")).to_be_focused()
    page.goto(f"{gallery.address}#key={gallery.key}")
    expect(page.locator("#gallery")).to_be_visible()
    assert page.evaluate(STORED) == NOTHING | {"session": ["eventloom.key"]}


def test_the_key_in_the_link_of_the_open_command_is_never_part_of_a_requested_url(open_gallery: Open) -> None:
    gallery = open_gallery()
    page = gallery.page
    link = json.loads(command(ROOT, "open", "--env", ENVIRONMENT, "--json"))["url"]
    assert gallery.key in link
    sent: list[str] = []
    page.on("request", lambda request: sent.extend([request.url, request.headers.get("referer", "")]))
    page.goto(link)
    expect(page.locator("#gallery")).to_be_visible()
    assert page.url == gallery.address
    assert sent
    assert [address for address in sent if gallery.key in address] == []
    page.go_back()
    assert gallery.key not in page.url


DOMAIN, CLIENT = "https://photos.auth.example.com", "abc"


@contextmanager
def _with_cognito(page: Page, address: str) -> Iterator[list[str]]:
    """Mock the settings, the user pool and the API of an environment with `api_auth = "cognito"`.

    No free emulator has user pools with sign-in pages. Yield the paths that the page requests from the user pool.
    """
    requested: list[str] = []
    codes: dict[str, str] = {}

    def page_itself(route: Route) -> None:
        served = route.fetch()
        policy = served.headers["content-security-policy"].replace("connect-src 'self'", f"connect-src 'self' {DOMAIN}")
        route.fulfill(response=served, headers=served.headers | {"content-security-policy": policy})

    def settings(route: Route) -> None:
        served = route.fetch()
        route.fulfill(
            response=served,
            json=served.json() | {"auth": "cognito", "cognito": {"domain": DOMAIN, "client_id": CLIENT}},
        )

    def images(route: Route) -> None:
        known = route.request.headers.get("authorization") == "token-of-" + CLIENT
        route.fulfill(
            status=200 if known else 401,
            json={"images": [], "next_cursor": None} if known else {"title": "Unauthorized"},
        )

    def go_to(route: Route, address: str) -> None:
        # Playwright does not mock the target of a redirect.
        route.fulfill(body=f'<meta http-equiv="refresh" content="0;url={escape(address)}">', content_type="text/html")

    def user_pool(route: Route) -> None:
        url = urlsplit(route.request.url)
        query = {name: values[0] for name, values in parse_qs(url.query or route.request.post_data or "").items()}
        requested.append(url.path)
        if url.path == "/oauth2/authorize":
            assert (
                query.items() >= {"response_type": "code", "client_id": CLIENT, "code_challenge_method": "S256"}.items()
            )
            codes["code"] = query["code_challenge"]
            back = urlencode({"code": "code", "state": query["state"]})
            go_to(route, f"{query['redirect_uri']}?{back}")
        elif url.path == "/oauth2/token":
            digest = hashlib.sha256(query["code_verifier"].encode()).digest()
            assert codes.pop(query["code"]) == base64.urlsafe_b64encode(digest).decode().rstrip("=")
            answer = json.dumps({"id_token": "token-of-" + query["client_id"], "token_type": "Bearer"})
            route.fulfill(body=answer, content_type="application/json", headers={"Access-Control-Allow-Origin": "*"})
        else:
            go_to(route, query["logout_uri"])

    page.route(f"{address}?**", page_itself)
    page.route(address, page_itself)
    page.route("**/config.json", settings)
    page.route("**/images?**", images)
    page.route("**/images/summary?**", images)
    page.route("**/images/deleted?**", images)
    page.route(f"{DOMAIN}/**", user_pool)
    yield requested


def test_signing_in_and_out_with_cognito(open_gallery: Open) -> None:
    gallery = open_gallery()
    page = gallery.page
    with _with_cognito(page, gallery.address) as requested:
        page.goto(gallery.address)
        expect(page.get_by_text("Sign in with your account.")).to_be_visible()
        expect(page.get_by_label("API key")).to_be_hidden()
        gallery.accessible()
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_text("No photos yet.")).to_be_visible()
        assert page.evaluate(STORED) == NOTHING | {"session": ["eventloom.token"]}
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_text("Sign in with your account.")).to_be_visible()
        assert page.evaluate(STORED) == NOTHING
        assert requested == ["/oauth2/authorize", "/oauth2/token", "/logout"]

        # This tab did not request the code, and the different state indicates cross-site request forgery.
        page.goto(f"{gallery.address}?code=theirs&state=guessed")
        expect(page.get_by_role("alert")).to_have_text("The sign-in failed. Sign in again.")
        assert requested[-1] == "/logout"
