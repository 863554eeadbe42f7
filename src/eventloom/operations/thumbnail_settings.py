"""Read the deployed thumbnailer's settings, and find catalog items that were processed with other settings."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eventloom.errors import UserError
from shared.thumbnails import content_type

_CONTENT_TYPES = {"jpeg": frozenset({"image/jpeg"}), "webp": frozenset({"image/webp"})}
# Photos of these formats have no transparency, so the format `auto` makes JPEG thumbnails of them.
_OPAQUE = frozenset({"JPEG", "BMP"})
# Reasons for a rejection that may no longer apply: another attempt may succeed after a change of the limits, the memory
# or the storage class.
PASSING_REASONS = frozenset(
    {
        "archived",
        "crashed",
        "out_of_memory",
        "timeout",
        "too_complex",
        "too_large",
        "too_many_frames",
        "too_many_pixels",
    }
)


@dataclass(frozen=True)
class ThumbnailSettings:
    """The current settings of the function: thumbnail sizes, output format, and the maximum file size in bytes."""

    sizes: frozenset[str]
    output_format: str
    max_bytes: int

    def differ(self, item: Mapping[str, Any]) -> bool:
        """Return whether a READY item's thumbnails have other sizes or another format.

        With `auto`, both formats are accepted unless the photo's format has no transparency. An item does not record
        whether its photo is transparent.
        """
        thumbnails = item.get("thumbnails", {})
        content_types = {content_type(thumbnail) for thumbnail in thumbnails.values()}
        return thumbnails.keys() != self.sizes or not content_types <= self._content_types(item)

    def _content_types(self, item: Mapping[str, Any]) -> frozenset[str]:
        if self.output_format == "auto":
            every_type = _CONTENT_TYPES["jpeg"] | _CONTENT_TYPES["webp"]
            return _CONTENT_TYPES["jpeg"] if item.get("format") in _OPAQUE else every_type
        return _CONTENT_TYPES[self.output_format]

    def may_accept(self, item: Mapping[str, Any]) -> bool:
        """Return whether the thumbnailer may accept a REJECTED item's photo now."""
        reason = item.get("reason")
        if reason == "too_large" and item.get("bytes"):
            return bool(item["bytes"] <= self.max_bytes)
        return reason in PASSING_REASONS


def deployed_settings(lambda_: Any, outputs: Mapping[str, Any]) -> ThumbnailSettings:
    """Return the settings of the deployed thumbnailer's live version.

    `lambda_` is a boto3 client. `outputs` are the Terraform outputs.

    Raises:
        UserError: the function is not deployed, or an environment variable is missing or not valid.
    """
    if "thumbnailer" not in outputs["functions"]:
        raise UserError("no function 'thumbnailer' is deployed, so nothing says which thumbnails are right")
    alias = outputs["functions"]["thumbnailer"]["alias_arn"]
    # LocalStack's GetFunctionConfiguration does not support aliases.
    configuration = lambda_.get_function(FunctionName=alias)["Configuration"]
    variables = configuration.get("Environment", {}).get("Variables", {})
    try:
        sizes = frozenset(str(int(size)) for size in variables["THUMBNAIL_SIZES"].split(","))
        output_format, max_bytes = variables["OUTPUT_FORMAT"], int(variables["MAX_BYTES"])
        if output_format not in {*_CONTENT_TYPES, "auto"}:
            raise ValueError(f"OUTPUT_FORMAT={output_format}")
    except (KeyError, ValueError) as error:
        raise UserError(
            f"the deployed thumbnailer has no valid THUMBNAIL_SIZES, OUTPUT_FORMAT and MAX_BYTES ({error}); "
            "set them in terraform/thumbnailer.tf and deploy"
        ) from error
    return ThumbnailSettings(sizes, output_format, max_bytes)
