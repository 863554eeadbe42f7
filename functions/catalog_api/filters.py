"""Filter the images of a listing."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared import listing, names

MONTH = "^[0-9]{4}-(0[1-9]|1[0-2])$"
# This character sorts after every key that begins with the month.
_END = "~"
_HYPHENS = re.compile(r"[\s_]+")


@dataclass(frozen=True)
class Filters:
    """The conditions on the images of a listing. An empty condition accepts every image.

    `month` and `until` ("2026-06") select a range of the index by capture time, so other images are not read. The other
    conditions are checked image by image.
    """

    month: str = ""
    until: str = ""
    name: str = ""
    camera: str = ""
    format: str = ""
    reason: str = ""

    @property
    def are_checked(self) -> bool:
        """Return whether there are conditions that must be checked image by image."""
        return bool(self.name or self.camera or self.format or self.reason)

    @property
    def bounds(self) -> tuple[str, str]:
        """Return two strings between which the index keys of the accepted months sort."""
        last = min(month for month in (self.month, self.until, "9999-12") if month)
        return self.month or "0", last + _END

    def accept(self, item: Mapping[str, Any]) -> bool:
        """Return whether an item of the catalog fulfils the conditions. `name` may be a part of the image's name."""
        low, high = self.bounds
        if not low <= listing.moment_of(item) <= high or any(
            value and str(item.get(field) or "") != value
            for field, value in (("camera", self.camera), ("format", self.format), ("reason", self.reason))
        ):
            return False
        filename = str(item.get("filename") or names.of_key(item["key"]))
        return not self.name or _searchable(self.name) in _searchable(filename)


def _searchable(text: str) -> str:
    return _HYPHENS.sub(" ", names.folded(text))
