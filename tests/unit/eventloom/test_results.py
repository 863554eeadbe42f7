"""Results are shown as a table, and the demo writes pictures."""

import io
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from PIL import Image
from rich.console import Console

from eventloom import clouds, demo, demo_pictures, results
from eventloom.cli import main
from eventloom.errors import UserError
from eventloom.uploads import Result, Upload


def result(key: str, **item: Any) -> Result:
    upload = Upload(Path(key), key, f"id-{key}", "v1")
    return upload, {"image_id": upload.image_id, "version_id": "v1"} | item


def ready(key: str = "[a] 사진.jpg") -> Result:
    thumbnails = {size: {"key": f"{key}/{size}.png"} for size in ("128", "512", "1280")}
    facts = {
        "format": "JPEG",
        "width": 40,
        "height": 30,
        "bytes": 2048,
        "dominant_color": "#6b7a3c",
        "camera": "A [b]\x1b[2J",
    }
    return result(key, status="READY", thumbnails=thumbnails, **facts)


def rejected(key: str = "corrupt.jpg") -> Result:
    return result(key, status="REJECTED", reason="corrupt", reason_text="The file is damaged [or] incomplete.")


def printed(*answers: Result, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    console.print(results.table(answers))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_table_of_80_columns_shows_the_result_of_each_photo() -> None:
    table = printed(ready(), rejected())
    assert re.search(r"^\[a\] 사진\.jpg +READY +40 x 30  JPEG  2,048 bytes *$", table, re.MULTILINE)
    assert "1280 512 128 px" in table
    assert re.search(r"^corrupt\.jpg +REJECTED +The file is damaged \[or\] incomplete\. *$", table, re.MULTILINE)
    assert max(map(len, table.splitlines())) <= 80


def test_text_inside_a_file_cannot_control_the_terminal() -> None:
    assert "\x1b" not in printed(ready("a\x1b[2J.jpg"))


def test_the_summary_counts_each_status() -> None:
    assert results.summary([ready("a.jpg"), ready("b.jpg"), rejected()]) == "2 ready, 1 rejected"


def png(key: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (40, 30), "#d03070").save(file, "PNG")
    return file.getvalue()


def test_the_contact_sheet_shows_each_middle_thumbnail_and_the_page_names_it(tmp_path: Path) -> None:
    asked = []

    def thumbnail(key: str) -> bytes:
        asked.append(key)
        return png(key)

    answers = [ready("a.jpg"), rejected("<b>.jpg")]
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "of an earlier demo.png").touch()
    files = demo_pictures.save_thumbnails(answers, tmp_path / "demo", thumbnail)
    assert asked == ["a.jpg/512.png"]
    assert list((tmp_path / "demo").iterdir()) == [files["id-a.jpg"]]
    with Image.open(demo_pictures.contact_sheet(answers, files, tmp_path / "sheet.png")) as sheet:
        assert sheet.getpixel((20 + demo_pictures.CELL // 2, 20 + demo_pictures.CELL // 2)) == (0xD0, 0x30, 0x70)
    page = demo_pictures.page(answers, files, tmp_path / "index.html").read_text()
    assert f'<img src="{files["id-a.jpg"].name}" alt="a.jpg">' in page
    assert "<strong>REJECTED</strong>" in page
    assert "&lt;b&gt;.jpg" in page


def test_the_demo_ends_well_only_if_each_photo_got_its_verdict() -> None:
    demo.check([ready("a.jpg"), rejected()], {"id-a.jpg"})
    for wrong, with_thumbnail in (
        ([rejected("a.jpg"), rejected()], set()),
        ([ready("a.jpg"), ready("corrupt.jpg")], {"id-a.jpg", "id-corrupt.jpg"}),
        ([ready("a.jpg"), rejected()], set()),
        ([ready("a.jpg")], {"id-a.jpg"}),
    ):
        with pytest.raises(UserError, match=r"did not end as it should.*logs thumbnailer"):
            demo.check(wrong, with_thumbnail)


def test_the_demo_names_the_gallery_with_its_key_and_the_next_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMBEDDED_PORT", str(clouds.CLOUDS["embedded"].port))
    text = demo.next_steps(Path("sheet.png"), Path("index.html"), "http://127.0.0.1/v1/#key=k")
    assert "gallery    http://127.0.0.1/v1/#key=k" in text
    assert "your own   ./eventloom upload photo.jpg\nclean up   ./eventloom down\n" in text


def test_the_demo_refuses_another_cloud(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUD", "aws")
    done = CliRunner().invoke(main, ["demo"])
    assert done.exit_code == 1
    assert done.stderr == "Error: the demo runs in the embedded LocalStack only; unset CLOUD, which is aws\n"
