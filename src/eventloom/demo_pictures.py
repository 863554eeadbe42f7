"""Write the results of the demo: the thumbnails, a contact sheet, and an HTML page."""

import html
import io
import re
import shutil
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from eventloom.results import picture_size
from eventloom.uploads import Result

CELL = 300

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Eventloom demo</title>
<style>
  :root {{ color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }}
  body {{ margin: 2rem auto; max-width: 72rem; padding: 0 1rem }}
  main {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(18rem, 1fr)); gap: 1.5rem }}
  figure {{ margin: 0 }}
  .frame {{ aspect-ratio: 1; display: grid; place-items: center; border-radius: .5rem; overflow: hidden }}
  .frame {{ background: #8882 }}
  img {{ max-width: 100%; max-height: 100% }}
  figcaption {{ padding: .5rem 0; overflow-wrap: anywhere }}
  small {{ opacity: .7 }}
</style>
<h1>Eventloom</h1>
<p>S3 &rarr; SQS &rarr; Lambda &rarr; thumbnails in S3 and metadata in DynamoDB.</p>
<main>{figures}</main></html>
"""


def save_thumbnails(results: Sequence[Result], folder: Path, thumbnail: Callable[[str], bytes]) -> dict[str, Path]:
    """Empty the folder, write the thumbnail of medium size of each result, and return the files by image id.

    `thumbnail` returns the content of a thumbnail by its key.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    files = {}
    for upload, item in results:
        if item.get("thumbnails"):
            middle = sorted(item["thumbnails"], key=int)[len(item["thumbnails"]) // 2]
            key = item["thumbnails"][middle]["key"]
            files[upload.image_id] = folder / f"{upload.image_id}-{Path(key).name}"
            files[upload.image_id].write_bytes(thumbnail(key))
    return files


def contact_sheet(results: Sequence[Result], files: dict[str, Path], path: Path) -> Path:
    """Write one picture with all thumbnails, and return its path. Photos without a thumbnail show their status."""
    columns = min(3, len(results))
    rows = -(-len(results) // columns)
    sheet = Image.new("RGB", (columns * (CELL + 20) + 20, rows * (CELL + 60) + 20), "#f4f4f2")
    draw = ImageDraw.Draw(sheet)
    for index, (upload, item) in enumerate(results):
        left, top = 20 + index % columns * (CELL + 20), 20 + index // columns * (CELL + 60)
        if upload.image_id in files:
            picture = Image.open(io.BytesIO(files[upload.image_id].read_bytes()))
            picture.thumbnail((CELL, CELL))
            sheet.paste(
                picture.convert("RGB"), (left + (CELL - picture.width) // 2, top + (CELL - picture.height) // 2)
            )
        else:
            draw.rectangle((left, top, left + CELL, top + CELL), outline="#c9c9c5")
            draw.text((left + CELL / 2, top + CELL / 2), item["status"], fill="#a33", anchor="mm", font_size=18)
        # Pillow's default font has only Latin letters.
        name = re.sub("[^ -~\u00a1-\u00ff]+", "...", unicodedata.normalize("NFC", upload.key))
        about = f"{item.get('format', item.get('reason', ''))}  {picture_size(item)}"
        draw.text((left, top + CELL + 8), name[:38], fill="#222", font_size=14)
        draw.text((left, top + CELL + 26), about, fill="#777", font_size=12)
    sheet.save(path)
    return path


def page(results: Sequence[Result], files: dict[str, Path], path: Path) -> Path:
    """Write an HTML page of the results into the folder of the thumbnails, and return its path."""
    figures = []
    for upload, item in results:
        name, facts = (
            html.escape(upload.key),
            f"{picture_size(item)} {item.get('format', '')} {item.get('bytes', 0):,} bytes",
        )
        inside = f"<strong>{html.escape(item['status'])}</strong>"
        if upload.image_id in files:
            inside = f'<img src="{files[upload.image_id].name}" alt="{name}">'
        reason = html.escape(item.get("reason_text", ""))
        figures.append(
            f'<figure><div class="frame" '
            f'style="background:{html.escape(item.get("dominant_color", ""))}">{inside}</div>'
            f"<figcaption>{name}<br><small>{html.escape(facts)}<br>{reason}</small></figcaption></figure>"
        )
    path.write_text(PAGE.format(figures="".join(figures)))
    return path
