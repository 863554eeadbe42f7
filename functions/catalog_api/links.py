"""Create presigned links that stay the same for a while, so that browsers can cache the objects.

Time is divided into windows. The signing time of a link is the beginning of the current window, and the link expires
some time after the window's end. All links of a window with the same credentials are equal. They use AWS Signature
Version 4 with query parameters:
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
"""

import hashlib
import hmac
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlsplit

_ALGORITHM = "AWS4-HMAC-SHA256"


class Links:
    """The presigned links for GET requests of the objects in a bucket."""

    def __init__(  # noqa: PLR0913, PLR0917 - what is signed, with what, for how long
        self,
        s3: Any,
        bucket: str,
        credentials: Callable[[], Any],
        window_s: int,
        expiry_s: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`s3` determines the bucket's address. `credentials` returns botocore's frozen credentials.

        A link is valid for at least `expiry_s` seconds, and for at most `window_s` seconds more.
        """
        self._s3 = s3
        self._bucket = bucket
        self._credentials = credentials
        self._window_s = window_s
        self._expiry_s = expiry_s
        self._clock = clock

    @property
    def window(self) -> int:
        """Return the time at which the current window began, in seconds since 1970."""
        return int(self._clock()) // self._window_s * self._window_s

    def url(self, key: str) -> str:
        """Return the link to an object."""
        credentials = self._credentials()
        signed_at = datetime.fromtimestamp(self.window, UTC).strftime("%Y%m%dT%H%M%SZ")
        scope = f"{signed_at[:8]}/{self._region}/s3/aws4_request"
        parameters = {
            "X-Amz-Algorithm": _ALGORITHM,
            "X-Amz-Credential": f"{credentials.access_key}/{scope}",
            "X-Amz-Date": signed_at,
            "X-Amz-Expires": str(self._window_s + self._expiry_s),
            "X-Amz-SignedHeaders": "host",
        }
        if credentials.token:
            parameters["X-Amz-Security-Token"] = credentials.token
        query = "&".join(f"{name}={quote(value, safe='-_.~')}" for name, value in sorted(parameters.items()))
        path = f"{self._base.path}/{quote(key, safe='/-_.~')}"
        request = "\n".join(["GET", path, query, f"host:{self._base.netloc}", "", "host", "UNSIGNED-PAYLOAD"])
        text = "\n".join([_ALGORITHM, signed_at, scope, hashlib.sha256(request.encode()).hexdigest()])
        signature = hmac.new(self._key(credentials.secret_key, scope), text.encode(), hashlib.sha256).hexdigest()
        return f"{self._base.scheme}://{self._base.netloc}{path}?{query}&X-Amz-Signature={signature}"

    @staticmethod
    def _key(secret: str, scope: str) -> bytes:
        key = f"AWS4{secret}".encode()
        for part in scope.split("/"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        return key

    @property
    def _region(self) -> str:
        return str(self._s3.meta.region_name)

    @cached_property
    def _base(self) -> Any:
        """Return the bucket's address as botocore uses it, without a slash at its end."""
        url = self._s3.generate_presigned_url("get_object", Params={"Bucket": self._bucket, "Key": "x"})
        parts = urlsplit(url)
        return parts._replace(path=parts.path.removesuffix("/x"))
