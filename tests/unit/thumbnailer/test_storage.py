"""The storage reads as little of an object as it needs, and understands the answers of S3."""

import io
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.response import StreamingBody

from thumbnailer.imaging.limits import Limits
from thumbnailer.imaging.rejections import Rejection
from thumbnailer.ordering import Version
from thumbnailer.storage import Description, Storage

MB = 1024 * 1024
ANY = Version(None, None)


class S3:
    """An S3 client with one object that counts the bytes read."""

    def __init__(self, data: bytes, version_id: str | None = None) -> None:
        self.read = 0
        self._data = data
        self._version = {"VersionId": version_id} if version_id else {}

    def get_object(self, **_: Any) -> dict[str, Any]:
        """Answer as boto3 does."""
        s3 = self

        class Body(io.BytesIO):
            def read(self, amount: int | None = -1) -> bytes:
                data = super().read(amount)
                s3.read += len(data)
                return data

        length = len(self._data)
        return {
            "Body": StreamingBody(Body(self._data), length),
            "ContentLength": length,
            "LastModified": datetime.now(UTC),
            "ETag": '"etag"',
            **self._version,
        }


def test_a_large_object_of_a_format_that_is_not_accepted_is_refused_before_it_is_downloaded() -> None:
    s3 = S3(b"BM" + bytes(20 * MB))
    with pytest.raises(Rejection, match=r"^unsupported_format: .* Accepted formats are jpeg, png\.$"):
        Storage(s3, "thumbnails").fetch("uploads", "photo", ANY, Limits(formats=("jpeg", "png")))
    assert s3.read < MB


@pytest.mark.parametrize(
    ("data", "reason"), [(bytes(101 * MB), "too_large"), (b"RIFF....AVI " + bytes(20 * MB), "unsupported_format")]
)
def test_a_large_object_is_refused_before_it_is_downloaded(data: bytes, reason: str) -> None:
    """The object's length or its first bytes decide."""
    s3 = S3(data)
    with pytest.raises(Rejection) as rejection:
        Storage(s3, "thumbnails").fetch("uploads", "film.jpg", ANY, Limits())
    assert rejection.value.code == reason
    assert s3.read < 64 * 1024


@pytest.mark.parametrize("length", [100, 20 * MB])
def test_a_picture_is_read_completely(length: int) -> None:
    """This holds whether or not its first bytes were read before."""
    data = b"\xff\xd8\xff" + bytes(length)
    assert Storage(S3(data), "thumbnails").fetch("uploads", "photo.jpg", ANY, Limits()).data == data


@pytest.mark.parametrize(("version_header", "version_id"), [(None, None), ("null", None), ("v1", "v1")])
def test_the_version_is_the_one_in_events(version_header: str | None, version_id: str | None) -> None:
    """S3 answers "null" for an object that was written while versioning was off."""
    upload = Storage(S3(b"\xff\xd8\xff", version_header), "thumbnails").fetch("uploads", "photo.jpg", ANY, Limits())
    assert upload.version == Version(version_id, "etag")


class Refusing:
    """An S3 client whose HEAD fails with a code. HEAD has no body, so botocore shows the status as the code."""

    def __init__(self, code: str) -> None:
        self._code = code

    def head_object(self, **_: Any) -> Any:
        raise ClientError({"Error": {"Code": self._code, "Message": "no"}}, "HeadObject")


@pytest.mark.parametrize("code", ["400", "403", "404", "405", "412"])
def test_a_description_that_s3_does_not_tell_is_empty(code: str) -> None:
    """An object that is rejected unread is rejected without the permission to read it too."""
    assert Storage(Refusing(code), "thumbnails").description("uploads", "photo", ANY) == Description()


@pytest.mark.parametrize("code", ["500", "503"])
def test_an_error_that_passes_is_raised_for_a_description_too(code: str) -> None:
    with pytest.raises(ClientError):
        Storage(Refusing(code), "thumbnails").description("uploads", "photo", ANY)
