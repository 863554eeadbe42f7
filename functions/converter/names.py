"""Build names of columns, datasets and partitions that Athena and Glue accept."""

import hashlib
import re
import unicodedata

from converter.kinds import Kinds
from converter.rejections import Rejection

PARTITION = "dt"
# Glue accepts 255 bytes per column name: https://docs.aws.amazon.com/glue/latest/webapi/API_Column.html
_MAX_LENGTH = 200


def identifier(text: str, kind: str) -> str:
    """Return `text` in lower case, with only letters, digits and underscores, not starting with a digit.

    Accents are dropped, and punctuation becomes "_". If other characters are lost, a hash of `text` is appended, so
    that different texts get different names: "total_94ce3d46", or "<kind>_94ce3d46" if nothing remains. A blank text
    becomes `kind`.
    """
    if not text.strip():
        return kind
    characters, is_lossy = [], False
    for character in unicodedata.normalize("NFKD", text).casefold():
        category = unicodedata.category(character)
        if character.isascii() or category[0] in "PZ":
            characters.append(character)
        elif category[0] != "M" and category != "Cf":
            is_lossy = True
    name = re.sub(r"[^a-z0-9]+", "_", "".join(characters)).strip("_")
    if is_lossy or not name or len(name) > _MAX_LENGTH:
        name = _tagged(name[:_MAX_LENGTH] or kind, text)
    return f"n{name}" if name[0].isdigit() else name


def _tagged(name: str, text: str) -> str:
    return f"{name}_{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


class Columns:
    """The columns of a file in the order of their appearance.

    `sources[i]` is the name of column i in the file, as valid text. `kinds[i]` counts its JSON values by kind.
    `indexes` maps each name to its position.
    """

    def __init__(self, limit: int, header: list[str] | None = None) -> None:
        """`header` contains the names of the first columns. Raises Rejection (too_many_columns)."""
        self.sources: list[str] = []
        self.kinds: list[Kinds] = []
        self._limit = limit
        self._texts: list[str] = []
        self.indexes: dict[str, int] = {}
        for source in header or []:
            self._add(source)

    def __len__(self) -> int:
        """Return the number of columns."""
        return len(self.sources)

    def __contains__(self, source: str) -> bool:
        """Return whether there is a column `source`."""
        return source in self.indexes

    def index(self, source: str) -> int:
        """Return the position of the column `source`; a new column is added. Raises Rejection (too_many_columns)."""
        index = self.indexes.get(source)
        return self._add(source) if index is None else index

    def names(self) -> list[str]:
        """Return a unique Parquet name for each column. Call this when all columns are known.

        If different sources would get the same name, each gets a hash, except for a source that equals the name. So a
        name does not depend on the column's position. Only columns without a name, or with equal sources, are numbered.
        """
        bases = [self._base(index, text) for index, text in enumerate(self._texts)]
        sharing: dict[str, set[str]] = {}
        for base, text in zip(bases, self._texts, strict=True):
            sharing.setdefault(base, set()).add(text)
        names = [
            base if len(sharing[base]) == 1 or text == base else _tagged(base, text)
            for base, text in zip(bases, self._texts, strict=True)
        ]
        taken, reserved = set[str](), set(names)
        for index, base in enumerate(names):
            name, number = base, 1
            while name in taken or (number > 1 and name in reserved):
                number += 1
                name = f"{base}_{number}"
            taken.add(name)
            names[index] = name
        return names

    @staticmethod
    def _base(index: int, text: str) -> str:
        name = identifier(text, "column") if text.strip() else f"column{index + 1}"
        # Athena refuses a column that is also a partition.
        return f"{name}_2" if name == PARTITION else name

    def _add(self, source: str) -> int:
        index = len(self)
        if index >= self._limit:
            raise Rejection("too_many_columns", f"The limit is {self._limit:,}.")
        self.indexes.setdefault(source, index)
        self._texts.append(source)
        self.kinds.append(Kinds())
        self.sources.append(source[:_MAX_LENGTH].encode("utf-8", "replace").decode())
        return index
