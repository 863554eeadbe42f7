"""Write random tables as programs do, and check that each value is read as written or its row is set aside."""

import csv
import datetime as dt
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from converter.conversion import Outcome, convert
from converter.staging import Limits
from shared.deadline import Deadline

from .conftest import Context, rejects_of, rows_of

type Cell = str | None

# Words of a language, and the encodings in which its programs write
LANGUAGES = {
    "Zürich Köln Größe Straße für Bär naïve José": ["utf-8", "utf-8-sig", "utf-16", "cp1252"],
    "서울 부산 홍길동 김철수 고객 주문번호": ["utf-8", "utf-8-sig", "utf-16", "cp949"],
    "東京 大阪 鈴木太郎 カタカナ 数量": ["utf-8", "utf-8-sig", "utf-16", "cp932", "euc_jp"],
    "北京 上海 张三 客户 订单数量": ["utf-8", "utf-8-sig", "gb18030"],
    "Москва Казань Иван Екатеринбург количество": ["utf-8", "utf-16", "cp1251", "koi8_r"],
    "Łódź Gdańsk Żaneta zamówienie ilość": ["utf-8", "utf-8-sig", "cp1250", "iso8859_2"],
    "plain words only": ["utf-8", "ascii"],
}
# The words that the README says mean no value in columns that aren't text
NO_VALUES = {"", "NULL", "NONE", "NA", "N/A", "NAN", "-", "\\N"}
# The reasons for which a file may be refused, because its content does not determine the answer
REFUSALS = {
    "uncertain_encoding",
    "unclear_delimiter",
    "unclear_header",
    "few_valid_rows",
    "no_valid_rows",
    "no_rows",
    "not_text",
}


@dataclass(frozen=True)
class Written:
    """A file, with its table and the program that wrote it. Each row has a unique text in the first column."""

    program: str
    name: str
    header: list[str]
    rows: list[list[Cell]]
    encoding: str
    content: bytes
    delimiter: str = ","


def _pandas(header: list[str], rows: list[list[Cell]], delimiter: str) -> str:
    return _csv(header, [[cell or "" for cell in row] for row in rows], delimiter, "\n", csv.QUOTE_MINIMAL)


def _excel(header: list[str], rows: list[list[Cell]], delimiter: str) -> str:
    text = _csv(header, [[cell or "" for cell in row] for row in rows], delimiter, "\r\n", csv.QUOTE_MINIMAL)
    return text + (delimiter * (len(header) - 1) + "\r\n") * 2


def _excel_with_separator(header: list[str], rows: list[list[Cell]], delimiter: str) -> str:
    return f"sep={delimiter}\r\n" + _csv(header, [[cell or "" for cell in row] for row in rows], delimiter, "\r\n", 0)


def _r(header: list[str], rows: list[list[Cell]], delimiter: str) -> str:
    """Write like R's write.table(sep=, qmethod="double"): texts are quoted, but numbers and NA are not."""

    def quoted(cell: Cell) -> str:
        if cell is None:
            return "NA"
        return cell if _is_number(cell) else '"' + cell.replace('"', '""') + '"'

    names = [f'"{name}"' for name in header]
    return "\n".join(delimiter.join(row) for row in [names, *(list(map(quoted, row)) for row in rows)]) + "\n"


def _postgres(header: list[str], rows: list[list[Cell]], delimiter: str) -> str:
    """Write like PostgreSQL's COPY ... CSV HEADER: an empty text is quoted, and NULL is an empty field."""

    def quoted(cell: Cell) -> str:
        if cell is None:
            return ""
        special = not cell or any(character in cell for character in f'{delimiter}"\r\n') or cell == "\\."
        return '"' + cell.replace('"', '""') + '"' if special else cell

    return "\n".join(delimiter.join(map(quoted, row)) for row in [header, *rows]) + "\n"


def _duckdb(header: list[str], rows: list[list[Cell]], delimiter: str) -> str:
    """Write like DuckDB's COPY ... (FORCE_QUOTE *): all values except NULL are quoted."""

    def quoted(cell: Cell) -> str:
        return "" if cell is None else '"' + cell.replace('"', '""') + '"'

    return "\n".join(delimiter.join(row) for row in [header, *(list(map(quoted, row)) for row in rows)]) + "\n"


def _trailing(header: list[str], rows: list[list[Cell]], delimiter: str) -> str:
    """End each row, but not the header, with a delimiter."""
    first, *others = _csv(header, [[cell or "" for cell in row] for row in rows], delimiter, "\f", 0).split("\f")[:-1]
    return "\r\n".join([first, *(line + delimiter for line in others)]) + "\r\n"


def _spaced(header: list[str], rows: list[list[Cell]], delimiter: str) -> str:
    """Quote all texts, with a space behind each delimiter."""
    cells = [header, *([cell or "" for cell in row] for row in rows)]
    return "\n".join(f"{delimiter} ".join('"' + c.replace('"', '""') + '"' for c in row) for row in cells) + "\n"


PROGRAMS: dict[str, Callable[[list[str], list[list[Cell]], str], str]] = {
    "pandas": _pandas,
    "Excel": _excel,
    "Excel with sep=": _excel_with_separator,
    "R": _r,
    "Postgres": _postgres,
    "DuckDB": _duckdb,
    "delimiters at the end": _trailing,
    "spaces before quotes": _spaced,
}


def _csv(header: list[str], rows: list[list[str]], delimiter: str, end: str, quoting: int) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting)  # type: ignore[arg-type]
    writer.writerows([header, *rows])
    return text.getvalue()


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text == text.strip() and "_" not in text


def _column(rnd: Random, words: list[str], count: int) -> list[Cell]:
    """Return the cells of a column with values of one kind. Some cells have no value."""
    day = dt.date(2026, 11, 30)
    kinds: list[Callable[[], str]] = [
        lambda: rnd.choice(words),
        lambda: " ".join(rnd.choices(words, k=3)),
        lambda: str(rnd.randint(-(10**6), 10**6)),
        lambda: repr(rnd.uniform(-1000, 1000)),
        lambda: f"{rnd.uniform(0, 1000):.2f}",
        lambda: f"{rnd.uniform(0, 1000):.2f}".replace(".", ","),
        lambda: f"{rnd.uniform(0, 1e6):.6e}",
        lambda: str(day - dt.timedelta(rnd.randint(0, 9999))),
        lambda: f"{day - dt.timedelta(rnd.randint(0, 999))}T{rnd.randint(0, 23):02}:{rnd.randint(0, 59):02}:00Z",
        lambda: rnd.choice(["true", "false"]),
        lambda: f"{rnd.randint(0, 99999):05}",
        lambda: f"{rnd.randint(1, 999)}E{rnd.randint(1, 99)}",
        lambda: f"{rnd.randint(1, 4)}.{rnd.randint(0, 30)}",
        lambda: f"+49{rnd.randint(10**6, 10**9)}",
        lambda: rnd.choice([*sorted(NO_VALUES), rnd.choice(words)]),
        lambda: rnd.choice(['say "hi"', "a, b; c", "two\nlines", "it's", " spaces ", "tab\there", "a|b", *words]),
    ]
    kind = rnd.choice(kinds)
    other = rnd.choice(kinds) if rnd.random() < 0.15 else kind
    empty = rnd.choice([0, 0, 0.1, 0.6])
    return [None if rnd.random() < empty else (other if rnd.random() < 0.1 else kind)() for _ in range(count)]


def written(rnd: Random, program: str) -> Written:
    """Return a random table that a program has written."""
    words_text = rnd.choice(list(LANGUAGES))
    words, encoding = words_text.split(" "), rnd.choice(LANGUAGES[words_text])
    count, width = rnd.choice([1, 2, 3, 8, 30, 120]), rnd.randint(1, 5)
    # A few letters are not enough to detect an undeclared encoding.
    names: list[Cell] = [f"{rnd.choice(words)} {rnd.choice(words)} #{number}" for number in range(count)]
    columns = [names, *(_column(rnd, words, count) for _ in range(width))]
    header = ["name", *(f"{rnd.choice(words)} {chr(97 + number)}" for number in range(width))]
    rows = [list(row) for row in zip(*columns, strict=True)]
    delimiter = rnd.choice([",", ",", ";", "\t", "|"])
    text = PROGRAMS[program](header, rows, delimiter)
    return Written(program, "a.csv", header, rows, encoding, text.encode(encoding), delimiter)


def converted(table: Written, folder: Path) -> Outcome:
    """Return the outcome of converting a table."""
    source = folder / "source"
    source.write_bytes(table.content)
    return convert(source, table.name, {}, Limits(memory_limit_mb=128), Deadline(Context()))


def faults(table: Written, outcome: Outcome) -> list[str]:
    """Return the differences between the outcome and the written table."""
    facts = outcome.facts
    if outcome.status != "CONVERTED":
        return [] if facts["reason"] in REFUSALS else [f"refused for {facts['reason']}"]
    if table.content.decode(facts["encoding"], "replace").lstrip("\ufeff") != table.content.decode(table.encoding):
        # An encoding with one byte per letter is uncertain, and the warning says so.
        is_warned = any(warning.startswith("encoding: ") for warning in facts["warnings"])
        is_unsure = is_warned and table.encoding in {"cp1250", "iso8859_2"}
        return [] if is_unsure else [f"{table.encoding} as {facts['encoding']}"]
    columns = facts["columns"]
    if not {column["source"] for column in columns} <= set(table.header) or columns[0]["source"] != table.header[0]:
        return [f"header {[column['source'] for column in columns]}"]
    return _faults_of_rows(table, outcome)


def _faults_of_rows(table: Written, outcome: Outcome) -> list[str]:
    columns = outcome.facts["columns"]
    # Columns that have no value are left out.
    places = [table.header.index(column["source"]) for column in columns]
    left_out = set(range(len(table.header))) - set(places)
    read = {row[0]: row for row in rows_of(outcome.parquet)}
    aside = [reject.get("raw", "") for reject in rejects_of(outcome.rejects)]
    problems = []
    for cells in table.rows:
        row = read.pop(cells[0], None)
        if row is None:
            problems += [] if any(str(cells[0]) in raw for raw in aside) else [f"the row {cells} is lost"]
            continue
        problems += [
            f"{cells[place]!r} is {value!r} ({column['type']})"
            for place, column, value in zip(places, columns, row, strict=True)
            if not is_same(cells[place], value, column["type"])
        ]
        problems += [f"{cells[place]!r} is left out" for place in left_out if not _is_no_value(cells[place])]
    return problems + [f"the row {row} was not written" for row in read.values()]


def _is_no_value(cell: Cell) -> bool:
    return (cell or "").strip().upper() in NO_VALUES


def _moment(text: str) -> dt.datetime:
    moment = dt.datetime.fromisoformat(text)
    return moment.astimezone(dt.UTC).replace(tzinfo=None) if moment.tzinfo else moment


_READERS: dict[str, Callable[[str], Any]] = {
    "DOUBLE": float,
    "BOOLEAN": lambda text: json.loads(text.lower()),
    "DATE": dt.date.fromisoformat,
    "TIMESTAMP": _moment,
}


def is_same(cell: Cell, value: Any, type_: str) -> bool:
    """Return whether a value of a type equals the written cell."""
    text = cell or ""
    if type_ == "VARCHAR":
        # R writes NA for no value.
        return (value or "") == text or (value == "NA" and cell is None)
    if value is None:
        return _is_no_value(cell)
    text = text.strip()
    return str(value) == text if type_ == "BIGINT" else bool(_READERS[type_](text) == value)
