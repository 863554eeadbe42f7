"""The commands `example deploy` and `example destroy`."""

from collections.abc import Callable
from typing import Any

import click

from eventloom import arguments, terminal
from eventloom.clouds import CLOUDS, choose, chosen_cloud, client
from eventloom.deployment import examples


def _choose_cloud(_context: click.Context, _option: click.Parameter, name: str | None) -> None:
    if name:
        choose(name)


def _example_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add NAME, --cloud and --var to a command. It has no --env, because examples belong to no environment."""
    variable = click.option(
        "--var", "variables", multiple=True, metavar="NAME=VALUE", help="a variable of the example; may be repeated"
    )
    about = "where it runs (default: the embedded LocalStack)"
    cloud = click.option(
        "--cloud", type=click.Choice([*CLOUDS]), expose_value=False, callback=_choose_cloud, help=about
    )
    return click.argument("name", type=click.Choice(examples.example_names()))(cloud(variable(function)))


@arguments.group("example")
def example() -> None:
    """Deploy or destroy one of examples/: cron-job, http-api, s3-to-parquet, thumbnails, webhook-to-queue."""


@example.command("deploy")
@_example_options
@arguments.json_option
def deploy_example(name: str, variables: tuple[str, ...], as_json: bool) -> None:
    """Build and apply examples/NAME, and print its outputs.

    \b
    ./eventloom example deploy cron-job
    ./eventloom example deploy cron-job --cloud aws
    """
    client("sts").get_caller_identity()  # Fail before the build if the cloud is not available.
    examples.package(name)
    with terminal.stderr.status(f"deploying {name} ({chosen_cloud().about})"):
        outputs = examples.apply(name, *(f"-var={pair}" for pair in variables))
    terminal.report(outputs, as_json, "\n".join(f"{output} = {value}" for output, value in outputs.items()))


@example.command("destroy")
@_example_options
def destroy_example(name: str, variables: tuple[str, ...]) -> None:
    """Remove what 'example deploy' made."""
    client("sts").get_caller_identity()
    examples.package(name)
    with terminal.stderr.status(f"destroying {name} ({chosen_cloud().about})"):
        examples.destroy(name, *(f"-var={pair}" for pair in variables))
    terminal.note(f"{name} is destroyed")
