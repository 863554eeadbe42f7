"""Each hostile object or key in the deployed pipeline gets its own item, and nothing is written elsewhere."""

import string
from pathlib import Path

import pytest

from eventloom.clouds import client
from tests.integration.photos import photo
from tests.integration.support import Deployment, eventually, unique

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html: up to 1,024 bytes of UTF-8
LONGEST = 1024
KEYS = {
    "longest": "k" * (LONGEST - 13),
    "longest in many bytes": "寫" * ((LONGEST - 13) // 3),
    "every printable character": string.printable.strip(),
    "up and away": "../../../../etc/passwd",
    "dots": "a/../b/./..",
    "slashes": "//a///b",
}
# AWS advises against these characters, but allows them.
CONTROL_CHARACTERS = [chr(code) for code in (*range(1, 32), 127)] + ["\u0085", "\u2028", "\u202e", "\ufffe"]


def test_every_legal_key_has_its_own_thumbnails(deployment: Deployment) -> None:
    versions = {
        name: (key := f"{unique('')[:9]}{text}.jpg", deployment.put(key, photo(64, 48))) for name, text in KEYS.items()
    }
    for name, (key, version) in versions.items():
        item = deployment.wait_for(key, version_id=version, timeout_s=90)
        assert (item["status"], item["key"]) == ("READY", key), name
        assert deployment.thumbnails(key) == sorted(thumbnail["key"] for thumbnail in item["thumbnails"].values()), name
        assert all(thumbnail["key"].startswith(item["image_id"] + "/") for thumbnail in item["thumbnails"].values()), (
            name
        )


def test_keys_with_control_characters_have_their_own_thumbnails(deployment: Deployment) -> None:
    """Upload one key with all control characters, and one that ends with a line break.

    The test removes both: an XML listing can't contain them unencoded, and Terraform empties buckets by such a listing.
    """
    name = unique("control")
    versions = {
        key: deployment.put(key, photo(64, 48)) for key in (f"{name}{''.join(CONTROL_CHARACTERS)}.jpg", f"{name}\n")
    }
    try:
        for key, version in versions.items():
            item = deployment.wait_for(key, version_id=version, timeout_s=90)
            assert (item["status"], item["key"]) == ("READY", key)
            assert len(deployment.thumbnails(key)) == len(item["thumbnails"])
    finally:
        for key, version in versions.items():
            client("s3").delete_object(Bucket=deployment["uploads_bucket"], Key=key, VersionId=version)
    for key in versions:
        deployment.wait_for(key, status="DELETED", timeout_s=90)
        eventually(lambda key=key: not deployment.thumbnails(key), "no thumbnails")


@pytest.mark.needs("iam_enforcement")
def test_half_a_gigabyte_is_rejected_without_reading_it(deployment: Deployment, tmp_path: Path) -> None:
    """The event contains the size, so the function rejects the object even without permission to read it."""
    key, file = unique("huge.jpg"), tmp_path / "huge.jpg"
    with file.open("wb") as sparse:
        sparse.write(photo(64, 48))
        sparse.truncate(500_000_000)
    with deployment.outage("thumbnailer", "s3:GetObject*"):
        client("s3").upload_file(str(file), deployment["uploads_bucket"], key)
        item = deployment.wait_for(key, status="REJECTED", timeout_s=120)
    assert (item["reason"], item["bytes"]) == ("too_large", 500_000_000)
    client("s3").delete_object(Bucket=deployment["uploads_bucket"], Key=key, VersionId=item["version_id"])
    deployment.wait_for(key, status="DELETED")
