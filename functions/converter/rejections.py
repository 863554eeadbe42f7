"""The reasons for which a file is not converted or a row is set aside, as codes and texts."""

FILES = {
    "empty": "The file has no content.",
    "folder": "The key ends in '/': it stands for a folder, not for data.",
    "no_rows": "The file has no rows of data.",
    "no_valid_rows": "Every row was set aside; the rejects file says why.",
    "few_valid_rows": "More rows were set aside than kept: the file is not the table that it was taken for. The "
    "rejects file says why.",
    "unclear_delimiter": "There is more than one way to split the file into fields. Upload it again with the delimiter "
    "as metadata (aws s3 cp --metadata delimiter=semicolon), or with quotes around fields that contain another one.",
    "unclear_header": "It is not clear which line names the columns. Upload the file again with the names in its first "
    "line, one for each column, or say whether its first line is the header (aws s3 cp --metadata header=true).",
    "unsupported_format": "The name must end in .csv, .tsv, .txt, .json, .jsonl or .ndjson, each optionally followed "
    "by .gz.",
    "unsupported_compression": "The content is compressed in another way than gzip.",
    "uncertain_encoding": "The file is not UTF-8, and its bytes do not show clearly which encoding it has. Upload it "
    'again as UTF-8 or with the encoding as metadata (aws s3 cp --metadata encoding=cp1250), or set "encoding" in the '
    "dataset's schema.",
    "unknown_encoding": "The metadata of the object, or the dataset's schema, names an encoding that does not exist.",
    "unknown_hint": "The metadata of the object, or the dataset's schema, has a value that cannot be used.",
    "not_text": "The content is not text.",
    "corrupt_gzip": "The gzip data is damaged or incomplete.",
    "malformed_json": "The JSON document is malformed or incomplete.",
    "value_too_long": "An element of the JSON document is too long; upload an array of objects, or one object per "
    "line.",
    "too_large": "The file is larger than the limit.",
    "too_many_columns": "The file, or its dataset with it, has more columns than the limit.",
    "shared_dataset": "Two folders of uploads have names that make one dataset, which would mix their rows. Rename "
    "one, or add both to folders in the dataset's schema; then upload again.",
    "too_slow": "The conversion would not end before the function's timeout; split the file.",
    "out_of_memory": "The conversion needs more memory than is allowed; split the file or make its rows smaller.",
    "out_of_disk": "The conversion needs more ephemeral storage than there is; split the file.",
    "encrypted": "The object is encrypted with a key that only the uploader holds (SSE-C).",
    "archived": "The object is in an archive storage class and cannot be read directly.",
}

ROWS = {
    "before_header": "The line is a title or a comment before the table.",
    "too_few_fields": "The row has fewer fields than there are columns.",
    "too_many_fields": "The row has more fields than there are columns.",
    "malformed_quotes": "A quoted field is not closed, or continues after its closing quote.",
    "stray_line_end": "A carriage return stands within an unquoted field, but the file's lines end in another way.",
    "row_too_long": "The row is longer than the limit.",
    "bad_encoding": "The row has bytes or code points that are not valid text in the file's encoding.",
    "nul_character": "The row contains a NUL character.",
    "malformed_json": "The line is not valid JSON.",
    "repeated_key": "An object has the same key twice, so its value is not defined.",
    "not_an_object": "The value is not a JSON object, so it has no named columns.",
    "wrong_type": "A value does not fit its column's type.",
}


class Rejection(Exception):
    """The file cannot be converted, and another attempt would fail for the same reason.

    `code` is a key of FILES. `text` says what is wrong.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        """`detail` is added to the text of `code`."""
        self.code = code
        self.text = f"{FILES[code]} {detail}".strip()
        super().__init__(f"{code}: {self.text}")
