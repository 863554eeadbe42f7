"""Format commands for messages, with the options and variables that the chosen cloud needs."""

import os

from eventloom.clouds import DEFAULT_PORT, chosen_cloud


def command(environment: str, text: str) -> str:
    """Return a command for an environment, such as `./eventloom logs thumbnailer --env dev`."""
    cloud = chosen_cloud()
    options = "" if environment == "local" else f" --env {environment}"
    if cloud.name != ("embedded" if environment == "local" else "aws"):
        options += f" --cloud {cloud.name}"
    return f"{_port()}./eventloom {text}{options}"


def emulator_command(text: str) -> str:
    """Return a command for the embedded LocalStack itself, such as `./eventloom down`."""
    return f"{_port()}./eventloom {text}"


def _port() -> str:
    """Return the assignment of EMBEDDED_PORT that a command needs as a prefix, or ""."""
    port = chosen_cloud("embedded").port
    return "" if str(port) == (os.environ.get("EMBEDDED_PORT") or str(DEFAULT_PORT)) else f"EMBEDDED_PORT={port} "
