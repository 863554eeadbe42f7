"""Deploy to the embedded LocalStack, send the sample photos through, and show the pictures.

Usage: demo.py      Writes build/demo/: the thumbnails, contact-sheet.png and index.html.
"""

import html
import io
import re
import shutil
import time
import unicodedata
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from eventloom import errors
from eventloom.catalog import Upload, gallery_url, thumbnail, upload_all, wait
from eventloom.clouds import BUILD, ROOT, chosen_cloud
from eventloom.deployment import apply
from eventloom.errors import UserError

PHOTOS = ROOT / "examples/photos"
OUT = BUILD / "demo"
CELL = 300

type Result = tuple[Upload, dict[str, Any]]
console = Console(highlight=False)


def size_of(found: dict[str, Any]) -> str:
    """Width x height of an item, if it has them."""
    return f"{found['width']} x {found['height']}" if "width" in found else "-"


def results_table(results: list[Result]) -> Table:
    """What became of each upload, in two lines of 80 columns: the picture and its thumbnails, or why there are none."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(overflow="fold", max_width=24)
    table.add_column(no_wrap=True)
    table.add_column(ratio=1)
    for upload, found in results:
        status = f"[green]{found['status']}" if found["status"] == "READY" else f"[yellow]{found['status']}"
        table.add_row(escape(upload.key), status, escape(found.get("reason_text", "")) or details(found))
    return table


def details(found: dict[str, Any]) -> str:
    """The facts of a READY image, as markup of two lines."""
    colour = found.get("dominant_color", "")
    picture = [size_of(found), found.get("format", ""), f"{found.get('bytes', 0):,} bytes"]
    sizes = " ".join(sorted(found.get("thumbnails", {}), key=int, reverse=True))
    more = [f"[{colour}]■[/]" if colour else "", f"{sizes} px" if sizes else "", escape(found.get("camera", ""))]
    return "  ".join(filter(None, picture)) + "\n" + "  ".join(filter(None, more))


def save_thumbnails(outputs: dict[str, Any], results: list[Result]) -> dict[str, Path]:
    """Download each result's middle thumbnail into OUT; its file by image id."""
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    saved = {}
    for upload, found in results:
        if found.get("thumbnails"):
            middle = sorted(found["thumbnails"], key=int)[len(found["thumbnails"]) // 2]
            key = found["thumbnails"][middle]["key"]
            saved[upload.image_id] = OUT / f"{upload.image_id}-{Path(key).name}"
            saved[upload.image_id].write_bytes(thumbnail(outputs, key))
    return saved


def contact_sheet(results: list[Result], saved: dict[str, Path]) -> Path:
    """One picture with every thumbnail, or the reason there is none."""
    columns = min(3, len(results))
    rows = -(-len(results) // columns)
    sheet = Image.new("RGB", (columns * (CELL + 20) + 20, rows * (CELL + 60) + 20), "#f4f4f2")
    draw = ImageDraw.Draw(sheet)
    for index, (upload, found) in enumerate(results):
        left, top = 20 + index % columns * (CELL + 20), 20 + index // columns * (CELL + 60)
        if upload.image_id in saved:
            picture = Image.open(io.BytesIO(saved[upload.image_id].read_bytes()))
            picture.thumbnail((CELL, CELL))
            sheet.paste(picture.convert("RGB"), (left + (CELL - picture.width) // 2, top + (CELL - picture.height) // 2))
        else:
            draw.rectangle((left, top, left + CELL, top + CELL), outline="#c9c9c5")
            draw.text((left + CELL / 2, top + CELL / 2), found["status"], fill="#a33", anchor="mm", font_size=18)
        # Pillow's own font has Latin letters alone.
        name = re.sub("[^ -~\u00a1-\u00ff]+", "...", unicodedata.normalize("NFC", upload.key))
        draw.text((left, top + CELL + 8), name[:38], fill="#222", font_size=14)
        draw.text((left, top + CELL + 26), f"{found.get('format', found.get('reason', ''))}  {size_of(found)}", fill="#777", font_size=12)
    sheet.save(OUT / "contact-sheet.png")
    return OUT / "contact-sheet.png"


PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Eventloom demo</title>
<style>
  :root {{ color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }} body {{ margin: 2rem auto; max-width: 72rem; padding: 0 1rem }}
  main {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(18rem, 1fr)); gap: 1.5rem }} figure {{ margin: 0 }}
  .frame {{ aspect-ratio: 1; display: grid; place-items: center; border-radius: .5rem; overflow: hidden; background: #8882 }}
  img {{ max-width: 100%; max-height: 100% }} figcaption {{ padding: .5rem 0; overflow-wrap: anywhere }} small {{ opacity: .7 }}
</style>
<h1>Eventloom</h1><p>S3 &rarr; SQS &rarr; Lambda &rarr; thumbnails in S3 and metadata in DynamoDB.</p><main>{figures}</main></html>
"""


def page(results: list[Result], saved: dict[str, Path]) -> Path:
    """An HTML page of the results beside their pictures."""
    figures = []
    for upload, found in results:
        name, facts = html.escape(upload.key), f"{size_of(found)} {found.get('format', '')} {found.get('bytes', 0):,} bytes"
        inside = f"<strong>{html.escape(found['status'])}</strong>"
        if upload.image_id in saved:
            inside = f'<img src="{saved[upload.image_id].name}" alt="{name}">'
        reason = html.escape(found.get("reason_text", ""))
        figures.append(
            f'<figure><div class="frame" style="background:{html.escape(found.get("dominant_color", ""))}">{inside}</div>'
            f"<figcaption>{name}<br><small>{html.escape(facts)}<br>{reason}</small></figcaption></figure>"
        )
    (OUT / "index.html").write_text(PAGE.format(figures="".join(figures)))
    return OUT / "index.html"


def main() -> None:
    """The demo, step by step. Raises UserError if it does not end as it should."""
    if not chosen_cloud().port:
        raise UserError("this is for the embedded LocalStack: leave out ENV and CLOUD")
    started = time.monotonic()
    console.rule("1. deploy terraform/ to the embedded LocalStack", align="left")
    apply.announce("local")
    apply.prepare("local")
    outputs = apply.apply("local", BUILD / "local.tfplan", quiet=True)
    console.rule("2. upload the sample photos", align="left")
    files = sorted(path for path in PHOTOS.iterdir() if path.suffix != ".md")
    uploads, began = list(upload_all(outputs, files)), time.monotonic()
    results = []
    for upload, found in wait(outputs, uploads):
        results.append((upload, found))
        console.print(f"  {time.monotonic() - began:4.1f} s  {found['status']:<9} {upload.key}")
    results.sort(key=lambda result: result[0].key)
    console.rule("3. results", align="left")
    console.print(results_table(results))
    saved = save_thumbnails(outputs, results)
    console.print(f"\npictures   {contact_sheet(results, saved)}\npage       {page(results, saved)}", soft_wrap=True)
    console.print("your own   make upload FILE=photo.jpg\nclean up   make down")
    console.print(f"gallery    {gallery_url(outputs)}\nAPI key    {outputs['api_key']}", style="bold", soft_wrap=True)
    console.print(f"all in {time.monotonic() - started:.0f} s")
    if {found["status"] for _, found in results} != {"READY", "REJECTED"} or len(saved) != len(results) - 1:
        raise UserError("expected every photo READY and the corrupt one REJECTED")


if __name__ == "__main__":
    errors.run("demo", main)
