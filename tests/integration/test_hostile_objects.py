"""Keys made to hurt, through the deployed whole: each ends with its own item, and nothing leaves its place."""

import string

from photos import photo
from support import Deployment, unique

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


def test_every_legal_key_has_its_own_thumbnails(deployment: Deployment) -> None:
    versions = {name: (key := f"{unique('')[:9]}{text}.jpg", deployment.put(key, photo(64, 48))) for name, text in KEYS.items()}
    for name, (key, version) in versions.items():
        item = deployment.wait_for(key, version_id=version, timeout_s=90)
        assert (item["status"], item["key"]) == ("READY", key), name
        assert deployment.thumbnails(key) == sorted(made["key"] for made in item["thumbnails"].values()), name
        assert all(made["key"].startswith(item["image_id"] + "/") for made in item["thumbnails"].values()), name
