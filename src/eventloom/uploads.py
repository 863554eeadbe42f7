"""Upload files to the uploads bucket, and wait for the pipeline's results."""

import mimetypes
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from itertools import batched
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from eventloom import terminal
from eventloom.errors import UserError
from eventloom.sources import Source
from shared import names, offsets
from shared.identity import image_id

SENDERS = 8
TIMEOUT_S = 120.0
# S3 refuses a conditional PUT during another request for the same key. The client must retry:
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
_CONFLICT, _EXISTS = "ConditionalRequestConflict", "PreconditionFailed"
# The maximum number of items in a BatchGetItem request
_BATCH = 100
_NAMED = 5

type Item = dict[str, Any]
type Result = tuple["Upload", Item]


@dataclass(frozen=True)
class Upload:
    """A file that was uploaded, and the version of its object in the uploads bucket."""

    file: Path
    key: str
    image_id: str
    version_id: str


@dataclass(frozen=True)
class Sent:
    """The files that were uploaded, and those that were not because their keys exist in the bucket."""

    uploads: list[Upload]
    existing: list[Source]


def send(s3: Any, bucket: str, source: Source, *, replace: bool, attempts: int = 4) -> Upload | None:
    """Upload one file without loading it into memory. Returns None if its key exists and `replace` is not set."""
    content_type = mimetypes.guess_type(source.file.name)[0] or "application/octet-stream"
    options: dict[str, Any] = {} if replace else {"IfNoneMatch": "*"}
    metadata = {
        names.METADATA: (name := names.clean(source.file.name)) and names.to_metadata(name),
        offsets.METADATA: offsets.of_machine(),
    }
    options["Metadata"] = {key: value for key, value in metadata.items() if value}
    try:
        with source.file.open("rb") as body:
            answer = s3.put_object(Bucket=bucket, Key=source.key, Body=body, ContentType=content_type, **options)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == _EXISTS:
            return None
        if code == _CONFLICT and attempts > 1:
            return send(s3, bucket, source, replace=replace, attempts=attempts - 1)
        raise
    return Upload(source.file, source.key, image_id(bucket, source.key), answer.get("VersionId", ""))


def send_all(s3: Any, bucket: str, sources: Sequence[Source], *, replace: bool) -> Sent:
    """Upload files in parallel, with a progress bar. `s3` is a boto3 client, which threads share.

    After an error or an interruption, uploads in progress are finished, and the remaining files are not sent.
    """
    pool = ThreadPoolExecutor(SENDERS, "upload")
    futures = [pool.submit(partial(send, s3, bucket, source, replace=replace)) for source in sources]
    try:
        with terminal.progress("sending", len(futures), "files") as progress:
            for done, future in enumerate(as_completed(futures), 1):
                future.result()
                progress(done)
    except BaseException:
        pool.shutdown(cancel_futures=True)
        terminal.note(f"{sum(map(_is_sent, futures)):,} of {len(futures):,} files were sent")
        raise
    pool.shutdown()
    answers = [future.result() for future in futures]
    existing = [source for source, upload in zip(sources, answers, strict=True) if upload is None]
    return Sent([upload for upload in answers if upload], existing)


def _is_sent(future: "Future[Upload | None]") -> bool:
    return future.done() and not future.cancelled() and future.exception() is None and future.result() is not None


class NoResult(UserError):
    """Raised when the catalog has no results for the uploads in `missing`."""

    def __init__(self, missing: Sequence[Upload], timeout_s: float) -> None:
        """Take the missing uploads and the timeout. The text names the first uploads."""
        self.missing = missing
        names = ", ".join(terminal.printable(upload.key) for upload in missing[:_NAMED])
        more = f" and {len(missing) - _NAMED:,} more" if len(missing) > _NAMED else ""
        super().__init__(f"no result came within {timeout_s:g} s for {names}{more}")


def wait(
    look: Callable[[Sequence[str]], list[Item]],
    uploads: Sequence[Upload],
    timeout_s: float = TIMEOUT_S,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Result]:
    """Yield each upload with its catalog item as soon as the item is about the uploaded version.

    `look` returns the catalog's items of up to 100 image ids.

    Raises:
        NoResult: no result arrived for `timeout_s` seconds, and some are missing.
    """
    pending = {upload.image_id: upload for upload in uploads}
    end = clock() + timeout_s
    while pending:
        for batch in batched(list(pending), _BATCH, strict=False):
            for item in look(batch):
                upload = pending[item["image_id"]]
                if item.get("version_id") == upload.version_id:
                    del pending[upload.image_id]
                    end = clock() + timeout_s
                    yield upload, item
        if pending and clock() > end:
            raise NoResult([*pending.values()], timeout_s)
        if pending:
            sleep(0.2 + len(pending) / 1000)  # DynamoDB bills every read.
