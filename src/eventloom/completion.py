"""The command completion: print the script for shell completion."""

import click
from click.shell_completion import get_completion_class

from eventloom import arguments

_VARIABLE = "_EVENTLOOM_COMPLETE"


@arguments.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script of SHELL.

    \b
    For this session of bash:
      source <(./eventloom completion bash)
    """
    complete_class = get_completion_class(shell)
    if complete_class is None:
        raise click.UsageError(f"click has no completion for {shell}")
    click.echo(complete_class(context.find_root().command, {}, "eventloom", _VARIABLE).source())
