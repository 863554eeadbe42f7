"""Choose the type of a column from the counts of its values. A type is chosen only if it changes no value."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from converter.kinds import Kinds
from converter.macros import E_CODE, FINITE, FITS, NO_DOUBLE, NO_NUMBER, has_decimals_of_versions, has_mixed_zones

TEXT = "VARCHAR"
# If more values than this don't fit a type, they are not typing errors.
MOST_TYPING_ERRORS = 100
_NUMBERS = frozenset({"BIGINT", "DOUBLE"})


@dataclass
class Counts:
    """The counts of one column.

    `texts` counts the texts that are not empty, and `values` the texts that don't mean "no value". `fits` counts for
    each type the values that fit it. `traits` are the bits of all values' traits (see `macros`).
    """

    texts: int
    values: int
    traits: int
    fits: dict[str, int]
    kinds: Kinds = field(default_factory=Kinds)


def choose(counts: Counts, threshold: float) -> str | None:
    """Return the narrowest of the types that fit the most values, or TEXT.

    Returns TEXT if fewer than the share `threshold` of the values fit, or if every other type would change a value.
    Returns None for a column that has neither values nor JSON strings.
    """
    if not counts.values:
        return TEXT if _strings(counts) else None
    excluded = _excluded(counts)
    fits = {type_: n for type_, n in counts.fits.items() if type_ not in excluded}
    best = max(fits, key=lambda type_: fits[type_], default=TEXT)
    return best if fits.get(best, 0) >= threshold * counts.values else TEXT


def _excluded(counts: Counts) -> set[str]:
    """Return the types that would change a value."""
    excluded: set[str] = set()
    kinds, traits = counts.kinds, counts.traits
    is_json = bool(kinds.texts or kinds.numbers)
    if traits & NO_NUMBER or (not is_json and (traits & E_CODE or has_decimals_of_versions(traits))):
        excluded |= _NUMBERS
    if traits & NO_DOUBLE or not traits & FINITE:
        excluded.add("DOUBLE")
    if has_mixed_zones(traits):
        excluded.add("TIMESTAMP")
    if _strings(counts):
        # A JSON string that looks like a number is text. Other strings among numbers are values that don't fit.
        if not kinds.numbers or counts.fits.get("DOUBLE") != kinds.numbers:
            excluded |= _NUMBERS
        if not kinds.booleans or counts.fits.get("BOOLEAN") != kinds.booleans:
            excluded.add("BOOLEAN")
    return excluded


def exact_fit(type_: str, counts: Counts) -> str:
    """Return the macro that checks whether a value fits a type without a change."""
    if type_ != "DOUBLE":
        return FITS[type_]
    is_json_number = counts.kinds.numbers and counts.kinds.numbers == counts.fits["DOUBLE"]
    return "is_exact_json_double" if is_json_number else "is_exact_double"


def _strings(counts: Counts) -> int:
    """Return the number of JSON strings in a column that are values.

    Among numbers and truth values, words such as NULL mean "no value", as in CSV. In a column of strings they are text.
    """
    missing = counts.texts - counts.values
    return counts.kinds.texts - (missing if counts.kinds.numbers or counts.kinds.booleans else 0)


def is_not_a_typing_error(misfits: Sequence[str]) -> bool:
    """Return whether values that don't fit a type are intended, so that the column must be text.

    They are intended if a value occurs twice, or if two values with digits have the same form, such as "1,100.00" and
    "2,110.00", "c118" and "c204", "(7.25)" and "(12.50)".
    """
    forms = Counter(form for value in misfits if "9" in (form := _form(value)))
    return any(n > 1 for n in (Counter(misfits) | forms).values())


def _form(value: str) -> str:
    return re.sub(r"[^\W\d_]+", "A", re.sub(r"\d+", "9", value))
