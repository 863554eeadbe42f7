"""The command open: print the gallery's address with its key, or open it in a browser."""

import webbrowser
from collections.abc import Callable
from typing import Any

import click

from eventloom import arguments, catalog, terminal
from eventloom.deployment.outputs import current_outputs
from eventloom.errors import UserError


@arguments.command("open")
@arguments.environment_option
@click.option("--browser", is_flag=True, help="open it in the default browser as well")
@arguments.json_option
def open_gallery(environment: str, browser: bool, as_json: bool) -> None:
    """Print the gallery's address, with its API key.

    The key follows '#', so a browser does not send it to a server. The gallery keeps it for the session and removes it
    from the address bar. Anyone who has the address has the key: share it as you share a password. Where people sign in
    with Cognito, the address has no key.

    \b
      ./eventloom open --browser
      ./eventloom open --env prod
    """
    outputs = current_outputs(environment)
    link = catalog.gallery_link(outputs)
    terminal.report(facts(environment, outputs), as_json, link)
    if browser:
        show(link)


def facts(environment: str, outputs: dict[str, Any]) -> dict[str, str]:
    """Return the fields that --json prints."""
    return {
        "environment": environment,
        "url": catalog.gallery_link(outputs),
        "gallery_url": catalog.gallery_url(outputs),
    }


def show(link: str, opens: Callable[[str], bool] = webbrowser.open) -> None:
    """Open an address in the default browser. Raises UserError if there is none."""
    if not opens(link):
        raise UserError("no browser was found on this machine; copy the address above into one")
