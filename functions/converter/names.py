"""Names that Athena and Glue accept: of columns, datasets and partitions."""

import re
import unicodedata

from converter.rejections import Rejection

PARTITION = "dt"
# Glue: 255 bytes a column name, https://docs.aws.amazon.com/glue/latest/webapi/API_Column.html
_MAX_LENGTH = 200


def identifier(text: str, default: str) -> str:
    """`text` in lower case, letters, digits and underscores only, not starting with a digit; `default` if nothing remains."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:_MAX_LENGTH] or default
    return f"n{name}" if name[0].isdigit() else name


class Columns:
    """The columns of a file in the order of their appearance, each with a unique name.

    `names[i]` is the Parquet name of the column that the source calls `sources[i]`.
    """

    def __init__(self, limit: int, header: list[str] | None = None) -> None:
        """`header` gives the first columns. Raises Rejection (too_many_columns)."""
        self.names: list[str] = []
        self.sources: list[str] = []
        self._limit = limit
        self._indexes: dict[str, int] = {}
        # Athena refuses a column that is also a partition.
        self._taken = {PARTITION}
        for source in header or []:
            self._add(source)

    def __len__(self) -> int:
        """How many columns there are."""
        return len(self.names)

    def index(self, source: str) -> int:
        """The position of the column called `source`, added if it is new. Raises Rejection (too_many_columns)."""
        index = self._indexes.get(source)
        return self._add(source) if index is None else index

    def _add(self, source: str) -> int:
        index = len(self.names)
        if index >= self._limit:
            raise Rejection("too_many_columns", f"The limit is {self._limit:,}.")
        base = identifier(source, f"column{index + 1}")
        name, suffix = base, 1
        while name in self._taken:
            suffix += 1
            name = f"{base}_{suffix}"
        self._taken.add(name)
        self._indexes.setdefault(source, index)
        self.names.append(name)
        self.sources.append(source[:_MAX_LENGTH])
        return index
