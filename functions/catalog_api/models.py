"""Models of requests and responses. A request with a missing, wrong or unknown field is refused."""

import re
from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from catalog_api.settings import SETTINGS
from shared import offsets

Status = Literal["READY", "REJECTED"]
ContentType = Literal[
    "image/jpeg",
    "image/png",
    "image/gif",
    "image/webp",
    "image/tiff",
    "image/bmp",
    "image/avif",
    "image/heic",
    "image/heif",
]


def _day(value: object) -> date:
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
        raise ValueError("Input should be a day as YYYY-MM-DD")
    return date.fromisoformat(value)


# JSON Schema accepts 24.0 as an integer, so the models accept it too.
WholeNumber = Annotated[
    int, BeforeValidator(lambda value: int(value) if isinstance(value, float) and value.is_integer() else value)
]
# Pydantic's strict mode would refuse a date as JSON text, and lax mode would also accept numbers.
Day = Annotated[date, BeforeValidator(_day)]
Timestamp = Annotated[str, Field(description="ISO 8601, UTC", examples=["2026-11-23T09:30:00.000Z"])]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class UploadRequest(_Request):
    """A file that a client wants to upload."""

    filename: str = Field(
        min_length=1, max_length=255, description="The file's name; any characters", examples=["sunset.jpg"]
    )
    content_type: ContentType = Field(description="The file's media type", examples=["image/jpeg"])
    bytes: WholeNumber = Field(
        ge=1, le=SETTINGS.max_upload_bytes, description="The file's exact size", examples=[2_500_000]
    )
    sha256: str | None = Field(
        None,
        pattern="^[0-9a-f]{64}$",
        description="The SHA-256 of the file, in lower case. With it, the request is refused (409) if an image with "
        "the same bytes is there already",
    )
    utc_offset: str | None = Field(
        None,
        pattern=offsets.PATTERN,
        description="The offset from UTC of the uploader's clock. A photo without a capture time is listed by it",
        examples=["+09:00"],
    )


class ImageIds(_Request):
    """The images of a request about many at once."""

    image_ids: list[Annotated[str, Field(pattern="^[0-9a-f]{32}$")]] = Field(
        min_length=1, max_length=100, description="Their ids, at most 100"
    )


class RestoreIds(_Request):
    """The images to restore at once. Each is a copy in S3, so there are fewer."""

    image_ids: list[Annotated[str, Field(pattern="^[0-9a-f]{32}$")]] = Field(
        min_length=1, max_length=50, description="Their ids, at most 50"
    )


class ShareRequest(_Request):
    """What a link shows, and for how long."""

    hours: WholeNumber = Field(24, ge=1, le=168, description="How long the link works")
    original: bool = Field(
        default=False,
        description="Whether the link downloads the original with its metadata, such as the place. Otherwise it shows "
        "the largest thumbnail, which has none",
    )


class ReportRequest(_Request):
    """A range of days to count over."""

    first_day: Day = Field(description="In UTC", examples=["2026-11-01"])
    days: WholeNumber = Field(ge=1, le=31, description="How many days, the first one included", examples=[7])


class Thumbnail(BaseModel):
    """A smaller version of an image, ready to show."""

    url: str = Field(description="Presigned; expires")
    width: int
    height: int
    bytes: int | None = None
    content_type: str | None = None


class Image(BaseModel):
    """An image of the catalog. Unknown fields are null."""

    image_id: str
    status: Status
    filename: str = Field(description="As its owner named it")
    uploaded_at: Timestamp
    processed_at: Timestamp | None = None
    reason: str | None = Field(None, description="REJECTED only: the reason as a code", examples=["corrupt"])
    reason_text: str | None = Field(None, description="REJECTED only: the reason as an English sentence")
    bytes: int | None = None
    format: str | None = Field(None, examples=["JPEG"])
    width: int | None = None
    height: int | None = None
    sha256: str | None = None
    captured_at: str | None = Field(None, description="As the camera wrote it, with its offset from UTC if it knew it")
    taken_at: str = Field(
        description="The local time by which images are sorted: of the capture, or else the minute of the upload, by "
        "the uploader's clock if `utc_offset` is known. It is the same in every time zone",
        examples=["2026-06-15T10:30:00"],
    )
    taken_from: Literal["camera", "upload"] = Field(description="Where `taken_at` comes from")
    utc_offset: str | None = Field(
        None, description="The offset from UTC of `taken_at`: the camera's or the uploader's", examples=["+02:00"]
    )
    camera: str | None = None
    dominant_color: str | None = Field(None, examples=["#a0c4ff"])
    blurhash: str | None = None
    thumbnails: dict[str, Thumbnail] = Field(default_factory=dict, description="Keyed by the longest side in pixels")


class Duplicate(BaseModel):
    """Another image with the same bytes."""

    image_id: str
    filename: str
    uploaded_at: Timestamp


class ImageDetail(Image):
    """An image with a link to its original."""

    original_url: str = Field(description="Presigned; expires; downloads the uploaded file")
    urls_expire_in_s: int = Field(description="How long the link to the original works")
    duplicates: list[Duplicate] = Field(description="Other images with the same bytes, at most ten")


class ImagePage(BaseModel):
    """Images, newest first, and the cursor of the next page."""

    images: list[Image]
    next_cursor: str | None = Field(description="Pass as `cursor` for the next page; null on the last one")
    order: Literal["taken", "added"] = Field(
        description="The order of the images. It is `added` until an upgrade has indexed the dates, also for `taken`"
    )


class MonthCount(BaseModel):
    """A month in which images were taken."""

    month: str = Field(examples=["2026-06"])
    images: int | None = Field(description="Null if they were not counted")


class ValueCount(BaseModel):
    """A value of a filter, and how many images have it."""

    value: str
    images: int


class Summary(BaseModel):
    """What there is to choose from: months, newest first, and values of the filters, the most frequent first."""

    images: int = Field(description="How many were counted")
    complete: bool = Field(description="False if there are more than were counted. All months are listed in any case")
    months: list[MonthCount]
    cameras: list[ValueCount]
    formats: list[ValueCount]
    reasons: list[ValueCount]


class DeletedImage(BaseModel):
    """A deleted image that can be restored. It has no thumbnails any more."""

    image_id: str
    filename: str
    deleted_at: Timestamp
    restorable_until: Timestamp
    captured_at: str | None = None
    bytes: int | None = None
    format: str | None = None
    width: int | None = None
    height: int | None = None
    dominant_color: str | None = None
    blurhash: str | None = None
    original_url: str = Field(description="Presigned; expires; downloads the deleted file")


class DeletedPage(BaseModel):
    """Deleted images, the last deletion first, and the cursor of the next page."""

    images: list[DeletedImage]
    next_cursor: str | None = Field(description="Pass as `cursor` for the next page; null on the last one")


class Upload(BaseModel):
    """The upload to send: a `multipart/form-data` POST of `fields`, with the file last, as `file`."""

    image_id: str = Field(description="The id of the image after processing")
    url: str
    fields: dict[str, str]
    expires_in_s: int


class Deletion(BaseModel):
    """The original is deleted. The thumbnails and the catalog item are deleted within seconds."""

    image_id: str
    status: Literal["DELETING"] = "DELETING"


class BatchDeletionEntry(BaseModel):
    """What became of one image."""

    image_id: str
    status: Literal["DELETING", "MISSING"]


class BatchDeletion(BaseModel):
    """The originals are deleted. Thumbnails and items are deleted within seconds. In the order of the request."""

    images: list[BatchDeletionEntry]


class Restoration(BaseModel):
    """The original is there again. The image is listed again within seconds, when it is processed."""

    image_id: str
    status: Literal["RESTORING"] = "RESTORING"


class BatchRestorationEntry(BaseModel):
    """What became of one image. BUSY: time ran out, so send it again."""

    image_id: str
    status: Literal["RESTORING", "MISSING", "BUSY"]


class BatchRestoration(BaseModel):
    """The originals that are there again, in the order of the request."""

    images: list[BatchRestorationEntry]


class Share(BaseModel):
    """A link that shows one image without a key, until it expires or is replaced."""

    path: str = Field(description="Relative to the root of this API", examples=["shared/0f34..."])
    expires_at: Timestamp


class ReportRow(BaseModel):
    """One status and format of a report."""

    status: str
    format: str
    images: int
    bytes: int


class Report(BaseModel):
    """The number and bytes of images, by status and format, uploaded in a range of days."""

    report_id: str
    first_day: date
    last_day: date
    created_at: Timestamp
    complete: bool = Field(description="False if the range held more images than one report counts")
    rows: list[ReportRow]


class Health(BaseModel):
    """The service answers."""

    status: Literal["ok"] = "ok"


class ProblemError(BaseModel):
    """One mistake in a request."""

    detail: str
    pointer: str | None = Field(None, description="JSON pointer into the body")
    parameter: str | None = Field(None, description="Name of the path or query parameter")


class ProblemDocument(BaseModel):
    """An error as in RFC 9457. Errors from API Gateway itself have neither status nor detail."""

    type: str
    title: str
    request_id: str
    status: int | None = None
    detail: str | None = None
    errors: list[ProblemError] | None = None
    image_id: str | None = Field(None, description="already-there only: the image with the same bytes")
