"""DuckDB macros that say which types fit a value, and which types its digits exclude."""

# Types that a column cannot have because of a value, although its digits fit
NO_DOUBLE, NO_NUMBER = 1, 2

# The macro that says whether a value fits a type, from narrow to wide: of two types that fit as many values the first
# is taken
FITS = {
    "BOOLEAN": "is_boolean",
    "BIGINT": "is_bigint",
    "DOUBLE": "is_double",
    "DATE": "is_date",
    "TIMESTAMP": "is_timestamp",
}

# In all macros v is a trimmed text in upper case. They may return NULL for "no".
MACROS = f"""
-- Casts are too lenient: '1.7' becomes the BIGINT 2. So a value fits only if it is also written the usual way.
CREATE TEMP MACRO is_boolean(v) AS v = 'TRUE' OR v = 'FALSE';
CREATE TEMP MACRO is_bigint(v) AS CAST(try_cast(v AS BIGINT) AS VARCHAR) = v;
CREATE TEMP MACRO is_double(v) AS isfinite(try_cast(v AS DOUBLE)) AND NOT contains(v, '_');
CREATE TEMP MACRO is_date(v) AS CAST(try_cast(v AS DATE) AS VARCHAR) = v;
CREATE TEMP MACRO is_timestamp(v) AS CASE
    WHEN try_cast(v AS TIMESTAMPTZ) IS NULL THEN false
    ELSE regexp_full_match(v, '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}'
        || '([T ][0-9]{{2}}:[0-9]{{2}}(:[0-9]{{2}}([.][0-9]{{1,9}})?)?(Z|[+-][0-9]{{2}}(:?[0-9]{{2}})?)?)?')
    END;

-- The significant digits of a number, and the two ways in which a program prints a DOUBLE: with the fewest digits that
-- identify it, or with as many as v has.
CREATE TEMP MACRO digits(v) AS trim(regexp_replace(split_part(v, 'E', 1), '[^0-9]', '', 'g'), '0');
CREATE TEMP MACRO shortest_double(v) AS upper(CAST(try_cast(v AS DOUBLE) AS VARCHAR));
CREATE TEMP MACRO long_double(v) AS
    upper(printf('%.' || greatest(length(digits(v)) - 1, 0) || 'e', try_cast(v AS DOUBLE)));

-- A leading 0 before a digit (':' follows '9') or a '+' is of a postcode, a telephone number or an account number.
CREATE TEMP MACRO is_code(v) AS ltrim(v, '+-') >= '00' AND ltrim(v, '+-') < '0:';

-- 0, {NO_DOUBLE} if a DOUBLE would have other digits, or {NO_NUMBER} for what should stay text. A DOUBLE keeps any 15
-- digits (fewer next to 0, hence E-), and those that it was printed with. The cheap comparisons come first.
CREATE TEMP MACRO unfit(v) AS CASE
    WHEN is_code(v) THEN {NO_NUMBER}
    WHEN NOT coalesce(isfinite(try_cast(v AS DOUBLE)), false) THEN 0
    WHEN starts_with(v, '+') THEN {NO_NUMBER}
    WHEN (length(v) <= 15 AND NOT contains(v, 'E-')) OR shortest_double(v) = v THEN 0
    WHEN digits(v) = digits(shortest_double(v)) OR digits(v) = digits(long_double(v)) THEN 0
    WHEN is_bigint(v) THEN {NO_DOUBLE}
    ELSE {NO_NUMBER}
    END;
"""
