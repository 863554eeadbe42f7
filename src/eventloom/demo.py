"""The command demo: deploy to the embedded LocalStack, process the sample photos, and show the results."""

import os
import time
from functools import partial
from pathlib import Path
from typing import Any

import click

from eventloom import advice, arguments, catalog, clouds, demo_pictures, results, terminal
from eventloom.clouds import BUILD, ROOT, client
from eventloom.deployment import apply
from eventloom.emulator import embedded
from eventloom.errors import UserError
from eventloom.sources import collect
from eventloom.uploads import Result, send_all, wait

PHOTOS = ROOT / "examples/photos"
OUT = BUILD / "demo"
ENVIRONMENT = "local"


@arguments.command("demo")
@arguments.port_option
def demo() -> None:
    """Start the embedded LocalStack, deploy to it, and send the sample photos through.

    It prints what became of each photo, and the gallery's address with its key. build/demo/ gets the thumbnails,
    contact-sheet.png and index.html. It needs no Docker and no AWS account.

    \b
      ./eventloom demo
      ./eventloom demo --port 4567
    """
    if os.environ.get("CLOUD", "embedded") != "embedded":
        raise UserError(f"the demo runs in the embedded LocalStack only; unset CLOUD, which is {os.environ['CLOUD']}")
    clouds.choose("embedded")
    started = time.monotonic()
    outputs = deploy()
    answers = send_photos(outputs)
    terminal.stdout.rule("3. results", align="left")
    terminal.stdout.print(results.table(answers))
    files = demo_pictures.save_thumbnails(answers, OUT, partial(catalog.thumbnail, outputs))
    sheet = demo_pictures.contact_sheet(answers, files, OUT / "contact-sheet.png")
    page = demo_pictures.page(answers, files, OUT / "index.html")
    terminal.stdout.print(next_steps(sheet, page, catalog.gallery_link(outputs)), soft_wrap=True, markup=False)
    terminal.stdout.print(f"all in {time.monotonic() - started:.0f} s")
    check(answers, set(files))


def deploy() -> dict[str, Any]:
    """Start the embedded LocalStack, build and deploy. Returns the Terraform outputs."""
    terminal.stdout.rule("1. deploy terraform/ to the embedded LocalStack", align="left")
    click.echo(embedded().run("up", doing="starting LocalStack"), nl=False)
    apply.announce(ENVIRONMENT)
    apply.prepare(ENVIRONMENT)
    apply.build_packages()
    return apply.deploy(ENVIRONMENT, apply.plan_file(ENVIRONMENT)).outputs


def send_photos(outputs: dict[str, Any]) -> list[Result]:
    """Send the sample photos and return the results, sorted by key. Photos of an earlier demo are overwritten."""
    terminal.stdout.rule("2. upload the sample photos", align="left")
    sources = collect([path for path in PHOTOS.iterdir() if path.suffix != ".md"]).files
    sent = send_all(client("s3"), outputs["uploads_bucket"], sources, replace=True)
    began, answers = time.monotonic(), []
    for upload, item in wait(partial(catalog.items, client("dynamodb"), outputs["catalog_table"]), sent.uploads):
        answers.append((upload, item))
        terminal.stdout.print(f"  {time.monotonic() - began:4.1f} s  {item['status']:<9} {upload.key}", markup=False)
    return sorted(answers, key=lambda result: result[0].key)


def next_steps(sheet: Path, page: Path, link: str) -> str:
    """Return the lines with the paths of the files and the next commands."""
    return "\n".join(
        [
            "",
            f"pictures   {sheet}",
            f"page       {page}",
            f"your own   {advice.command(ENVIRONMENT, 'upload photo.jpg')}",
            f"clean up   {advice.emulator_command('down')}",
            f"gallery    {link}",
        ]
    )


def check(answers: list[Result], with_thumbnail: set[str]) -> None:
    """Raise UserError unless the corrupt photo is REJECTED and every other one is READY with a thumbnail."""
    expected = {
        upload.key: results.REJECTED if Path(upload.key).stem == "corrupt" else results.READY for upload, _ in answers
    }
    wrong = [
        f"{upload.key} is {item['status']}"
        for upload, item in answers
        if item["status"] != expected[upload.key]
        or (upload.image_id in with_thumbnail) != (item["status"] == results.READY)
    ]
    if wrong or results.REJECTED not in expected.values():
        logs = advice.command(ENVIRONMENT, "logs thumbnailer")
        raise UserError(
            f"the demo did not end as it should ({', '.join(wrong) or 'no photo is corrupt'}); look at {logs}"
        )
