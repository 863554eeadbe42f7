"""The commands up, down and restart, which control the embedded LocalStack."""

import click

from eventloom import arguments
from eventloom.emulator import Emulator, embedded


def emulator() -> Emulator:
    """Return the emulator in click's context, which tests provide, or the emulator of this checkout."""
    return click.get_current_context().find_object(Emulator) or embedded()


@arguments.command("up")
@arguments.port_option
def up() -> None:
    """Start the embedded LocalStack, with what was deployed when it was stopped.

    It needs no Docker, listens on this machine only, and enforces IAM.
    The port is 4566. Choose another one if something else uses it, usually a LocalStack in Docker:

    \b
      ./eventloom up --port 4567
      EMBEDDED_PORT=4567 ./eventloom status

    Every command reads EMBEDDED_PORT, so export it to keep that port.
    """
    click.echo(emulator().run("up", doing="starting LocalStack"), nl=False)


@arguments.command("down")
@click.option("--forget", is_flag=True, help="remove what is deployed, and list what is removed")
@arguments.port_option
def down(forget: bool) -> None:
    """Stop the embedded LocalStack and everything that it started.

    What is deployed is kept: the next 'up' brings it back. With --forget it is removed.
    """
    click.echo(emulator().run("down", *(["--forget"] if forget else []), doing="stopping LocalStack"), nl=False)


@arguments.command("restart")
@arguments.port_option
def restart() -> None:
    """Stop the embedded LocalStack and start it again with everything in it."""
    click.echo(emulator().run("restart", doing="restarting LocalStack"), nl=False)
