"""DuckDB macros that say which types fit a value, and which properties of a value exclude a type."""

# The bits of a value's traits. A column has the traits of all its values.
# NO_DOUBLE means that the column cannot be DOUBLE, NO_NUMBER that it cannot be any number type
NO_DOUBLE, NO_NUMBER = 1, 2
# A value such as 12E5, which is a code in CSV and a number in JSON
E_CODE = 4
# With one of these traits, a value that fits DOUBLE would change in a DOUBLE column
NOT_EXACT = NO_DOUBLE | NO_NUMBER | E_CODE
# A number that is not infinite
FINITE = 8
# A number with two or more decimals, the last of which is 0
PADDED = 16
# More than _MOST_DECIMALS decimals, or an exponent
LONG = 32
# A time with an offset from UTC; a date or time without one
ZONED, ZONELESS = 64, 128
# A number with n decimals has this bit shifted left by n
DECIMALS = 256
# Versions that look like numbers have at most this many decimals: 2.10, 20.04, 1.000010. A number with more is not a
# version, because R prints fifteen digits, and some of those end in zeros.
_MOST_DECIMALS = 6

# For each type, the macro that returns whether a value fits it. The types are ordered from narrow to wide: if two types
# fit equally many values, the first one is used.
FITS = {
    "BOOLEAN": "is_boolean",
    "BIGINT": "is_bigint",
    "DOUBLE": "is_double",
    "DATE": "is_date",
    "TIMESTAMP": "is_timestamp",
}

# For each macro that returns traits, the types that these traits can exclude
TRAITS = {"number_traits": {"BIGINT", "DOUBLE"}, "time_traits": {"TIMESTAMP"}}

# In all macros v is a trimmed text in upper case. Those that begin with is_ may return NULL for "no".
MACROS = f"""
-- Casts are too lenient: '1.7' becomes the BIGINT 2. So a value fits only if it is also written the usual way.
CREATE TEMP MACRO is_boolean(v) AS v = 'TRUE' OR v = 'FALSE';
CREATE TEMP MACRO is_bigint(v) AS CAST(try_cast(v AS BIGINT) AS VARCHAR) = v;
CREATE TEMP MACRO is_infinite(v) AS v = 'INF' OR v = '-INF' OR v = 'INFINITY' OR v = '-INFINITY';
CREATE TEMP MACRO is_double(v) AS
    (isfinite(try_cast(v AS DOUBLE)) AND NOT contains(v, '_')) OR is_infinite(v);
-- Python, pandas and Athena read no year beyond 9999.
CREATE TEMP MACRO is_date(v) AS strlen(v) = 10 AND CAST(try_cast(v AS DATE) AS VARCHAR) = v;
-- TIMESTAMP keeps microseconds. Zones reach from -12:00 to +14:00.
CREATE TEMP MACRO is_timestamp(v) AS CASE
    WHEN try_cast(v AS TIMESTAMPTZ) IS NULL THEN false
    ELSE regexp_full_match(v, '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}([T ]([01][0-9]|2[0-3]):[0-9]{{2}}'
        || '(:[0-9]{{2}}([.][0-9]{{1,6}}0{{0,3}})?)?(Z|[+-](0[0-9]|1[0-4])(:?[0-9]{{2}})?)?)?')
    END;

-- The significant digits of a number, and the two ways in which a program prints a DOUBLE: with the fewest digits that
-- identify it, or with as many as v has.
CREATE TEMP MACRO digits(v) AS trim(regexp_replace(split_part(v, 'E', 1), '[^0-9]', '', 'g'), '0');
CREATE TEMP MACRO shortest_double(v) AS upper(CAST(try_cast(v AS DOUBLE) AS VARCHAR));
CREATE TEMP MACRO long_double(v) AS
    upper(printf('%.' || greatest(length(digits(v)) - 1, 0) || 'e', try_cast(v AS DOUBLE)));

-- Postcodes, telephone numbers and account numbers may begin with a 0 before a digit (':' follows '9' in ASCII). Some
-- begin with a '+', which unfit() checks.
CREATE TEMP MACRO is_code(v) AS ltrim(v, '+-') >= '00' AND ltrim(v, '+-') < '0:';
-- Of the programs that print a DOUBLE, only those in Rust write 1e16 without a point and a sign: C, Python and
-- JavaScript write 1e+16, Java 1.0E16.
CREATE TEMP MACRO is_e_code(v) AS contains(v, 'E') AND regexp_full_match(v, '[0-9]+E[0-9]+');

-- Returns 0 if v fits a DOUBLE, {NO_DOUBLE} if a DOUBLE would change its digits, {NO_NUMBER} if it should stay text.
-- A DOUBLE keeps any 15 digits (fewer near 0, hence E-), and the digits that it was printed with. The cheap
-- comparisons come first.
CREATE TEMP MACRO unfit(v) AS CASE
    WHEN is_code(v) THEN {NO_NUMBER}
    WHEN NOT coalesce(isfinite(try_cast(v AS DOUBLE)), false) THEN 0
    WHEN starts_with(v, '+') THEN {NO_NUMBER}
    WHEN (length(v) <= 15 AND NOT contains(v, 'E-')) OR shortest_double(v) = v THEN 0
    WHEN digits(v) = digits(shortest_double(v)) OR digits(v) = digits(long_double(v)) THEN 0
    WHEN is_bigint(v) THEN {NO_DOUBLE}
    ELSE {NO_NUMBER}
    END;
CREATE TEMP MACRO is_exact_json_double(v) AS is_double(v) AND unfit(v) = 0;
CREATE TEMP MACRO is_exact_double(v) AS is_exact_json_double(v) AND NOT is_e_code(v);

CREATE TEMP MACRO decimals(v) AS strlen(v) - strpos(v, '.');
CREATE TEMP MACRO decimal_traits(v) AS CASE
    WHEN NOT contains(v, '.') OR suffix(v, '.') THEN 0
    WHEN contains(v, 'E') OR decimals(v) > {_MOST_DECIMALS} THEN {LONG}
    ELSE ({DECIMALS} << CAST(decimals(v) AS INTEGER))
        + CASE WHEN decimals(v) > 1 AND suffix(v, '0') THEN {PADDED} ELSE 0 END
    END;
CREATE TEMP MACRO number_traits(v) AS unfit(v) + CASE
    WHEN NOT coalesce(isfinite(try_cast(v AS DOUBLE)), false) THEN 0
    ELSE {FINITE} + CASE WHEN is_e_code(v) THEN {E_CODE} ELSE 0 END + decimal_traits(v)
    END;
CREATE TEMP MACRO time_traits(v) AS CASE
    WHEN NOT is_timestamp(v) THEN 0
    WHEN suffix(v, 'Z') OR contains(substr(v, 11), '+') OR contains(substr(v, 11), '-') THEN {ZONED}
    ELSE {ZONELESS}
    END;
"""


def has_decimals_of_versions(traits: int) -> bool:
    """Return whether a column's numbers look like versions: 2.9, 2.10.

    A program prints all numbers of a column with the same number of decimals, or without a 0 at the end.
    """
    numbers_of_decimals = traits // DECIMALS
    return bool(traits & PADDED) and not traits & LONG and numbers_of_decimals.bit_count() > 1


def has_mixed_zones(traits: int) -> bool:
    """Return whether some of a column's times have an offset from UTC, and others have none."""
    return bool(traits & ZONED and traits & ZONELESS)
