"""How much of an object is read before it is refused."""

import io
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.response import StreamingBody

from thumbnailer.limits import Limits
from thumbnailer.rejections import Rejection
from thumbnailer.storage import Storage

MB = 1024 * 1024


class S3:
    """One object, and how many of its bytes were `read`."""

    def __init__(self, data: bytes) -> None:
        self.read = 0
        self._data = data

    def get_object(self, **_: Any) -> dict[str, Any]:
        """As boto3's."""
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
        }


@pytest.mark.parametrize(("data", "reason"), [(bytes(101 * MB), "too_large"), (b"RIFF....AVI " + bytes(20 * MB), "unsupported_format")])
def test_a_large_object_is_refused_before_it_is_downloaded(data: bytes, reason: str) -> None:
    """By its length, or by its first bytes."""
    s3 = S3(data)
    with pytest.raises(Rejection) as refused:
        Storage(s3, "thumbnails").fetch("uploads", "film.jpg", None, Limits())
    assert refused.value.code == reason
    assert s3.read < 64 * 1024


@pytest.mark.parametrize("length", [100, 20 * MB])
def test_a_picture_is_read_whole(length: int) -> None:
    """Whether or not its first bytes were looked at before."""
    data = b"\xff\xd8\xff" + bytes(length)
    assert Storage(S3(data), "thumbnails").fetch("uploads", "photo.jpg", None, Limits()).data == data
