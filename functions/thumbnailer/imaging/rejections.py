"""The reasons for which a file gets no thumbnails, as codes for the catalog and texts for people."""

REASONS = {
    "empty": "The file has no content.",
    "folder": "The key ends in '/': it stands for a folder, not for a photo.",
    "too_large": "The file is larger than the limit.",
    "too_many_pixels": "The picture has more pixels than the limit.",
    "too_many_frames": "The picture has more frames or pages than the limit.",
    "too_complex": "The file is built in a way that would take unreasonable time or memory to read.",
    "unsupported_format": "The content is not a picture of an accepted format.",
    "corrupt": "The file is damaged or incomplete and cannot be decoded.",
    "encrypted": "The object is encrypted with a key that only the uploader holds (SSE-C).",
    "archived": "The object is in an archive storage class and cannot be read directly.",
    "unreadable": "The file cannot be opened or read.",
    "timeout": "Decoding the file took too long.",
    "out_of_memory": "Decoding the file needs more memory than is allowed.",
    "crashed": "The decoder crashed on this file.",
}


class Rejection(Exception):
    """The file gets no thumbnails, and another attempt would fail for the same reason.

    `code` is a key of REASONS. `text` says what is wrong.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        """`detail` is added to the text of `code`."""
        self.code = code
        self.text = f"{REASONS[code]} {detail}".strip()
        super().__init__(f"{code}: {self.text}")
