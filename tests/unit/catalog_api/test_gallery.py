"""The page at `/`: public files, caching, and the Content-Security-Policy."""

import io
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from catalog_api import gallery_page, icons
from catalog_api.handler import api_of, respond
from catalog_api.settings import Settings
from catalog_api.uploads import EXTENSIONS, accepted_types
from shared.settings import SettingsError

from .conftest import DEPLOYED, DYNAMODB, S3, Api, Context

PAGE = Path(gallery_page.__file__).parent / "gallery"
FILES = sorted(path.name for path in PAGE.iterdir())


def test_the_page_links_only_to_its_own_files_by_their_digest(api: Any) -> None:
    answer = api.send("GET", "/", check=False)
    assert (answer.status, answer.headers["content-type"], answer.headers["cache-control"]) == (
        200,
        "text/html; charset=utf-8",
        "no-cache",
    )
    addresses = re.findall(r'(?:src|href)="([^"#]+)"', answer.text)
    assert addresses
    for address in addresses:
        assert address.startswith(f"page/{gallery_page.version()}/")
        file = api.send("GET", f"/{address}", check=False)
        assert (file.status, file.headers["cache-control"]) == (200, "public, max-age=31536000, immutable")


def test_files_of_another_version_are_not_cached(api: Any) -> None:
    answer = api.send("GET", "/page/000000000000/main.js", check=False)
    assert (answer.status, answer.headers["cache-control"]) == (200, "no-store")


@pytest.mark.parametrize("name", FILES)
def test_every_file_is_served_unchanged_and_names_no_other_origin(api: Any, name: str) -> None:
    answer = api.send("GET", f"/page/any/{name}", check=False)
    assert (answer.status, answer.text) == (200, (PAGE / name).read_text(encoding="utf-8"))
    assert set(re.findall(r"https?://[^\s'\")]+", answer.text)) <= {"http://www.w3.org/2000/svg", "https://blurha.sh"}
    for imported in re.findall(r"^import .*?from '\./(.+?)';", answer.text, re.MULTILINE):
        assert imported in FILES


def test_each_module_loads_after_its_imports() -> None:
    order = re.findall(r"'([\w.]+)'", (PAGE / "start.js").read_text().partition("[")[2].partition("]")[0])
    assert {f"{name}.js" for name in order} == {name for name in FILES if name.endswith(".js")} - {"start.js"}
    for position, name in enumerate(order):
        imported = re.findall(r"from '\./(.+?)\.js'", (PAGE / f"{name}.js").read_text())
        assert set(imported) <= set(order[:position])


def test_the_icons_of_home_screens_are_pictures_of_their_sizes(api: Any) -> None:
    manifest = api.send("GET", "/page/x/manifest.webmanifest", check=False).json
    sizes = {icon["src"]: icon["sizes"] for icon in manifest["icons"]} | {"apple-touch-icon.png": "180x180"}
    full_bleed = {icon["src"] for icon in manifest["icons"] if icon["purpose"] == "maskable"} | {"apple-touch-icon.png"}
    assert sizes.pop("icon.svg") == "any"
    assert set(sizes) == set(icons.PICTURES)
    assert full_bleed == {name for name, (_, is_full_bleed) in icons.PICTURES.items() if is_full_bleed}
    for name, size in sizes.items():
        for by in ("rest", "alb"):
            answer = api.send("GET", f"/page/{gallery_page.version()}/{name}", by=by, check=False)
            assert (answer.status, answer.headers["content-type"]) == (200, "image/png")
            assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        picture = Image.open(io.BytesIO(answer.content))
        assert (f"{picture.width}x{picture.height}", picture.mode) == (size, "RGBA")
        # The corners are transparent, except in icons that the system crops.
        assert {picture.getpixel((0, 0))} == ({(47, 93, 80, 255)} if name in full_bleed else {(0, 0, 0, 0)})
        # At the crossing of the lines, the vertical line is on top.
        crossing = (picture.width * 12 // 32, picture.width * 10 // 32)
        assert picture.getpixel(crossing) == (224, 164, 88, 255)


@pytest.mark.parametrize(
    "path", ["/page", "/page/x", "/page/x/../settings.py", "/page/x/%2e%2e", "/page/x/nothing.js", "/page/x/y/main.js"]
)
def test_other_paths_are_not_found(api: Any, path: str) -> None:
    assert api.send("GET", path, check=False).status == 404


def test_the_policy_allows_only_the_page_and_the_buckets(api: Any) -> None:
    policy = api.send("GET", "/", check=False).headers["content-security-policy"]
    directives = {name: set(sources) for name, *sources in (part.split() for part in policy.split(";"))}
    assert directives["default-src"] == {"'none'"}
    assert directives["script-src"] == directives["style-src"] == {"'self'"}
    assert directives["connect-src"] == {"'self'", "https://uploads.s3.amazonaws.com"}
    originals = "https://uploads.s3.amazonaws.com"
    assert directives["img-src"] == {"'self'", "blob:", "https://thumbnails.s3.amazonaws.com", originals}
    assert directives["manifest-src"] == {"'self'"}
    assert directives["base-uri"] == directives["form-action"] == directives["frame-ancestors"] == {"'none'"}


@pytest.mark.parametrize(("by", "auth"), [("rest", "api_key"), ("alb", "none"), ("alb-multi-value", "none")])
def test_the_configuration_names_the_authentication(api: Any, by: str, auth: str) -> None:
    answer = api.send("GET", "/page/x/config.json", by=by, check=False)
    assert (answer.status, answer.headers["cache-control"]) == (200, "no-cache")
    assert (answer.json["auth"], answer.json["cognito"], answer.json["types"][".jpg"]) == (auth, None, "image/jpeg")


NAMES = {
    "uploads_bucket": "uploads",
    "thumbnails_bucket": "thumbnails",
    "catalog_table": "catalog",
    "state_table": "state",
}


def test_the_page_and_the_api_offer_only_accepted_formats(aws: None) -> None:
    api = Api(api_of(Settings(**NAMES, accepted_formats=("heic", "png")), DYNAMODB, S3))
    types = api.send("GET", "/page/x/config.json", check=False).json["types"]
    assert types == {".png": "image/png", ".heic": "image/heic", ".heif": "image/heif", ".hif": "image/heif"}
    upload = {"filename": "sunset.jpg", "content_type": "image/png", "bytes": 2_500_000}
    assert api.send("POST", "/uploads", body=upload).status == 201
    refused = api.send("POST", "/uploads", body=upload | {"content_type": "image/jpeg"})
    assert (refused.status, refused.json["errors"]) == (
        422,
        [{"detail": "Input should be one of image/png, image/heic, image/heif", "pointer": "#/content_type"}],
    )


def test_every_format_of_the_thumbnailer_can_be_uploaded() -> None:
    from thumbnailer.imaging.limits import FORMATS  # noqa: PLC0415 - the formats that the types must cover

    assert accepted_types(FORMATS) == accepted_types(()) == list(EXTENSIONS)
    assert all(accepted_types([name]) for name in FORMATS)
    assert sorted(name for each in FORMATS for name in accepted_types([each])) == sorted(EXTENSIONS)


def test_the_page_may_call_the_sign_in_pages_of_cognito(aws: None) -> None:
    settings = Settings(
        **NAMES, auth="cognito", cognito_domain="https://photos.auth.example.com", cognito_client_id="abc"
    )
    api = Api(api_of(settings, DYNAMODB, S3))
    assert api.send("GET", "/page/x/config.json", check=False).json["cognito"] == {
        "domain": "https://photos.auth.example.com",
        "client_id": "abc",
    }
    assert "https://photos.auth.example.com;" in api.send("GET", "/", check=False).headers["content-security-policy"]
    with pytest.raises(SettingsError):
        Settings(**NAMES, auth="cognito", cognito_domain="https://photos.auth.example.com")


def _text_names(language: str) -> list[set[str]]:
    """Return four sets of names: of general texts, of reasons, of short reasons and of next steps."""
    texts = (PAGE / f"texts.{language}.js").read_text(encoding="utf-8")
    sections = re.split(r"\b(?:reasons|reasonNames|nextSteps): \{", texts)
    return [set(re.findall(r"^\s*(\w+): ", section, re.MULTILINE)) for section in sections]


def test_english_and_korean_have_the_same_texts() -> None:
    from thumbnailer.imaging.rejections import REASONS  # noqa: PLC0415 - the codes that the texts must cover

    english, korean = _text_names("en"), _text_names("ko")
    assert english[0] == korean[0]
    assert korean[1] == set(REASONS)
    assert english[2] == korean[2] == english[3] == korean[3] == set(REASONS)


def test_every_text_is_used_and_every_used_text_exists() -> None:
    names = _text_names("en")[0]
    files = [
        PAGE / name
        for name in FILES
        if name.endswith((".js", ".html")) and not name.startswith(("texts.en", "texts.ko"))
    ]
    code = "".join(path.read_text(encoding="utf-8") for path in files)
    assert [name for name in sorted(names) if not re.search(rf"['\"]{name}['\"]", code)] == []
    used = re.findall(r"\bt\('(\w+)'|data-(?:text|label)=\"(\w+)\"", code)
    assert {name for pair in used for name in pair if name} <= names


def test_an_address_without_its_last_slash_redirects_to_the_page(aws: None) -> None:
    event = {
        "httpMethod": "GET",
        "path": "/",
        "headers": {},
        "multiValueHeaders": {},
        "requestContext": {"path": "/v1", "requestId": "r"},
    }
    answer = respond(DEPLOYED, event, Context(9000))
    assert (answer["statusCode"], answer["multiValueHeaders"]["Location"]) == (308, ["v1/"])
